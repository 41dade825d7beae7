// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What we accept and refuse is what Go's encoding/json accepts and refuses; the first cases are
// those that were tried with Go 1.19.

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include <geerpc/geerpc.hpp>

#include "codec/codec_test.hpp"

// Has a name, since one of the two functions that the macro makes is not used here.
namespace json_decode_test {

struct Imported {
  int number = 0;
  std::vector<std::string> texts;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Imported, number, texts)

}  // namespace json_decode_test

namespace {

using json_decode_test::Imported;
using test::from_json;
using test::json_error;

struct J {
  int Num1 = 0;
  std::string S;
  std::vector<std::uint8_t> B;
  std::unique_ptr<int> P;
  std::vector<int> L;
  std::map<int, std::string> M;
};
GEERPC_FIELDS(J, Num1, S, B, P, L, M)

J full() {
  J value;
  value.Num1 = 9;
  value.S = "s";
  value.B = {1};
  value.P = std::make_unique<int>(1);
  value.L = {1, 2};
  value.M = {{1, "x"}};
  return value;
}
// Decodes into `before` and says what came out.
std::string becomes(std::string_view in, J before = J()) {
  return test::to_json(from_json<J>(in, std::move(before)));
}

struct Case {
  int a = 1, A = 2;
};
GEERPC_FIELDS(Case, a, A)

struct Inner {
  std::int8_t small = 0;
};
GEERPC_FIELDS(Inner, small)
struct Outer {
  Inner in;
  std::vector<Inner> list;
  std::map<std::string, Inner> map;
};
GEERPC_FIELDS(Outer, in, list, map)

struct Chain {
  std::vector<Chain> k;
};
GEERPC_FIELDS(Chain, k)

enum class Small : std::int8_t { minus = -3 };

}  // namespace

TEST_CASE("plain text ends at the first byte that is not, wherever that is") {
  const auto plain = [](unsigned c) {
    return c >= 0x20 && c < 0x80 &&
           std::string_view("\"\\<>&").find(static_cast<char>(c)) == std::string_view::npos;
  };
  for (const std::size_t size : {5u, 8u, 13u, 16u}) {
    std::size_t wrong = 0;
    for (std::size_t at = 0; at + 1 < size; ++at) {
      std::string text(size, 'x');
      for (unsigned first = 0; first < 256; ++first) {
        text[at] = static_cast<char>(first);
        for (unsigned second = 0; second < 256; ++second) {
          text[at + 1] = static_cast<char>(second);
          const std::size_t expected = !plain(first) ? at : !plain(second) ? at + 1 : size;
          wrong += geerpc::detail::json_plain_prefix(text) != expected;
        }
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("struct fields: any case, any order, the last one wins, unknown ones are skipped") {
  CHECK(from_json<J>("{\"Num1\":5}").Num1 == 5);
  CHECK(from_json<J>("{\"num1\":5}").Num1 == 5);
  CHECK(from_json<J>("{\"NUM1\":5,\"Num1\":6}").Num1 == 6);
  CHECK(from_json<J>("{\"Num1\":5,\"x\":[{}]}").Num1 == 5);
  CHECK(from_json<J>("{\"S\":\"t\",\"Num1\":5}").Num1 == 5);
  CHECK(from_json<J>("{\"x\":{\"Num1\":7,\"y\":[1,\"]\",null,true]},\"Num1\":5}").Num1 == 5);
  CHECK(from_json<J>("{\"Num\\u0031\":5}").Num1 == 5);
  CHECK(from_json<J>("{\"Num1\":-0}").Num1 == 0);
  CHECK(from_json<Case>("{\"a\":3,\"A\":4}").a == 3);
  CHECK(from_json<Case>("{\"A\":4}").a == 1);
  CHECK(from_json<Case>("{\"A\":4}").A == 4);
  CHECK(from_json<J>(" \t\r\n{ \"S\" : \"t\" , \"Num1\" : 5 } \n").Num1 == 5);
}

TEST_CASE("what was not sent keeps its value") {
  const std::string before =
      "{\"Num1\":9,\"S\":\"s\",\"B\":\"AQ==\",\"P\":1,\"L\":[1,2],\"M\":"
      "{\"1\":\"x\"}}";
  CHECK(becomes("{}", full()) == before);
  CHECK(becomes("null", full()) == before);
  CHECK(becomes("{\"Num1\":null,\"S\":null,\"B\":null,\"P\":null,\"L\":null,\"M\":null}", full()) ==
        "{\"Num1\":9,\"S\":\"s\",\"B\":\"\",\"P\":null,\"L\":[],\"M\":{}}");
}

TEST_CASE("containers are replaced") {
  CHECK(becomes("{\"L\":[5],\"M\":{\"2\":\"y\"},\"P\":2}", full()) ==
        "{\"Num1\":9,\"S\":\"s\",\"B\":\"AQ==\",\"P\":2,\"L\":[5],\"M\":{\"2\":\"y\"}}");
}

TEST_CASE("integers are exact or refused") {
  CHECK(json_error<J>("{\"Num1\":1.0}") ==
        "expected an integer, found 1.0 at byte 11 (field J.Num1)");
  CHECK(json_error<J>("{\"Num1\":1e2}") ==
        "expected an integer, found 1e2 at byte 11 (field J.Num1)");
  CHECK(json_error<J>("{\"Num1\":\"1\"}") ==
        "expected an integer, found a string at byte 8 (field J.Num1)");
  CHECK(json_error<J>("{\"Num1\":99999999999999999999}") ==
        "99999999999999999999 does not fit into int (field J.Num1)");
  CHECK(json_error<std::int8_t>("300") == "300 does not fit into int8");
  CHECK(json_error<std::int8_t>("128") == "128 does not fit into int8");
  CHECK(json_error<std::int8_t>("-129") == "-129 does not fit into int8");
  CHECK(from_json<std::int8_t>("-128") == -128);
  CHECK(from_json<std::int8_t>("127") == 127);
  CHECK(json_error<std::uint8_t>("256") == "256 does not fit into uint8");
  CHECK(json_error<unsigned>("-1") == "-1 does not fit into uint");
  CHECK(from_json<unsigned>("-0") == 0);
  CHECK(from_json<std::int64_t>("-9223372036854775808") ==
        (std::numeric_limits<std::int64_t>::min)());
  CHECK(json_error<std::int64_t>("9223372036854775808") ==
        "9223372036854775808 does not fit into int64");
  CHECK(json_error<std::int64_t>("-9223372036854775809") ==
        "-9223372036854775809 does not fit into int64");
  CHECK(from_json<std::uint64_t>("18446744073709551615") ==
        (std::numeric_limits<std::uint64_t>::max)());
  CHECK(json_error<std::uint64_t>("18446744073709551616") ==
        "18446744073709551616 does not fit into uint64");
  CHECK(json_error<std::uint64_t>("184467440737095516150") ==
        "184467440737095516150 does not fit into uint64");
  CHECK(from_json<std::int64_t>("9007199254740993") == 9007199254740993);
  CHECK(from_json<Small>("-3") == Small::minus);
  CHECK(json_error<Small>("200") == "200 does not fit into int8");
  CHECK(json_error<bool>("1") == "expected a boolean, found an integer at byte 0");
}

TEST_CASE("floating-point numbers take integers and round") {
  CHECK(from_json<double>("1") == 1);
  CHECK(from_json<double>("-2.25e1") == -22.5);
  CHECK(from_json<double>("1E+2") == 100);
  CHECK(from_json<float>("0.1") == 0.1F);
  CHECK(from_json<double>("5e-324") == 5e-324);
  CHECK(from_json<double>("1e-400") == 0);
  CHECK(std::signbit(from_json<double>("-1e-400")));
  CHECK(from_json<double>("0." + std::string(400, '0') + '1') == 0);
  CHECK(from_json<double>("0e999") == 0);
  CHECK(json_error<double>("1e400") == "1e400 does not fit into double");
  CHECK(json_error<double>(std::string(400, '9')).find("does not fit into double") == 41);
  CHECK(json_error<float>("1e39") == "1e39 does not fit into float");
  CHECK(json_error<double>("\"1\"") == "expected a number, found a string at byte 0");
}

TEST_CASE("strings: escapes, surrogates, bad UTF-8") {
  CHECK(from_json<std::string>("\"\"").empty());
  CHECK(from_json<std::string>("\"\\ud83c\\udf0d\\u00e9\\ud800\"") ==
        "\xF0\x9F\x8C\x8D\xC3\xA9\xEF\xBF\xBD");
  CHECK(from_json<std::string>("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u0000\"") ==
        std::string("\"\\/\b\f\n\r\tA\0", 10));
  CHECK(from_json<std::string>("\"\\ud800\\u0041\"") ==
        "\xEF\xBF\xBD"
        "A");
  CHECK(from_json<std::string>("\"\\udc00\\ud800\"") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(from_json<std::string>("\"\\ud800\\ud83c\\udf0d\"") == "\xEF\xBF\xBD\xF0\x9F\x8C\x8D");
  CHECK(from_json<std::string>("\"\\uD83C\\uDF0D\\u20AC\"") == "\xF0\x9F\x8C\x8D\xE2\x82\xAC");
  CHECK(from_json<std::string>("\"a\xFFz\xE4\xB8\"") == "a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(from_json<std::string>("\"<\xE4\xB8\x96>\x7F\"") == "<\xE4\xB8\x96>\x7F");
  CHECK(json_error<J>("{\"S\":5}") == "expected a string, found an integer at byte 5 (field J.S)");
}

TEST_CASE("bytes come as base64 or as an array of numbers") {
  using Bytes = std::vector<std::uint8_t>;
  CHECK(from_json<Bytes>("\"AQI=\"") == Bytes{1, 2});
  CHECK(from_json<Bytes>("\"AQ==\"") == Bytes{1});
  CHECK(from_json<Bytes>("\"AAF/gP8=\"") == Bytes{0, 1, 127, 128, 255});
  CHECK(from_json<Bytes>("\"AAEC\"") == Bytes{0, 1, 2});
  CHECK(from_json<Bytes>("\"\"").empty());
  CHECK(from_json<Bytes>("\"AQ\\r\\nI=\\n\"") == Bytes{1, 2});
  CHECK(from_json<Bytes>("[1,2]") == Bytes{1, 2});
  CHECK(from_json<std::vector<std::byte>>("\"+/8=\"") ==
        std::vector<std::byte>{std::byte{0xFB}, std::byte{0xFF}});
  for (const char* bad : {"\"AQI\"", "\"A\"", "\"A===\"", "\"AQ=\"", "\"AQI=AQI=\"", "\"AQ=I\"",
                          "\"AQI==\"", "\"AQ-_\"", "\"====\"", "\"AQ \""}) {
    CAPTURE(bad);
    CHECK(json_error<Bytes>(bad).find("illegal base64 data") == 0);
  }
  CHECK(json_error<Bytes>("[256]") == "256 does not fit into uint8");
}

TEST_CASE("arrays drop what is too much and zero what is missing") {
  using Pair = std::array<int, 2>;
  CHECK(from_json<Pair>("[1,2,3,[4]]") == Pair{1, 2});
  CHECK(from_json<Pair>("[1]", Pair{7, 7}) == Pair{1, 0});
  CHECK(from_json<Pair>("[]", Pair{7, 7}) == Pair{0, 0});
  CHECK(from_json<Pair>("null", Pair{7, 8}) == Pair{7, 8});
  CHECK(from_json<std::array<Pair, 2>>("[[1,2],[3,4]]") == std::array<Pair, 2>{{{1, 2}, {3, 4}}});
}

TEST_CASE("tuples want exactly their elements") {
  using Tuple = std::tuple<int, std::string>;
  CHECK(from_json<Tuple>("[1,\"a\"]") == Tuple{1, "a"});
  CHECK(json_error<Tuple>("[1]") == "expected 2 values, found 1");
  CHECK(json_error<Tuple>("[1,\"a\",2]") == "expected 2 values, found more");
  CHECK(from_json<std::pair<int, bool>>("[1,true]") == std::pair<int, bool>(1, true));
}

TEST_CASE("sequences and maps of all sorts") {
  CHECK(from_json<std::vector<bool>>("[true,false,true]") == std::vector<bool>{true, false, true});
  CHECK(from_json<std::set<int>>("[3,1,3]") == std::set<int>{1, 3});
  CHECK(from_json<std::vector<int>>("[1,null,3]") == std::vector<int>{1, 0, 3});
  CHECK(from_json<std::vector<std::optional<int>>>("[1,null]") ==
        std::vector<std::optional<int>>{1, std::nullopt});
  CHECK(from_json<std::unordered_map<std::string, int>>("{\"a\":1,\"b\":2,\"a\":3}") ==
        std::unordered_map<std::string, int>{{"a", 3}, {"b", 2}});
  CHECK(from_json<std::map<Small, int>>("{\"-3\":1}") == std::map<Small, int>{{Small::minus, 1}});
  CHECK(json_error<J>("{\"L\":{}}") == "expected an array, found an object at byte 5 (field J.L)");
  CHECK(json_error<J>("{\"M\":{\"a\":\"y\"}}") ==
        "expected an integer as the key of a map, found \"a\" (field J.M)");
  CHECK(json_error<std::map<std::int8_t, int>>("{\"300\":1}") == "300 does not fit into int8");
  CHECK(json_error<std::map<int, int>>("{\"\":1}") ==
        "expected an integer as the key of a map, found \"\"");
  CHECK(json_error<J>("[1]") == "expected an object, found an array at byte 0");
}

TEST_CASE("errors name the path to the field") {
  CHECK(json_error<Outer>("{\"in\":{\"small\":300}}") ==
        "300 does not fit into int8 (field Outer.in.small)");
  CHECK(json_error<Outer>("{\"list\":[{},{\"small\":true}]}") ==
        "expected an integer, found a boolean at byte 21 (field Outer.list.small)");
  CHECK(json_error<Outer>("{\"map\":{\"x\":{\"small\":-129}}}") ==
        "-129 does not fit into int8 (field Outer.map.small)");
  CHECK(json_error<std::vector<Outer>>("[{\"in\":[]}]") ==
        "expected an object, found an array at byte 7 (field Outer.in)");
  CHECK(json_error<Outer>("{\"in\":{},\"x\":tru}") ==
        "invalid character '}' in a literal at byte 16");
}

TEST_CASE("what nlohmann/json converts is read by the same rules") {
  CHECK(from_json<Imported>("{\"number\":5,\"texts\":[\"\\ud800\",\"\xFF\"]}").texts ==
        std::vector<std::string>{"\xEF\xBF\xBD", "\xEF\xBF\xBD"});
  CHECK(
      from_json<nlohmann::json>("{\"a\":[1,-1,2.5,null,true,\"s\"],\"a\":18446744073709551615}") ==
      nlohmann::json{{"a", 18446744073709551615U}});
  // As doubles are written, which no integer holds.
  for (const double number : {1e20, -1e20, 18446744073709551616.0, -9223372036854777856.0, -0.0}) {
    const nlohmann::json value = number;
    CHECK(from_json<nlohmann::json>(test::to_json(value)) == value);
    CHECK(from_json<nlohmann::json>(test::to_json(value)).is_number_float());
    CHECK(test::to_json(from_json<nlohmann::json>(test::to_json(value))) == test::to_json(value));
  }
  CHECK(from_json<nlohmann::json>("-9223372036854775808").is_number_integer());
  CHECK(json_error<Imported>("{\"number\":\"x\",\"texts\":[]}").find("from_json: ") == 0);
  CHECK(json_error<Imported>("{}").find("from_json: ") == 0);
  CHECK(from_json<Imported>("null", Imported{3, {}}).number == 3);
}

TEST_CASE("one value, and nothing but white space behind it") {
  CHECK(json_error<int>("7 8") == "invalid character '8' behind the value at byte 2");
  CHECK(json_error<int>("7x") == "invalid character 'x' behind the value at byte 1");
  CHECK(json_error<int>("") == "the JSON value ends too early at byte 0");
  CHECK(json_error<int>("  ") == "the JSON value ends too early at byte 2");
  CHECK(from_json<int>("7 \n\t\r") == 7);
}

TEST_CASE("malformed JSON is refused, read or skipped") {
  for (const char* bad : {"{",
                          "}",
                          "[",
                          "]",
                          "{]",
                          "[}",
                          "{\"a\"",
                          "{\"a\":",
                          "{\"a\":1",
                          "{\"a\":1,",
                          "{\"a\":1,}",
                          "{,}",
                          "{'a':1}",
                          "{a:1}",
                          "{1:1}",
                          "{\"a\" 1}",
                          "{\"a\":1 \"b\":2}",
                          "[1,]",
                          "[,1]",
                          "[1 2]",
                          "[1",
                          "[1,",
                          "nul",
                          "nulL",
                          "tru",
                          "True",
                          "falsee",
                          "+1",
                          "-",
                          "01",
                          "-01",
                          "1.",
                          ".5",
                          "1.e1",
                          "1e",
                          "1e+",
                          "0x1",
                          "1_000",
                          "NaN",
                          "Infinity",
                          "-Infinity",
                          "\"",
                          "\"a",
                          "\"a\nb\"",
                          "\"\t\"",
                          "\"\\",
                          "\"\\\"",
                          "\"\\x41\"",
                          "\"\\u12\"",
                          "\"\\u12G4\"",
                          "\"\\u",
                          "\"\\ud800\\u12\"",
                          "/**/1",
                          "1//",
                          "\x00",
                          "\xEF\xBB\xBF{}"}) {
    CAPTURE(bad);
    CHECK(json_error<nlohmann::json>(bad) != "no error");
    const std::string in_field = "{\"skipped\":" + std::string(bad) + "}";
    CHECK(json_error<J>(in_field) != "no error");
  }
}

TEST_CASE("every prefix of a message is refused") {
  const std::string whole =
      "{\"Num1\":-5,\"x\":[{\"y\":[1.5e3,\"\\u00e9\"]},null],\"S\":\"a\\n\",\"B\":"
      "\"AQI=\",\"P\":1,\"L\":[1,2],\"M\":{\"1\":\"x\"}}";
  CHECK(from_json<J>(whole).Num1 == -5);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(json_error<J>(whole.substr(0, size)) != "no error");
    CHECK(json_error<nlohmann::json>(whole.substr(0, size)) != "no error");
  }
}

TEST_CASE("nesting is limited, whether it is read or skipped") {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  const std::string too_deep = "the value is nested more than 100 deep";
  CHECK(json_error<nlohmann::json>(nested(100, "[", "]")) == "no error");
  CHECK(json_error<nlohmann::json>(nested(101, "[", "]")) == too_deep);
  CHECK(json_error<nlohmann::json>(nested(100'000, "[", "]")) == too_deep);
  CHECK(json_error<nlohmann::json>(nested(100'000, "{\"a\":", "}")) == too_deep);
  CHECK(json_error<J>("{\"x\":" + nested(99, "[", "]") + "}") == "no error");
  CHECK(json_error<J>("{\"x\":" + nested(100, "[", "]") + "}") == too_deep);
  CHECK(json_error<J>("{\"x\":" + nested(100'000, "[", "]") + "}") == too_deep);
  CHECK(json_error<std::tuple<>>(nested(100'000, "[", "]")) != "no error");
  CHECK(json_error<Chain>(nested(100'000, "{\"k\":[", "]}")).find(too_deep) == 0);
  CHECK(json_error<Chain>(nested(50, "{\"k\":[", "]}")) == "no error");
  CHECK(test::error_of([&] {
          test::decode<nlohmann::json>(geerpc::json_codec(), nested(4, "[", "]"), nullptr, {3});
        }) == "the value is nested more than 3 deep");
}

TEST_CASE("arguments come as nothing, as themselves or as an array") {
  const auto decode = [](std::string_view in, auto args) {
    geerpc::detail::decode_args(geerpc::json_codec(), in, args);
    return args;
  };
  for (const char* any : {"null", "{}", "{\"a\":[1]}", "5", "[]", "\"x\""}) {
    CAPTURE(any);
    CHECK_NOTHROW(decode(any, std::tuple<>()));
  }
  CHECK_THROWS_AS(decode("{", std::tuple<>()), geerpc::Error);
  CHECK_THROWS_AS(decode("{} {}", std::tuple<>()), geerpc::Error);
  CHECK(std::get<0>(decode("5", std::tuple<int>(3))) == 5);
  CHECK(std::get<0>(decode("null", std::tuple<int>(3))) == 3);
  CHECK(decode("[1,\"a\"]", std::tuple<int, std::string>()) ==
        std::tuple<int, std::string>{1, "a"});
  CHECK_THROWS_AS(decode("[1]", std::tuple<int, std::string>()), geerpc::Error);
  CHECK_THROWS_AS(decode("1", std::tuple<int, std::string>()), geerpc::Error);
}
