// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// data/gob_golden.json: values that Go's encoding/gob has written, each vector by one encoder, with
// their form in encoding/json.

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "codec/go_types.hpp"

namespace {

using geerpc::Buffer;
using geerpc::json_codec;

struct Vector {
  std::string name;
  std::vector<std::string> types, gob, json;
};

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = [] {
    std::vector<Vector> result;
    for (const auto& entry : nlohmann::json::parse(go::read_data("gob_golden.json"))) {
      Vector vector;
      vector.name = entry.at("name").get<std::string>();
      vector.types = entry.at("go_types").get<std::vector<std::string>>();
      for (const auto& hex : entry.at("gob")) {
        vector.gob.push_back(go::from_hex(hex.get<std::string>()));
      }
      vector.json = entry.at("json").get<std::vector<std::string>>();
      for (std::string& type : vector.types) type = go::without_main(type);
      result.push_back(std::move(vector));
    }
    return result;
  }();
  return all;
}

// These types do not exist in C++; such values can only be skipped.
bool has_cpp_type(const Vector& vector) {
  static const std::set<std::string> without{"complex128", "Any", "Any3", "[]interface {}"};
  return without.count(vector.types.front()) == 0;
}

// The name of a container type says in which package its elements are ("map[string]main.Point"),
// which C++ has no counterpart of. Takes that out, and corrects the lengths.
std::string without_packages(std::string bytes) {
  for (std::size_t at; (at = bytes.find("main.")) != bytes.npos;) {
    std::size_t name = at;
    while (bytes[name - 1] != static_cast<char>(0x10) && bytes[name - 1] != 0x15 &&
           bytes[name - 1] != 0x0c) {
      --name;
    }
    // Each message has a length of one byte; this name stands in the last one before it.
    std::size_t message = 0;
    while (message + 1 + static_cast<unsigned char>(bytes[message]) < at) {
      message += 1 + static_cast<unsigned char>(bytes[message]);
    }
    bytes.erase(at, 5);
    bytes[name - 1] = static_cast<char>(bytes[name - 1] - 5);
    bytes[message] = static_cast<char>(bytes[message] - 5);
  }
  return bytes;
}

}  // namespace

TEST_SUITE("gob golden vectors") {
  TEST_CASE("there are 139, of which C++ has types for all but seven") {
    CHECK(vectors().size() == 139);
    std::size_t with = 0;
    for (const Vector& vector : vectors()) with += has_cpp_type(vector);
    CHECK(with == 133);
  }

  TEST_CASE("what Go wrote is read, and written again byte for byte") {
    for (const Vector& vector : vectors()) {
      if (!has_cpp_type(vector)) continue;
      CAPTURE(vector.name);
      if (vector.name == "NamedSlice{1}" || vector.name == "anonymous struct") continue;
      go::Stream in, out;
      for (std::size_t i = 0; i < vector.types.size(); ++i) {
        Buffer text;
        go::types().at(vector.types[i])(in.codec, in.value_in(vector.gob[i]), out.codec, text, "");
        CHECK(go::to_hex(text.view()) == go::to_hex(without_packages(vector.gob[i])));
      }
    }
  }

  TEST_CASE("what Go wrote in gob is the value that Go wrote in JSON") {
    for (const Vector& vector : vectors()) {
      if (!has_cpp_type(vector)) continue;
      CAPTURE(vector.name);
      if (vector.name == "Ptrs, pointer to 0 is lost") continue;     // by gob, not by JSON
      if (vector.name == "string \"\\xff\\xfe invalid\"") continue;  // lost by JSON
      if (vector.types.front() == "DerivedPtr") continue;            // promoted through a pointer
      go::Stream in;
      for (std::size_t i = 0; i < vector.json.size(); ++i) {
        if (vector.json[i].empty()) continue;  // JSON has no such value
        const std::string type = vector.types[i] == "NamedSlice" ? "[]int" : vector.types[i];
        if (go::types().count(type) == 0) continue;  // the anonymous struct
        Buffer from_gob, from_json;
        go::types().at(type)(in.codec, in.value_in(vector.gob[i]), json_codec(), from_gob, "");
        go::types().at(type)(json_codec(), vector.json[i], json_codec(), from_json, "");
        CHECK(from_gob.view() == from_json.view());
      }
    }
  }

  TEST_CASE("what Go wrote in JSON is written in gob as Go did") {
    for (const Vector& vector : vectors()) {
      if (!has_cpp_type(vector)) continue;
      CAPTURE(vector.name);
      if (vector.name == "string \"\\xff\\xfe invalid\"") continue;
      if (vector.types.front() == "DerivedPtr" || vector.types.front() == "NamedSlice") continue;
      go::Stream out;
      for (std::size_t i = 0; i < vector.json.size(); ++i) {
        if (vector.json[i].empty() || go::types().count(vector.types[i]) == 0) continue;
        Buffer text;
        go::types().at(vector.types[i])(json_codec(), vector.json[i], out.codec, text, "");
        std::string expected = without_packages(vector.gob[i]);
        if (vector.name == "Ptrs, pointer to 0 is lost") {
          // Go takes the pointer for nil then; we send the zero, which Go reads as what it is.
          expected.replace(expected.size() - 4, 4, go::from_hex("05 ff82 01 00 00"));
        }
        CHECK(go::to_hex(text.view()) == go::to_hex(expected));
      }
    }
  }

  TEST_CASE("values of every type are skipped, those of interface types over several messages") {
    for (const Vector& vector : vectors()) {
      CAPTURE(vector.name);
      go::Stream in;
      std::string all;
      for (const std::string& each : vector.gob) all += each;
      // Behind them a value that is only found if all of these were read over exactly.
      all += go::from_hex("03 04 00 0e");
      std::string_view rest = all;
      for (std::size_t i = 0; i < vector.gob.size(); ++i) {
        rest = in.value_in(rest);
        geerpc::detail::GobReader reader(rest);
        reader.begin_message();
        geerpc::detail::GobSkipper(in.state.seen, 100).skip_typed(reader, reader.integer());
        CHECK(reader.at_end());
        rest.remove_prefix(in.scanner.size());
      }
      CHECK(go::to_hex(rest) == "0304000e");
    }
  }

  TEST_CASE("values with interfaces are found whole, however the stream is cut") {
    for (const Vector& vector : vectors()) {
      if (vector.types.front() != "Any3") continue;
      const std::string all = vector.gob[0] + vector.gob[1];
      for (std::size_t cut = 0; cut < all.size(); ++cut) {
        go::Stream in;
        using Found = geerpc::detail::GobScanner::Found;
        std::size_t values = 0, at = 0;
        for (const std::string_view seen :
             {std::string_view(all).substr(0, cut), std::string_view(all)}) {
          Found found;
          while ((found = in.scanner.scan(seen.substr(at))) != Found::nothing) {
            values += found == Found::value;
            at += in.scanner.size();
          }
        }
        CHECK(values == 2);
        CHECK(at == all.size());
        CHECK(in.state.seen.find(66) != nullptr);
      }
    }
  }
}
