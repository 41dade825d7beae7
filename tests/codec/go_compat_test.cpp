// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// data/go_compat.md: what Go's decoders do with values of other types, with malformed gob and with
// JSON; 131 cases. Where we do something else the case stands here, and in docs/interop.md.

#include <doctest/doctest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "codec/codec_test.hpp"
#include "codec/go_types.hpp"

namespace {

using geerpc::Buffer;
using geerpc::gob_codec;
using geerpc::json_codec;

using Row = std::vector<std::string>;

// The rows of the table whose first heading is this one; the cells without their back ticks.
std::vector<Row> table(const std::string& heading) {
  std::vector<Row> rows;
  std::istringstream lines(go::read_data("go_compat.md"));
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) inside = false;
    if (line.rfind("| " + heading + " |", 0) == 0) {
      inside = true;
      std::getline(lines, line);  // of dashes
      continue;
    }
    if (!inside) continue;
    Row row;
    std::size_t at = 2;
    for (std::size_t end; (end = line.find(" |", at)) != line.npos; at = end + 3) {
      row.push_back(line.substr(at, end - at));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// "`int` 5" is {"int", "5"}; "`int`" is {"int", ""}.
struct TypeAndValue {
  std::string type, value;
};
TypeAndValue type_and_value(const std::string& cell) {
  const std::size_t end = cell.find('`', 1);
  std::string type = go::without_main(cell.substr(1, end - 1));
  return {type, end + 2 < cell.size() ? cell.substr(end + 2) : ""};
}
std::string without_ticks(const std::string& cell) { return cell.substr(1, cell.size() - 2); }

// "ok `5`" or "error: text".
template <class F>
std::string outcome(F f) {
  try {
    Buffer out;
    f(out);
    return "ok `" + std::string(out.view()) + "`";
  } catch (const geerpc::Error& error) {
    return "error: " + error.cause();
  }
}

// JSON that we write differently, though it is the same: an empty slice is never nil.
std::string normal(std::string text) {
  for (std::size_t at; (at = text.find("\"S\":null")) != text.npos;)
    text.replace(at, 8, "\"S\":[]");
  return text;
}

}  // namespace

TEST_SUITE("Go's decoding cases") {
  TEST_CASE("there are 131") {
    CHECK(table("encoded").size() + table("stream (hex)").size() + table("JSON").size() == 131);
  }

  TEST_CASE("gob values of one type become values of another, or an error, as in Go") {
    const std::map<std::string, std::string> ours{
        // What marshals itself is bytes for those who don't know how.
        {"`time.Time` \"1970-01-01T00:00:00Z\" into `[]uint8` null",
         "ok `\"AQAAAA53kfcAAAAAAP//\"`"},
        // A field that the sender has and leaves out is zero, whatever the object held before.
        {"`AB` {\"A\":0,\"B\":2} into `AB` {\"A\":7,\"B\":8}", "ok `{\"A\":0,\"B\":2}`"},
        {"`PAB` {\"A\":null,\"B\":null} into `AB` {\"A\":7,\"B\":8}", "ok `{\"A\":0,\"B\":0}`"},
        {"`HasSlice` {\"S\":null} into `HasSlice` {\"S\":[1]}", "ok `{\"S\":[]}`"},
    };
    for (const Row& row : table("encoded")) {
      const TypeAndValue from = type_and_value(row.at(0)), to = type_and_value(row.at(1));
      const std::string what = row.at(0) + " into " + row.at(1);
      CAPTURE(what);
      if (row.at(1) == "(discard)") continue;  // below
      Buffer gob;
      go::types().at(from.type)(json_codec(), from.value, gob_codec(), gob, "");
      const std::string got = outcome([&](Buffer& out) {
        go::types().at(to.type)(gob_codec(), gob.view(), json_codec(), out, to.value);
      });
      const auto other = ours.find(what);
      CHECK(normal(got) == normal(other == ours.end() ? row.at(2) : other->second));
    }
  }

  TEST_CASE("gob values of any type are discarded, as in Go") {
    std::size_t cases = 0;
    for (const Row& row : table("encoded")) {
      if (row.at(1) != "(discard)") continue;
      ++cases;
      const TypeAndValue from = type_and_value(row.at(0));
      CAPTURE(from.type);
      Buffer gob;
      if (from.type == "struct { V interface {} }") {  // golden vector "Any{int 5}"
        gob.append(
            go::from_hex("17ff8103010103416e7901ff820001010101560110000000"
                         "0cff820103696e740402000a00"));
      } else {
        go::types().at(from.type)(json_codec(), from.value, gob_codec(), gob, "");
      }
      go::Stream in;
      std::string_view body = in.value_in(gob.view());
      CHECK(body.size() == in.scanner.size());
      std::tuple<> nothing;
      geerpc::detail::decode_args(in.codec, body, nothing);
    }
    CHECK(cases == 12);
  }

  TEST_CASE("malformed gob is refused, and odd but good gob taken, as in Go") {
    const std::map<std::string, std::string> ours{
        // Go names what it happens to have under that number itself.
        {"unknown type id 15 into `*int`",
         "error: gob: decoding into local type *int, received remote type ?"},
        {"unknown type id 65 into `*int`",
         "error: gob: decoding into local type *int, received remote type ?"},
        {"unknown type id 65 into `<nil>`", "error: gob: unknown type id or corrupted data"},
        // Go says 0, whatever the length.
        {"string longer than the message into `*string`", "error: gob: bad string slice length: 5"},
        // Counts are compared with what is there before anything else.
        {"slice count 2^32 into `*[]int`", "error: unexpected EOF"},
    };
    for (const Row& row : table("stream (hex)")) {
      const std::string what = row.at(1) + " into " + row.at(2);
      CAPTURE(what);
      const std::string bytes = go::from_hex(without_ticks(row.at(0)));
      std::string type = go::without_main(without_ticks(row.at(2)));
      if (type[0] == '*') type.erase(0, 1);
      const std::string got = outcome([&](Buffer& out) {
        if (type != "<nil>") return go::types().at(type)(gob_codec(), bytes, json_codec(), out, "");
        go::Stream in;
        geerpc::detail::GobReader reader(in.value_in(bytes));
        reader.begin_message();
        geerpc::detail::GobSkipper(in.state.seen, 100).skip_typed(reader, reader.integer());
      });
      const auto other = ours.find(what);
      CHECK(got == (other == ours.end() ? row.at(3) : other->second));
    }
  }

  TEST_CASE("JSON becomes values, or an error, as in Go; the texts of errors are our own") {
    const std::map<std::string, std::string> ours{
        // Containers are replaced, not added to: a call's arguments are always fresh objects.
        {"{\"M\":{\"2\":\"y\"}}",
         "ok `{\"Num1\":9,\"S\":\"s\",\"B\":\"AQ==\",\"P\":1,\"L\":[1,2],\"M\":{\"2\":\"y\"}}`"},
        // One value is asked for, not the first of several.
        {"7 8", "error"},
    };
    for (const Row& row : table("JSON")) {
      const std::string text = without_ticks(row.at(0));
      const TypeAndValue to = type_and_value(row.at(1));
      CAPTURE(text);
      std::string got = outcome([&](Buffer& out) {
        go::types().at(to.type)(json_codec(), text, json_codec(), out, to.value);
      });
      const auto other = ours.find(text);
      std::string expected = other == ours.end() ? row.at(2) : other->second;
      if (expected.rfind("error", 0) == 0) {
        got = got.substr(0, 5);
        expected = "error";
      }
      CHECK(got == expected);
    }
  }
}
