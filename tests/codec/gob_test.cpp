// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What gob does with C++ types that have no counterpart in the golden vectors, and with streams.

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "codec/codec_test.hpp"
#include "codec/go_types.hpp"

namespace {

using geerpc::Buffer;
using geerpc::Error;
using geerpc::gob_codec;
using geerpc::detail::append_early;
using geerpc::detail::decode_args;
using geerpc::detail::encode_args;

enum class Color : std::uint8_t { red, green = 200 };

struct Mixed {
  Color color = Color::red;
  char letter = 'x';
  double real = 1;
  std::optional<int> maybe = 1;
  std::optional<std::string> text = "t";
  std::optional<std::vector<int>> list = std::vector<int>{1};
  std::shared_ptr<go::Point> point;
  std::chrono::seconds wait{0};
  std::chrono::system_clock::time_point when;
};
GEERPC_FIELDS(Mixed, color, letter, real, maybe, text, list, point, wait, when)

struct Letters {
  char letter = 0, other = 'o';
};
GEERPC_FIELDS(Letters, letter, other)
// As one who leaves out what the other one would send.
struct Timed {
  std::chrono::system_clock::time_point when;
  std::vector<int> items{1};
  go::Point point{5, 6};
};
GEERPC_FIELDS(Timed, when, items, point)
struct Untimed {
  std::optional<std::chrono::system_clock::time_point> when;
  std::optional<std::vector<int>> items;
  std::optional<go::Point> point;
};
GEERPC_FIELDS(Untimed, when, items, point)

// Known to nlohmann/json alone.
struct Foreign {
  int value = 0;
};
void to_json(nlohmann::json& json, const Foreign& f) { json = {{"value", f.value}}; }
void from_json(const nlohmann::json& json, Foreign& f) { json.at("value").get_to(f.value); }

struct Nested {
  int depth = 0;
  std::unique_ptr<Nested> inner;
};
GEERPC_FIELDS(Nested, depth, inner)

Nested nested(int depth) {
  Nested outer;
  for (Nested* at = &outer; --depth > 0; at = at->inner.get())
    at->inner = std::make_unique<Nested>();
  return outer;
}

template <class T>
std::string hex(const T& value) {
  return go::to_hex(test::encode(gob_codec(), value));
}
template <class To, class From>
To convert(const From& value) {
  return test::decode<To>(gob_codec(), test::encode(gob_codec(), value));
}
template <class To, class From>
std::string convert_error(const From& value) {
  return test::error_of([&] { convert<To>(value); });
}

}  // namespace

TEST_SUITE("gob") {
  TEST_CASE("what an optional holds is sent, zero or not, and so is -0.0") {
    Mixed mixed;
    mixed.letter = 0;
    mixed.real = -0.0;
    mixed.maybe = 0;
    mixed.text = "";
    mixed.list = std::vector<int>();
    const auto got = convert<Mixed>(mixed);
    CHECK(std::signbit(got.real));
    CHECK(got.maybe == 0);
    CHECK(got.text == "");
    CHECK(got.list == std::vector<int>());
    mixed.maybe.reset();
    mixed.list.reset();
    CHECK_FALSE(convert<Mixed>(mixed).maybe);
    CHECK_FALSE(convert<Mixed>(mixed).list);
  }

  TEST_CASE("what the sender has and leaves out is zero; what it does not have keeps its default") {
    Mixed zero{};
    zero.letter = 0;
    zero.real = 0;
    zero.maybe.reset();
    zero.text.reset();
    zero.list.reset();
    const std::string stream = test::encode(gob_codec(), zero);
    const auto got = test::decode<Mixed>(gob_codec(), stream);
    CHECK(got.letter == 0);
    CHECK(got.real == 0);
    CHECK_FALSE(got.text);
    const auto mixed = convert<Mixed>(Letters{});
    CHECK(mixed.letter == 0);
    CHECK(mixed.real == 1);
    CHECK(mixed.maybe == 1);
    // A Go program leaves its zero time out, too.
    const auto timed = convert<Timed>(Untimed{});
    CHECK(timed.when == (std::chrono::system_clock::time_point::min)());
    CHECK(timed.items == std::vector<int>{});
    CHECK(timed.point.X == 5);
  }

  TEST_CASE("enumerators, characters, pointers, durations and times are what they are in Go") {
    Mixed mixed;
    mixed.color = Color::green;
    mixed.letter = 'a';
    mixed.point = std::make_shared<go::Point>();
    mixed.wait = std::chrono::seconds(2);
    mixed.when += std::chrono::nanoseconds(5);
    const auto got = convert<Mixed>(mixed);
    CHECK(got.color == Color::green);
    CHECK(got.letter == 'a');
    CHECK(got.point != nullptr);
    CHECK(got.wait == std::chrono::seconds(2));
    CHECK(got.when == mixed.when);
    CHECK(convert<std::int64_t>(std::chrono::seconds(2)) == 2000000000);
    CHECK(convert<unsigned>(Color::green) == 200);
    CHECK(convert_error<Color>(256u) == "value for \"*uint8\" out of range");
  }

  TEST_CASE("a time has Go's zero time, its zones and its errors") {
    using Time = std::chrono::system_clock::time_point;
    CHECK(convert<Time>((Time::min)()) == (Time::min)());
    // 12:00 at +01:00, with and without seconds in the zone: the moment is in UTC all the same.
    for (const char* text :
         {"10ff810501010454696d6501ff8200000013ff82000f010000000ed59f54a500000006003c",
          "10ff810501010454696d6501ff8200000014ff820010020000000ed59f54a500000006003c01"}) {
      const auto time = test::decode<Time>(gob_codec(), go::from_hex(text));
      CHECK(time.time_since_epoch() == std::chrono::nanoseconds(1577934245000000006));
    }
    for (const char* value : {"13ff82000f030000000ed59f54a500000006ffff",     // version 3
                              "12ff82000e010000000ed59f54a500000006ff",       // too short
                              "13ff82000f010000000ed59f54a53b9aca00ffff"}) {  // 10^9 nanoseconds
      const std::string stream =
          go::from_hex("10ff810501010454696d6501ff82000000" + std::string(value));
      CHECK(test::decode_error<Time>(gob_codec(), stream) == "gob: not a time");
    }
    const std::string far =
        go::from_hex("10ff810501010454696d6501ff8200000013ff82000f017f00000ed59f54a500000006ffff");
    CHECK(test::decode_error<Time>(gob_codec(), far) ==
          "a time or duration beyond the range of its type");
    // Counted from the year 1, the last seconds do not fit into 64 bits with a sign.
    using Seconds = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;
    CHECK(convert<Seconds>((Seconds::max)()) == (Seconds::max)());
  }

  TEST_CASE("containers of all kinds are slices and maps, tuples are structs") {
    using Ints = std::vector<int>;
    CHECK(convert<Ints>(std::list<int>{1, 2}) == Ints{1, 2});
    CHECK(convert<std::set<int>>(Ints{2, 1, 2}) == std::set<int>{1, 2});
    CHECK(convert<std::deque<std::string>>(std::vector<const char*>{"a", "b"}).size() == 2);
    CHECK(convert<std::map<std::string, int>>(std::unordered_map<std::string, int>{{"a", 1}})
              .at("a") == 1);
    CHECK(convert<std::vector<std::byte>>(go::Bytes{7}) == std::vector<std::byte>{std::byte{7}});
    using Pair = std::pair<int, std::string>;
    CHECK(convert<Pair>(std::make_tuple(5, std::string("x"))) == Pair(5, "x"));
    CHECK(hex(Pair(5, "x")) ==
          "1aff81030102ff820001020102463001040001024631010c00000008ff8201"
          "0a01017800");
    std::tuple<int, int, int, int, int, int, int, int, int, int, int> eleven{};
    std::get<10>(eleven) = 7;
    CHECK(std::get<10>(convert<decltype(eleven)>(eleven)) == 7);
    CHECK(test::encode(gob_codec(), eleven).find("F10") != std::string::npos);
    CHECK(hex("text") == hex(std::string("text")));
    CHECK(hex(std::string_view("text")) == hex(std::string("text")));
  }

  TEST_CASE("what only nlohmann/json converts is JSON text in bytes") {
    const std::string text = test::encode(gob_codec(), Foreign{5});
    CHECK(go::to_hex(text.substr(0, 4)) == "0e0a000b");
    CHECK(text.substr(4) == "{\"value\":5}");
    CHECK(test::decode<Foreign>(gob_codec(), text).value == 5);
    const nlohmann::json json = {{"a", {1, 2.5, "x", nullptr}}};
    CHECK(test::decode<nlohmann::json>(gob_codec(), test::encode(gob_codec(), json)) == json);
    CHECK(convert_error<Foreign>(go::Bytes{'{'}) != "no error");
    CHECK(convert_error<Foreign>(1) ==
          "gob: decoding into local type *[]uint8, received remote type int");
    geerpc::Buffer out;
    gob_codec().encode(json, out);
    CHECK(gob_codec().decode(out.view(), {}) == json);
  }

  TEST_CASE("a pointer to nothing can't be sent where a value must be") {
    CHECK(test::error_of([] { hex(std::optional<int>()); }) ==
          "gob: cannot encode nil pointer of type *int32");
    CHECK(test::error_of([] { hex(std::vector<std::unique_ptr<int>>(1)); }) ==
          "gob: encodeReflectValue: nil element");
    CHECK(convert<int>(std::make_unique<int>(3)) == 3);
    CHECK(*convert<std::unique_ptr<std::optional<int>>>(3) == 3);
  }

  TEST_CASE("no argument is an empty struct, one is itself, several are a struct of F0, F1, …") {
    const auto args = [](const auto&... each) {
      Buffer out;
      encode_args(gob_codec(), out, each...);
      return std::string(out.view());
    };
    CHECK(go::to_hex(args()) == "0aff81030102ff8200000003ff8200");
    CHECK(args(5) == test::encode(gob_codec(), 5));
    CHECK(args(5, "x") == test::encode(gob_codec(), std::make_pair(5, std::string("x"))));
    std::tuple<int, std::string> two;
    decode_args(gob_codec(), args(5, "x"), two);
    CHECK(two == std::tuple<int, std::string>(5, "x"));
    std::tuple<std::optional<int>> one;
    decode_args(gob_codec(), args(5), one);
    CHECK(std::get<0>(one) == 5);
    std::tuple<> none;
    decode_args(gob_codec(), args(5, "x"), none);
    decode_args(gob_codec(), "anything", none);
    std::tuple<int, int> wrong;
    CHECK(test::error_of([&] { decode_args(gob_codec(), args(5, "x"), wrong); }) ==
          "gob: wrong type (int32) for received field .F1");
    // Literals of different lengths are of one type.
    go::Stream out;
    Buffer text;
    encode_args(out.codec, text, 1, "a");
    const std::size_t first = text.size();
    encode_args(out.codec, text, 1, "bcd");
    CHECK(out.state.sent.size() == 1);
    CHECK(text.size() - first < first);
  }

  TEST_CASE("no result is an empty struct, too, and no JSON text") {
    Buffer none, empty;
    geerpc::detail::encode_nothing(gob_codec(), none);
    geerpc::detail::encode(gob_codec(), empty, std::monostate());
    CHECK(none.view() == empty.view());
  }

  TEST_CASE("a type is described once per stream, and again if its description did not leave") {
    const std::string definition =
        "24ff81030101044172677301ff8200010201044e756d3101040001044e756d320104000000";
    go::Stream out;
    Buffer first, second;
    geerpc::detail::encode(out.codec, first, go::Args{3, 4});
    CHECK(go::to_hex(first.view()) == definition + "07ff820106010800");
    geerpc::detail::encode(out.codec, second, go::Args{3, 4});
    CHECK(go::to_hex(second.view()) == "07ff820106010800");
    out.state.sent.truncate(0);
    second.clear();
    geerpc::detail::encode(out.codec, second, go::Args{3, 4});
    CHECK(second.view() == first.view());
    // Those that came later take the numbers that have become free.
    geerpc::detail::encode(out.codec, second, go::Tree());
    CHECK(out.state.sent.size() == 3);
    out.state.sent.truncate(1);
    second.clear();
    geerpc::detail::encode(out.codec, second, go::Point{1, 2});
    CHECK(go::to_hex(second.view()).substr(0, 6) == "1fff83");
  }

  TEST_CASE("what was encoded early becomes part of the stream that it is sent on") {
    const geerpc::Codec& early = geerpc::detail::early_codec(geerpc::gob_codec());
    Buffer early_args, early_text, early_two;
    encode_args(early, early_args, go::Args{3, 4});
    encode_args(early, early_text, "text");
    encode_args(early, early_two, 1, go::Point{1, 2});
    go::Stream out, expected;
    Buffer text, expected_text;
    for (int i = 0; i < 2; ++i) {
      append_early(out.codec, text, early_args.view());
      append_early(out.codec, text, early_text.view());
      append_early(out.codec, text, early_two.view());
      encode_args(expected.codec, expected_text, go::Args{3, 4});
      encode_args(expected.codec, expected_text, "text");
      encode_args(expected.codec, expected_text, 1, go::Point{1, 2});
    }
    CHECK(go::to_hex(text.view()) == go::to_hex(expected_text.view()));
  }

  TEST_CASE("messages of all lengths have their length in front, also lent ones") {
    for (const std::size_t size :
         {0u,   1u,   100u, 123u, 124u,   125u,   126u,   127u,   128u,   251u,  252u,
          253u, 254u, 255u, 256u, 65530u, 65531u, 65532u, 65533u, 65536u, 70000u}) {
      CAPTURE(size);
      const std::string text(size, 'x');
      CHECK(test::decode<std::string>(gob_codec(), test::encode(gob_codec(), text)) == text);
      // Behind the text there is more, and the estimate of the length is too low.
      go::Item item;
      item.Name = text;
      item.Tags = {text, "y"};
      const auto got = convert<go::Item>(item);
      CHECK(got.Name == text);
      CHECK(got.Tags == item.Tags);
      Buffer lending;
      lending.let_borrow(true);
      geerpc::detail::encode(gob_codec(), lending, text);
      const std::string lent(lending.has_lent() ? lending.take_lent() : "");
      CHECK(std::string(lending.view()) + lent == test::encode(gob_codec(), text));
      if (size < 16384 || size == 70000) CHECK(lent.empty() == (size < 16384));
    }
  }

  TEST_CASE("a peer may give types any numbers, and describe one shape several times") {
    std::string stream;
    go::Stream in;
    for (int i = 0; i < 1000; ++i) {
      // AB, numbered with gaps; then AB{1, 2} of that type.
      Buffer text;
      geerpc::detail::GobWriter writer(text);
      const int id = 64 + 1000003 * i % 7919 * 11;
      std::size_t start = writer.begin_message(0);
      writer.integer(-id);
      text.append(go::from_hex("03 02 02 01 01 41 01 04 00 01 01 42 01 04 00 00 00"));
      writer.end_message(start);
      start = writer.begin_message(0);
      writer.integer(id);
      text.append(go::from_hex("01 02 01 04 00"));
      writer.end_message(start);
      const std::string_view value = in.value_in(text.view());
      go::AB ab;
      geerpc::detail::decode(in.codec, value, ab);
      CHECK(ab.B == 2);
      CHECK(in.state.seen.find(id) != nullptr);
      CHECK(in.state.seen.find(id + 1) == nullptr);
    }
  }

  TEST_CASE("several threads decode while another one learns types") {
    go::Stream in;
    const std::string tree = test::encode(gob_codec(), [] {
      go::Tree top;
      top.Kids.push_back(std::make_unique<go::Tree>());
      top.Kids[0]->V = 7;
      return top;
    }());
    const std::string_view value = in.value_in(tree);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          go::Tree got;
          geerpc::detail::decode(in.codec, value.substr(0, in.scanner.size()), got);
          if (got.Kids.at(0)->V != 7) ++wrong;
        }
      });
    }
    geerpc::detail::GobScanner learner(in.state.seen, 100);
    for (int id = 1000; id < 2000; ++id) {
      Buffer text;
      geerpc::detail::GobWriter writer(text);
      const std::size_t start = writer.begin_message(0);
      writer.integer(-id);
      text.append(go::from_hex("02 02 04 00 00"));  // []int
      writer.end_message(start);
      learner.scan(text.view());
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(in.state.seen.find(1999) != nullptr);
  }

  TEST_CASE("encoding goes no deeper than 100 levels, and decoding than its limit") {
    CHECK_NOTHROW(hex(nested(100)));
    CHECK(test::error_of([] { hex(nested(101)); }) == "the value is nested more than 100 deep");
    const std::string fifty = test::encode(gob_codec(), nested(50));
    CHECK_NOTHROW(test::decode<Nested>(gob_codec(), fifty, {}, {50}));
    CHECK(test::error_of([&] { test::decode<Nested>(gob_codec(), fifty, {}, {49}); }) ==
          "the value is nested more than 49 deep");
  }
}
