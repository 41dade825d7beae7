// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What we write is what Go's encoding/json writes: the expected texts were printed by Go 1.19.

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <geerpc/geerpc.hpp>

#include "codec/codec_test.hpp"

// Has a name, since one of the two functions that the macro makes is not used here.
namespace json_encode_test {

struct Exported {
  int number = 5;
  std::vector<std::string> texts{"<", "\xFF"};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Exported, number, texts)

}  // namespace json_encode_test

namespace {

using json_encode_test::Exported;
using test::error_of;
using test::to_json;

struct Point {
  int X = 0, Y = 0;
};
GEERPC_FIELDS(Point, X, Y)

struct Empty {};
GEERPC_FIELDS(Empty)

struct Bits {
  bool B = true;
  std::int8_t I8 = -1;
  std::uint8_t U8 = 200;
  float F32 = 1.5F;
  double F64 = -2.25;
  std::string S = "s";
  std::vector<std::uint8_t> Bs{1, 2};
};
GEERPC_FIELDS(Bits, B, I8, U8, F32, F64, S, Bs)

struct Pointers {
  std::optional<int> I;
  std::unique_ptr<Point> P;
  std::shared_ptr<Point> PP;
};
GEERPC_FIELDS(Pointers, I, P, PP)

struct Tree {
  int V = 0;
  std::vector<Tree> Kids;
};
GEERPC_FIELDS(Tree, V, Kids)

struct List {
  double value = 0;
  std::unique_ptr<List> next;
};
GEERPC_FIELDS(List, value, next)

struct Odd {
  int a = 1, b = 2;
};
GEERPC_FIELDS_AS(Odd, (a, "a<\"b\""), (b, "\xC3\xA9"))

struct Thrower {};
void to_json(nlohmann::json&, const Thrower&) { throw std::runtime_error("no such luck"); }

enum class Signed : std::int8_t { minus = -3 };
enum Plain { plain = 3 };

}  // namespace

TEST_CASE("integers are written in full") {
  CHECK(to_json(0) == "0");
  CHECK(to_json(-65) == "-65");
  CHECK(to_json(std::int8_t{-128}) == "-128");
  CHECK(to_json(std::uint8_t{255}) == "255");
  CHECK(to_json('a') == "97");
  CHECK(to_json(1099511627776) == "1099511627776");
  CHECK(to_json((std::numeric_limits<std::int64_t>::min)()) == "-9223372036854775808");
  CHECK(to_json((std::numeric_limits<std::int64_t>::max)()) == "9223372036854775807");
  CHECK(to_json((std::numeric_limits<std::uint64_t>::max)()) == "18446744073709551615");
  CHECK(to_json(Signed::minus) == "-3");
  CHECK(to_json(plain) == "3");
  CHECK(to_json(true) == "true");
  CHECK(to_json(false) == "false");
}

TEST_CASE("floating-point numbers have the fewest digits and Go's exponents") {
  CHECK(to_json(0.0) == "0");
  CHECK(to_json(-0.0) == "-0");
  CHECK(to_json(1.0) == "1");
  CHECK(to_json(17.0) == "17");
  CHECK(to_json(0.1) == "0.1");
  CHECK(to_json(-2.25) == "-2.25");
  CHECK(to_json(3.141592653589793) == "3.141592653589793");
  CHECK(to_json(1.23456789e+08) == "123456789");
  CHECK(to_json(1e20) == "100000000000000000000");
  CHECK(to_json(1e21) == "1e+21");
  CHECK(to_json(1.5e21) == "1.5e+21");
  CHECK(to_json(1e100) == "1e+100");
  CHECK(to_json(1e-6) == "0.000001");
  CHECK(to_json(1.25e-6) == "0.00000125");
  CHECK(to_json(1e-7) == "1e-7");
  CHECK(to_json(1e-10) == "1e-10");
  CHECK(to_json(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(to_json(5e-324) == "5e-324");
  // Digits beyond the fewest are zeros, not those of the exact value 123456789012345683968.
  CHECK(to_json(123456789012345678901.0) == "123456789012345680000");
  CHECK(to_json(1.5F) == "1.5");
  CHECK(to_json(0.1F) == "0.1");
  CHECK(to_json(16777216.0F) == "16777216");
}

TEST_CASE("NaN and infinity are refused with the field's name") {
  const List list{1, std::make_unique<List>(List{std::nan(""), nullptr})};
  CHECK(error_of([&] { to_json(list); }) ==
        "JSON has no NaN and no infinity (field List.next.value)");
  CHECK(error_of([] { to_json(std::numeric_limits<float>::infinity()); }) ==
        "JSON has no NaN and no infinity");
}

TEST_CASE("strings are escaped as Go escapes them") {
  CHECK(to_json("") == "\"\"");
  CHECK(to_json("hello") == "\"hello\"");
  CHECK(to_json("h\xC3\xA9llo, \xE4\xB8\x96\xE7\x95\x8C \xF0\x9F\x8C\x8D") ==
        "\"h\xC3\xA9llo, \xE4\xB8\x96\xE7\x95\x8C \xF0\x9F\x8C\x8D\"");
  CHECK(to_json(std::string("a\0b", 3)) == "\"a\\u0000b\"");
  CHECK(to_json("<&>\"\\/\n\r\t\x01\x7F\xE2\x80\xA8\xE2\x80\xA9") ==
        "\"\\u003c\\u0026\\u003e\\\"\\\\/\\n\\r\\t\\u0001\x7F\\u2028\\u2029\"");
  CHECK(to_json("\b\f\x1F") == "\"\\u0008\\u000c\\u001f\"");
  CHECK(to_json(std::string_view("view")) == "\"view\"");
  CHECK(to_json(std::string(128, 'x')) == '"' + std::string(128, 'x') + '"');
  const char* const nothing = nullptr;
  CHECK(to_json(nothing) == "\"\"");
  const char buffer[8] = "ab";
  CHECK(to_json(buffer) == "\"ab\"");
}

TEST_CASE("each byte that is not UTF-8 becomes a replacement character") {
  CHECK(to_json("\xFF\xFE invalid") == "\"\\ufffd\\ufffd invalid\"");
  CHECK(to_json("\xC0\x80") == "\"\\ufffd\\ufffd\"");                        // overlong
  CHECK(to_json("\xE0\x9F\xBF") == "\"\\ufffd\\ufffd\\ufffd\"");             // overlong
  CHECK(to_json("\xED\xA0\x80") == "\"\\ufffd\\ufffd\\ufffd\"");             // a surrogate
  CHECK(to_json("\xF4\x90\x80\x80") == "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");  // > U+10FFFF
  CHECK(to_json("\xF4\x8F\xBF\xBF") == "\"\xF4\x8F\xBF\xBF\"");              // U+10FFFF
  CHECK(to_json("cut \xE4\xB8") == "\"cut \\ufffd\\ufffd\"");
}

TEST_CASE("a special character is found wherever it stands") {
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      text[at] = '<';
      CHECK(to_json(text) ==
            '"' + std::string(at, 'x') + "\\u003c" + std::string(length - at - 1, 'x') + '"');
    }
  }
}

TEST_CASE("bytes are base64") {
  using Bytes = std::vector<std::uint8_t>;
  CHECK(to_json(Bytes{}) == "\"\"");
  CHECK(to_json(Bytes{1}) == "\"AQ==\"");
  CHECK(to_json(Bytes{1, 2}) == "\"AQI=\"");
  CHECK(to_json(Bytes{0, 1, 127, 128, 255}) == "\"AAF/gP8=\"");
  CHECK(to_json(std::vector<std::byte>{std::byte{0xFB}, std::byte{0xFF}}) == "\"+/8=\"");
  CHECK(to_json(std::vector<Bytes>{{1}, {}}) == "[\"AQ==\",\"\"]");
  CHECK(to_json(std::array<std::uint8_t, 4>{0, 1, 127, 255}) == "[0,1,127,255]");
}

TEST_CASE("sequences, arrays and tuples are arrays") {
  CHECK(to_json(std::vector<int>{}) == "[]");
  CHECK(to_json(std::vector<int>{0, -1, 3}) == "[0,-1,3]");
  CHECK(to_json(std::vector<bool>{true, false}) == "[true,false]");
  CHECK(to_json(std::vector<std::vector<int>>{{1}, {}, {2, 3}}) == "[[1],[],[2,3]]");
  CHECK(to_json(std::set<std::string>{"b", "a"}) == "[\"a\",\"b\"]");
  CHECK(to_json(std::list<Empty>(2)) == "[{},{}]");
  CHECK(to_json(std::array<std::array<int, 2>, 2>{{{1, 2}, {3, 4}}}) == "[[1,2],[3,4]]");
  CHECK(to_json(std::make_pair(1, "one")) == "[1,\"one\"]");
  CHECK(to_json(std::make_tuple(1, 2.5, Point{1, 2})) == "[1,2.5,{\"X\":1,\"Y\":2}]");
  CHECK(to_json(std::tuple<>()) == "[]");
}

TEST_CASE("maps are sorted by their keys as text") {
  CHECK(to_json(std::map<std::string, int>{}) == "{}");
  CHECK(to_json(std::map<std::string, int>{{"b", 2}, {"a", 1}}) == "{\"a\":1,\"b\":2}");
  CHECK(to_json(std::map<int, std::string>{{-1, "x"}}) == "{\"-1\":\"x\"}");
  CHECK(to_json(std::map<int, int>{{9, 1}, {10, 2}, {-1, 3}}) == "{\"-1\":3,\"10\":2,\"9\":1}");
  CHECK(to_json(std::map<std::string, int, std::greater<>>{{"a", 1}, {"b", 2}}) ==
        "{\"a\":1,\"b\":2}");
  CHECK(to_json(std::unordered_map<std::string, Point>{{"k", {1, 0}}, {"a", {}}}) ==
        "{\"a\":{\"X\":0,\"Y\":0},\"k\":{\"X\":1,\"Y\":0}}");
  CHECK(to_json(std::map<Signed, bool>{{Signed::minus, true}}) == "{\"-3\":true}");
  CHECK(to_json(std::map<std::string, int>{{"<\xFF", 1}}) == "{\"\\u003c\\ufffd\":1}");
}

TEST_CASE("structs are objects in the order of their tables") {
  CHECK(to_json(Point{22, 33}) == "{\"X\":22,\"Y\":33}");
  CHECK(to_json(Empty{}) == "{}");
  CHECK(to_json(std::monostate()) == "{}");
  CHECK(to_json(Bits{}) ==
        "{\"B\":true,\"I8\":-1,\"U8\":200,\"F32\":1.5,\"F64\":-2.25,\"S\":\"s\",\"Bs\":\"AQI=\"}");
  CHECK(to_json(Tree{1, {{2, {}}, {3, {{4, {}}}}}}) ==
        "{\"V\":1,\"Kids\":[{\"V\":2,\"Kids\":[]},{\"V\":3,\"Kids\":[{\"V\":4,\"Kids\":[]}]}]}");
  CHECK(to_json(std::vector<Point>{{1, 2}, {}}) == "[{\"X\":1,\"Y\":2},{\"X\":0,\"Y\":0}]");
  CHECK(to_json(Odd{}) == "{\"a\\u003c\\\"b\\\"\":1,\"\xC3\xA9\":2}");
}

TEST_CASE("what can be null is null or the value") {
  CHECK(to_json(Pointers{}) == "{\"I\":null,\"P\":null,\"PP\":null}");
  CHECK(to_json(Pointers{7, std::make_unique<Point>(), std::make_shared<Point>(Point{1, 2})}) ==
        "{\"I\":7,\"P\":{\"X\":0,\"Y\":0},\"PP\":{\"X\":1,\"Y\":2}}");
}

TEST_CASE("what nlohmann/json converts is written by the same rules") {
  CHECK(to_json(Exported{}) == "{\"number\":5,\"texts\":[\"\\u003c\",\"\\ufffd\"]}");
  CHECK(to_json(std::vector<Exported>(1)) ==
        "[{\"number\":5,\"texts\":[\"\\u003c\",\"\\ufffd\"]}]");
  const nlohmann::json value = {{"k", {1, -1, 2.5, nullptr, true, "s"}}, {"a", 1e21}};
  CHECK(to_json(value) == "{\"a\":1e+21,\"k\":[1,-1,2.5,null,true,\"s\"]}");
  CHECK(to_json(nlohmann::json::binary({1, 2})) == "\"AQI=\"");
  CHECK(error_of([] { to_json(Thrower{}); }) == "to_json: no such luck");
}

TEST_CASE("a value that is nested too deep to be received is not sent") {
  Tree tree;
  Tree* leaf = &tree;
  for (int depth = 2; depth <= 100; depth += 2) {
    leaf->Kids.resize(1);
    leaf = &leaf->Kids[0];
  }
  CHECK(error_of([&] { to_json(tree); }).find("nested more than 100 deep (field Tree.Kids.Kids") ==
        13);
  nlohmann::json dom;
  for (int depth = 0; depth < 100'000; ++depth) dom = nlohmann::json::array({std::move(dom)});
  CHECK(error_of([&] { to_json(dom); }) == "the value is nested more than 100 deep");
}

TEST_CASE("arguments travel as nothing, as themselves or as an array") {
  geerpc::Buffer out;
  geerpc::detail::encode_args(geerpc::json_codec(), out);
  out.append(" ");
  geerpc::detail::encode_args(geerpc::json_codec(), out, Point{1, 2});
  out.append(" ");
  geerpc::detail::encode_args(geerpc::json_codec(), out, 1, "two", 3.5);
  CHECK(out.view() == "null {\"X\":1,\"Y\":2} [1,\"two\",3.5]");
}
