// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Gob that lies, is cut, or wants to cost us more than it cost its sender.

#include <doctest/doctest.h>

#include <ctime>
#include <set>
#include <string>
#include <vector>

#include "codec/codec_test.hpp"
#include "codec/go_types.hpp"

namespace {

using geerpc::Buffer;
using geerpc::Error;
using geerpc::gob_codec;
using geerpc::json_codec;
using geerpc::StatusCode;
using geerpc::detail::GobReader;
using geerpc::detail::GobScanner;
using geerpc::detail::GobWriter;

// Golden vectors as one stream each, with the C++ type of the first value.
struct Sample {
  std::string type, stream;
};
std::vector<Sample> samples() {
  std::vector<Sample> result;
  for (const auto& entry : nlohmann::json::parse(go::read_data("gob_golden.json"))) {
    const std::string type = go::without_main(entry.at("go_types").at(0).get<std::string>());
    result.push_back({type, go::from_hex(entry.at("gob").at(0).get<std::string>())});
  }
  return result;
}

// How decoding ends: "ok", or the error's text. Anything but an Error is a failure of the test. The
// memory is of exactly the right size, for sanitizers.
std::string decode(const std::string& type, std::string_view in) {
  const auto found = go::types().find(type);
  const auto transcode = found == go::types().end() ? go::types().at("AB") : found->second;
  const std::unique_ptr<char[]> exact(new char[in.size() + (in.empty() ? 1 : 0)]);
  in.copy(exact.get(), in.size());
  try {
    Buffer out;
    transcode(gob_codec(), {exact.get(), in.size()}, gob_codec(), out, "");
    return "ok";
  } catch (const Error& error) {
    return error.cause();
  }
}

std::string message(std::string_view contents) {
  Buffer out;
  GobWriter writer(out);
  const std::size_t start = writer.begin_message(0);
  writer.raw(contents);
  writer.end_message(start);
  return std::string(out.view());
}
std::string integer(std::int64_t value) {
  Buffer out;
  GobWriter(out).integer(value);
  return std::string(out.view());
}
std::string natural(std::uint64_t value) {
  Buffer out;
  GobWriter(out).uint(value);
  return std::string(out.view());
}

// Definitions, without names: [](type), [n](type), map[key](type), struct{A type; …}.
std::string slice_type(int id, int element) {
  return message(integer(-id) + "\x02\x02" + integer(element) + std::string(2, '\0'));
}
std::string array_type(int id, int element, std::int64_t n) {
  return message(integer(-id) + "\x01\x02" + integer(element) + "\x01" + integer(n) +
                 std::string(2, '\0'));
}
std::string map_type(int id, int key, int element) {
  return message(integer(-id) + "\x04\x02" + integer(key) + "\x01" + integer(element) +
                 std::string(2, '\0'));
}
std::string struct_type(int id, const std::vector<std::pair<std::string, int>>& fields) {
  std::string text = integer(-id) + "\x03\x02" + natural(fields.size());
  for (const auto& [name, type] : fields) {
    text += "\x01" + natural(name.size()) + name + "\x01" + integer(type) + '\0';
  }
  return message(text + std::string(2, '\0'));
}

// The time that something takes, so that "bounded" can be checked roughly: no quadratic work.
template <class F>
double seconds_of(F f) {
  const auto now = [] {  // of this thread: what else the machine is busy with does not count
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  const double start = now();
  f();
  return now() - start;
}

}  // namespace

TEST_SUITE("bad gob") {
  TEST_CASE("a stream that is cut anywhere is an error, and never read beyond") {
    for (const Sample& sample : samples()) {
      CAPTURE(sample.type);
      for (std::size_t size = 0; size < sample.stream.size(); ++size) {
        const std::string outcome = decode(sample.type, sample.stream.substr(0, size));
        CHECK(outcome == (size == 0 ? "EOF" : "unexpected EOF"));
      }
    }
  }

  TEST_CASE("a stream with any byte changed is an error or another value, nothing else") {
    std::size_t good = 0, bad = 0;
    for (const Sample& sample : samples()) {
      CAPTURE(sample.type);
      std::string stream = sample.stream;
      for (char& byte : stream) {
        const char original = byte;
        for (const int change : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, 0x7F}) {
          byte = static_cast<char>(original ^ change);
          (decode(sample.type, stream) == "ok" ? good : bad) += 1;
        }
        byte = original;
      }
    }
    CHECK(good > 1000);
    CHECK(bad > 10000);
  }

  TEST_CASE("lengths and counts are compared with what is there before memory is taken") {
    const std::string huge = natural(std::uint64_t{1} << 40);
    const std::string lead = std::string(1, '\0');
    CHECK(decode("string", message("\x0c" + lead + huge + "x")) ==
          "gob: bad string slice length: 1099511627776");
    CHECK(decode("[]uint8", message("\x0a" + lead + huge + "x")) ==
          "gob: bad string slice length: 1099511627776");
    for (const char* type : {"[]int", "[]string", "[]bool", "[][]int", "[]Item", "[]Empty"}) {
      CAPTURE(type);
      const std::string name = type;
      const std::string definitions = name == "[]Item" || name == "[]Empty"
                                          ? struct_type(65, {{"Name", 6}})
                                      : name == "[][]int" ? slice_type(65, 2)
                                                          : "";
      const int element = name == "[]int" ? 2 : name == "[]string" ? 6 : name == "[]bool" ? 1 : 65;
      const std::string start = definitions + slice_type(66, element);
      CHECK(decode(type, start + message(integer(66) + lead + huge + std::string(50, '\0'))) ==
            "unexpected EOF");
      CHECK(decode(type, start + message(integer(66) + lead + natural(51) +
                                         std::string(50, '\0'))) == "unexpected EOF");
      CHECK(decode(type, start + message(integer(66) + lead + natural(50) +
                                         std::string(50, '\0'))) == "ok");
    }
    CHECK(decode("map[string]int", map_type(65, 6, 2) + message(integer(65) + lead + huge)) ==
          "unexpected EOF");
    CHECK(decode("[3]int", array_type(65, 2, 3) + message(integer(65) + lead + "\x02\x02\x02")) ==
          "gob: length mismatch in decodeArray");
    CHECK(decode("AB", "\x05" + integer(-65) + "\x03\x02" + "\x7f") == "unexpected EOF");
    // More fields than their message has bytes, though the next one has enough.
    CHECK(decode("AB", message(integer(-65) + "\x03\x02\x03" + std::string(1, '\0')) +
                           message(integer(65) + std::string(9, '\0'))) == "unexpected EOF");
  }

  TEST_CASE("numbers of fields and types, and definitions, that make no sense are errors") {
    const std::string ab = struct_type(65, {{"A", 2}, {"B", 2}});
    CHECK(decode("AB", ab + message(integer(65) + "\x03\x02")) ==
          "gob: bad data: field numbers out of bounds");
    CHECK(decode("AB", ab + message(integer(65) + natural(~0ull) + "\x02")) ==
          "gob: bad data: field numbers out of bounds");
    CHECK(decode("AB", ab + message(integer(65) + "\x02\x02\x01\x02")) ==
          "gob: bad data: field numbers out of bounds");
    CHECK(decode("AB", ab + ab) == "gob: duplicate type received");
    CHECK(decode("AB", message(integer(-65))) == "gob: bad data: empty type definition");
    CHECK(decode("AB", message(integer(-65) + std::string(1, '\0'))) ==
          "gob: bad data: empty type definition");
    CHECK(decode("AB", message(integer(-65) + "\x02\x02\x04" + std::string(1, '\0') +
                               "\x01\x02\x04" + std::string(2, '\0'))) ==
          "gob: bad data: ambiguous type definition");
    CHECK(decode("AB", array_type(65, 2, -1)) == "gob: bad data: array of negative length");
    CHECK(decode("AB", message(integer(-(std::int64_t{1} << 40)) + "\x03")) ==
          "gob: unknown type id or corrupted data");
    CHECK(decode("AB", message(integer((std::numeric_limits<std::int64_t>::min)()) + "\x03")) ==
          "gob: unknown type id or corrupted data");
    CHECK(decode("AB", struct_type(65, {{"A", 99}}) + message(integer(65) + "\x01\x02")) ==
          "gob: unknown type id or corrupted data");
    CHECK(
        decode("AB", struct_type(65, {{"A", 2}, {"X", 99}}) + message(integer(65) + "\x02\x02")) ==
        "gob: unknown type id or corrupted data");
  }

  TEST_CASE("types that contain themselves are read as deep as allowed, and skipped likewise") {
    // type T []T; type M map[int]M; type S struct{X S}; type A [1]A: no value of the last two ends.
    const std::string types = slice_type(65, 65) + map_type(66, 2, 66) +
                              struct_type(67, {{"X", 67}}) + array_type(68, 68, 1);
    const std::string holder =
        types + struct_type(69, {{"A", 2}, {"T", 65}, {"M", 66}, {"S", 67}, {"R", 68}});
    const auto value = [&](char field, const std::string& step, int depth) {
      std::string text = integer(69) + std::string(1, field);
      for (int i = 0; i < depth; ++i) text += step;
      return holder + message(text + std::string(200, '\0'));
    };
    CHECK(decode("AB", value('\x02', "\x01", 90)) == "ok");
    CHECK(decode("AB", value('\x02', "\x01", 200)) == "the value is nested more than 99 deep");
    CHECK(decode("AB", value('\x03', std::string("\x01\x02"), 200)) ==
          "the value is nested more than 99 deep");
    CHECK(decode("AB", value('\x04', "\x01", 200)) == "the value is nested more than 99 deep");
    CHECK(decode("AB", value('\x05', "\x01", 200)) == "the value is nested more than 99 deep");
    // Into a type that contains itself, too.
    const std::string tree = struct_type(65, {{"V", 2}, {"Kids", 66}}) + slice_type(66, 65);
    std::string text = integer(65);
    for (int i = 0; i < 200; ++i) text += "\x02\x01";
    CHECK(decode("Tree", tree + message(text)) == "the value is nested more than 100 deep");
    // An interface value in an interface value, …
    std::string any = integer(69) + "\x02";
    for (int i = 0; i < 200; ++i) any += "\x01x" + integer(8) + natural(1) + std::string(1, '\0');
    CHECK(decode("AB", types + struct_type(69, {{"A", 2}, {"Any", 8}}) + message(any)) ==
          "the value is nested more than 99 deep");
  }

  TEST_CASE("a million type definitions are too many, whatever their sizes") {
    const auto learn = [](auto definition) -> Error {
      go::Stream in;
      for (int id = 65; id < 1000000; ++id) {
        try {
          in.scanner.scan(definition(id));
        } catch (const Error& error) {
          CHECK(id < 65 + 4097);
          return error;
        }
      }
      return Error(StatusCode::ok, "none");
    };
    const Error small = learn([](int id) { return slice_type(id, id); });
    CHECK(small.code() == StatusCode::resource_exhausted);
    CHECK(small.cause() == "gob: too many type definitions");
    const Error large = learn([](int id) {
      return struct_type(id, std::vector<std::pair<std::string, int>>(1000, {"field", 2}));
    });
    CHECK(large.cause() == "gob: too many type definitions");
    const Error wide = learn([](int id) {
      return struct_type(id, std::vector<std::pair<std::string, int>>(65537, {"", 2}));
    });
    CHECK(wide.cause() == "gob: too many fields in a type definition");
    CHECK(wide.code() == StatusCode::resource_exhausted);
  }

  TEST_CASE("a chain of types is followed as deep as values may be nested") {
    const auto chain = [](int length) {
      std::string types;
      for (int id = 65; id < 65 + length; ++id) {
        types += struct_type(id, {{"V", 2}, {"Next", id + 1}});
      }
      types += struct_type(65 + length, {{"V", 2}});
      return types + message(integer(65) + std::string("\x01\x02\0", 3));
    };
    CHECK(decode("List", chain(90)) == "ok");
    CHECK(decode("List", chain(2000)) == "the value is nested more than 100 deep");
  }

  TEST_CASE("types are compared once, also those that do not match") {
    // 60,000 fields, of which the last is of another type than ours.
    std::vector<std::pair<std::string, int>> fields(60000, {"", 2});
    fields.back() = {"A", 6};
    go::Stream in;
    in.scanner.scan(struct_type(65, fields));
    const std::string value = message(integer(65) + std::string(1, '\0'));
    const double time = seconds_of([&] {
      for (int i = 0; i < 20000; ++i) {
        go::AB ab;
        CHECK_THROWS_WITH_AS(geerpc::detail::decode(in.codec, value, ab),
                             "gob: wrong type (int) for received field .A", Error);
      }
    });
    CHECK(time < 20);
    // And so many combinations of types must not take memory without end.
    std::string outcome;
    for (int id = 66; id < 90 && outcome.empty(); ++id) {
      go::Stream& stream = in;
      std::vector<std::pair<std::string, int>> more(10000, {"", 2});
      more.back() = {"A", 2};
      stream.scanner.scan(struct_type(id, more));
      const std::string ab = message(integer(id) + "\x02" + std::string(1, '\0'));
      for (const char* type : {"AB", "BA", "ABC", "PAB", "AUint"}) {
        Buffer out;
        try {
          go::types().at(type)(stream.codec, ab, gob_codec(), out, "");
        } catch (const Error& error) {
          if (error.code() == StatusCode::resource_exhausted) outcome = error.cause();
        }
      }
    }
    CHECK(outcome == "gob: too many different types");
  }

  TEST_CASE("a struct of very many fields costs no more than what comes of it") {
    std::vector<std::pair<std::string, int>> fields(60000, {"A", 2});  // only the first one counts
    const std::string types = struct_type(65, fields) + slice_type(66, 65);
    std::string value = integer(66) + std::string(1, '\0') + natural(1000000);
    value += std::string(1000000, '\0');  // structs of which no field was sent
    CHECK(seconds_of([&] { CHECK(decode("[]AB", types + message(value)) == "ok"); }) < 10);
    CHECK(decode("AB", types + message(integer(65) + std::string("\x01\x02\x01\x04\0", 5))) ==
          "ok");
  }

  TEST_CASE("counts inside of each other make no more elements than there are bytes") {
    // In each Tree 5,000 others, of which the first holds all the rest of the message: the others
    // would be structs of which not even the end was sent.
    const std::string types =
        struct_type(65, {{"V", 2}, {"Kids", 66}, {"Text", 6}}) + slice_type(66, 65);
    std::string value = integer(65);
    for (int i = 0; i < 40; ++i) value += "\x02" + natural(5000);
    value += "\x03" + natural(5000) + std::string(5000, 'x');
    CHECK(decode("Tree", types + message(value)) == "unexpected EOF");
    CHECK(decode("AB", struct_type(64, {{"A", 2}, {"Tree", 65}}) + types +
                           message(integer(64) + "\x02" + value.substr(2))) == "unexpected EOF");
  }

  TEST_CASE("the name of a type that contains itself many times is short") {
    std::string types;
    for (int id = 65; id < 75; ++id) {
      types += struct_type(id, std::vector<std::pair<std::string, int>>(60, {"F", id + 1}));
    }
    const std::string text = decode("int", types + message(integer(65) + std::string(1, '\0')));
    CHECK(text.rfind("gob: decoding into local type *int, received remote type  = struct { F ",
                     0) == 0);
    CHECK(text.size() < 1000);
  }

  TEST_CASE("an interface value in too many pieces ends the stream") {
    const std::string types = struct_type(65, {{"A", 2}, {"Any", 66}}) + slice_type(66, 8);
    std::string stream = types;
    std::string piece = integer(65) + "\x02" + natural(200);
    for (int id = 100; id < 200; ++id) {
      // The name, a new type, and its value in the next message.
      piece += "\x01x" + slice_type(id, 2).substr(1);
      stream += message(piece);
      piece = integer(id) + natural(2) + std::string(2, '\0');
    }
    CHECK(decode("AB", stream) == "gob: a value in too many messages");
  }

  TEST_CASE(
      "a value that goes on is read again for its next message, not for each byte of a length") {
    go::Stream in;
    in.scanner.scan(struct_type(65, {{"A", 2}, {"Any", 8}}));
    const std::string piece = message(integer(65) + "\x02\x01x" + slice_type(66, 2).substr(1));
    const std::string length = {'\xf8', 0, 0, 0, 0, 0, 0, 0, 5};
    const std::string all = piece + length + integer(66) + std::string("\x02\0\0", 3);
    std::set<std::size_t> wanted;
    for (std::size_t size = 1; size < all.size(); ++size) {
      CHECK(in.scanner.scan(std::string_view(all).substr(0, size)) == GobScanner::Found::nothing);
      if (size >= piece.size()) wanted.insert(in.scanner.size());
    }
    CHECK(wanted == std::set<std::size_t>{piece.size() + 1, piece.size() + 9, all.size()});
    CHECK(in.scanner.scan(all) == GobScanner::Found::value);
    CHECK(in.scanner.size() == all.size());
  }

  TEST_CASE("a bad value costs its stream nothing, even one that might hold interface values") {
    go::Stream in;
    in.scanner.scan(struct_type(65, {{"A", 8}, {"B", 6}}));
    const std::string bad = message(integer(65) + "\x02\x7fxx");
    const std::string good = message(integer(65) + std::string("\x02\x01y\0", 4));
    const std::string both = bad + good;
    CHECK(in.scanner.scan(both) == GobScanner::Found::value);
    CHECK(in.scanner.size() == bad.size());
    CHECK(in.scanner.scan(good) == GobScanner::Found::value);
    CHECK(in.scanner.size() == good.size());
  }
}
