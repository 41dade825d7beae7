// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobDump: shows what is in a gob stream, as JSON, whatever numbers and names its types have. It
// shares no code with the library, so that a mistake there can't hide itself.

#ifndef GEERPC_TESTS_INTEROP_GOB_DUMP_HPP
#define GEERPC_TESTS_INTEROP_GOB_DUMP_HPP

#include <cstdint>      // int64_t, uint64_t
#include <cstring>      // memcpy
#include <map>          // map
#include <stdexcept>    // runtime_error
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <utility>      // pair
#include <vector>       // vector

#include <nlohmann/json.hpp>

namespace interop {

// Structs are objects of the fields that were sent, maps arrays of pairs in the order of their
// text, bytes and strings are told apart by a "b:" or "s:" in front.
class GobDump {
 public:
  // Takes more of the stream, and gives the values that are whole now.
  std::vector<nlohmann::json> feed(std::string_view more) {
    pending_.append(more);
    std::vector<nlohmann::json> values;
    for (std::size_t size; (size = message_size()) != 0;) {
      Input in{std::string_view(pending_).substr(head_, size)};
      const std::int64_t id = in.integer();
      if (id < 0) {
        define(-id, in);
      } else {
        if (types_[id].kind != Kind::record && in.uint() != 0) throw std::runtime_error("no zero");
        values.push_back(value(in, id));
      }
      if (!in.rest.empty()) throw std::runtime_error("bytes are left in a gob message");
      pending_.erase(0, head_ + size);
    }
    return values;
  }
  bool between_values() const { return pending_.empty(); }

 private:
  struct Input {
    std::string_view rest;

    std::uint64_t uint() {
      const std::uint64_t first = static_cast<unsigned char>(take(1)[0]);
      if (first < 128) return first;
      std::uint64_t n = 0;
      for (const char c : take(256 - first)) n = n * 256 + static_cast<unsigned char>(c);
      return n;
    }
    std::int64_t integer() {
      const std::uint64_t u = uint();
      return u % 2 == 0 ? static_cast<std::int64_t>(u / 2) : -1 - static_cast<std::int64_t>(u / 2);
    }
    std::string_view take(std::uint64_t n) {
      if (n > rest.size()) throw std::runtime_error("a gob value is cut short");
      const std::string_view front = rest.substr(0, n);
      rest.remove_prefix(n);
      return front;
    }
    std::string text() { return std::string(take(uint())); }
  };

  enum class Kind { basic, array, slice, record, map, opaque };
  struct Type {
    Kind kind = Kind::basic;
    std::int64_t key = 0, element = 0;
    std::vector<std::pair<std::string, std::int64_t>> fields;
  };

  // Sets head_; 0 if the message is not whole.
  std::size_t message_size() {
    if (pending_.empty()) return 0;
    const auto first = static_cast<unsigned char>(pending_[0]);
    head_ = first < 128 ? 1 : 257 - first;
    if (pending_.size() < head_) return 0;
    Input in{std::string_view(pending_).substr(0, head_)};
    const std::uint64_t size = in.uint();
    return pending_.size() - head_ < size ? 0 : static_cast<std::size_t>(size);
  }

  template <class F>
  static void each_field(Input& in, F f) {
    std::uint64_t field = 0;
    while (const std::uint64_t delta = in.uint()) f(field += delta);
  }
  static std::pair<std::string, std::int64_t> name_and_id(Input& in) {
    std::pair<std::string, std::int64_t> result;
    each_field(in, [&](std::uint64_t field) {
      if (field == 1) {
        result.first = in.text();
      } else {
        result.second = in.integer();
      }
    });
    return result;
  }

  void define(std::int64_t id, Input& in) {
    Type type;
    each_field(in, [&](std::uint64_t which) {
      const Kind kinds[] = {Kind::array,  Kind::slice,  Kind::record, Kind::map,
                            Kind::opaque, Kind::opaque, Kind::opaque};
      type.kind = kinds[which - 1];
      each_field(in, [&](std::uint64_t field) {
        if (field == 1) {
          name_and_id(in);
        } else if (type.kind == Kind::record) {
          for (std::uint64_t n = in.uint(); n != 0; --n) type.fields.push_back(name_and_id(in));
        } else if (type.kind == Kind::map && field == 2) {
          type.key = in.integer();
        } else if (type.kind == Kind::array && field == 3) {
          in.integer();  // its length stands in each value, too
        } else {
          type.element = in.integer();
        }
      });
    });
    if (!types_.emplace(id, type).second) throw std::runtime_error("a type is defined twice");
  }

  nlohmann::json basic(Input& in, std::int64_t id) {
    switch (id) {
      case 1:
        return in.uint() != 0;
      case 2:
        return in.integer();
      case 3:
        return in.uint();
      case 4: {
        std::uint64_t reversed = in.uint(), bits = 0;
        for (int i = 0; i < 8; ++i, reversed /= 256) bits = bits * 256 + reversed % 256;
        double number;
        std::memcpy(&number, &bits, sizeof number);
        return number;
      }
      case 5:
        return "b:" + hex(in.text());
      case 6:
        return "s:" + hex(in.text());
      default:
        throw std::runtime_error("a gob value of the unknown type " + std::to_string(id));
    }
  }
  nlohmann::json value(Input& in, std::int64_t id) {
    const auto found = types_.find(id);
    if (found == types_.end() || found->second.kind == Kind::basic) return basic(in, id);
    const Type& type = found->second;
    nlohmann::json result = nlohmann::json::array();
    switch (type.kind) {
      case Kind::record:
        result = nlohmann::json::object();
        each_field(in, [&](std::uint64_t field) {
          const auto& [name, of] = type.fields.at(field - 1);
          result[name] = value(in, of);
        });
        break;
      case Kind::map: {
        std::map<std::string, nlohmann::json> sorted;
        for (std::uint64_t n = in.uint(); n != 0; --n) {
          nlohmann::json pair = nlohmann::json::array();
          pair.push_back(value(in, type.key));
          pair.push_back(value(in, type.element));
          sorted[pair[0].dump()] = pair;
        }
        for (auto& entry : sorted) result.push_back(std::move(entry.second));
        break;
      }
      case Kind::opaque:
        return "o:" + hex(in.text());
      default:
        for (std::uint64_t n = in.uint(); n != 0; --n) result.push_back(value(in, type.element));
    }
    return result;
  }
  static std::string hex(const std::string& bytes) {
    std::string text;
    for (const char c : bytes) {
      text += "0123456789abcdef"[static_cast<unsigned char>(c) / 16];
      text += "0123456789abcdef"[static_cast<unsigned char>(c) % 16];
    }
    return text;
  }

  std::string pending_;
  std::size_t head_ = 0;
  std::map<std::int64_t, Type> types_;
};

// A header and its body.
struct GobMessage {
  nlohmann::json header, body;
  std::uint64_t seq() const { return header.value("Seq", std::uint64_t{0}); }
  bool has_error() const { return header.contains("Error"); }
};

// The messages of one direction.
class GobMessages {
 public:
  // Those that are whole now.
  std::vector<GobMessage> feed(std::string_view more) {
    std::vector<GobMessage> messages;
    for (nlohmann::json& value : dump_.feed(more)) {
      if (header_.is_null()) {
        header_ = std::move(value);
      } else {
        messages.push_back({std::exchange(header_, nullptr), std::move(value)});
      }
    }
    return messages;
  }

 private:
  GobDump dump_;
  nlohmann::json header_;
};

}  // namespace interop

#endif  // GEERPC_TESTS_INTEROP_GOB_DUMP_HPP
