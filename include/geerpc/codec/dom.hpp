// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// nlohmann::json values through our own readers and writers, so that the same rules and limits hold
// for them as for everything else: its own parser and dump() throw on bad UTF-8 and recurse.

#ifndef GEERPC_CODEC_DOM_HPP
#define GEERPC_CODEC_DOM_HPP

#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <exception>    // exception
#include <new>          // bad_alloc
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <utility>      // declval

#include <nlohmann/json.hpp>

#include <geerpc/codec/limits.hpp>
#include <geerpc/codec/time.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// The value of a nlohmann::json whose type is known. Unlike get(), operator[] and iterators it
// can't throw, and so does not bring nlohmann's exceptions and their texts into every program.
template <class T>
T& held(nlohmann::json& dom) noexcept {
  return *dom.get_ptr<T*>();
}
template <class T>
const T& held(const nlohmann::json& dom) noexcept {
  return *dom.get_ptr<const T*>();
}

// Recursive, but no deeper than the writer allows.
template <class Writer>
void write_dom(Writer& out, const nlohmann::json& dom) {
  switch (dom.type()) {
    case nlohmann::json::value_t::null:
    case nlohmann::json::value_t::discarded:
      return out.null();
    case nlohmann::json::value_t::boolean:
      return out.boolean(held<bool>(dom));
    case nlohmann::json::value_t::number_integer:
      return out.integer(held<std::int64_t>(dom));
    case nlohmann::json::value_t::number_unsigned:
      return out.integer(held<std::uint64_t>(dom));
    case nlohmann::json::value_t::number_float:
      return out.number(held<double>(dom));
    case nlohmann::json::value_t::string:
      return out.string(held<std::string>(dom));
    case nlohmann::json::value_t::binary: {
      const auto& data = held<nlohmann::json::binary_t>(dom);
      return out.bytes({reinterpret_cast<const char*>(data.data()), data.size()});
    }
    case nlohmann::json::value_t::array: {
      const auto& elements = held<nlohmann::json::array_t>(dom);
      out.begin_array(elements.size());
      for (const nlohmann::json& element : elements) write_dom(out, element);
      return out.end_array();
    }
    case nlohmann::json::value_t::object: {
      const auto& members = held<nlohmann::json::object_t>(dom);
      out.begin_object(members.size());
      for (const auto& [key, value] : members) {
        out.key(key);
        write_dom(out, value);
      }
      return out.end_object();
    }
  }
}

// The next key of an object as text; integer keys, which MessagePack can have, as their digits.
template <class Reader>
bool next_text_key(Reader& in, typename Reader::Scope& scope, std::string& key) {
  if constexpr (Reader::kTextKeys) {
    std::string_view name;
    if (!in.next_key(scope, name)) return false;
    key = name;
  } else {
    if (!in.next(scope)) return false;
    if (in.peek() != Token::integer) {
      in.string(key);
    } else {
      key = in.is_signed() ? std::to_string(in.template integer<std::int64_t>())
                           : std::to_string(in.template integer<std::uint64_t>());
    }
  }
  return true;
}

// A timestamp becomes text as in JSON, other extensions null.
template <class Reader>
void read_extension(Reader& in, nlohmann::json& dom) {
  dom = nullptr;
  if constexpr (!Reader::kTextKeys) {
    Moment moment;
    if (parse_timestamp(in.extension(), moment)) dom = time_text(moment);
  }
}

// Recursive, but no deeper than the reader allows.
template <class Reader>
void read_dom(Reader& in, nlohmann::json& dom) {
  switch (in.peek()) {
    case Token::null:
      in.skip();
      dom = nullptr;
      return;
    case Token::extension:
      read_extension(in, dom);
      return;
    case Token::boolean:
      dom = in.boolean();
      return;
    case Token::integer:
      if (in.is_signed()) {
        dom = in.template integer<std::int64_t>();
      } else {
        dom = in.template integer<std::uint64_t>();
      }
      return;
    case Token::number:
      dom = in.template number<double>();
      return;
    case Token::string: {
      std::string text;
      in.string(text);
      dom = std::move(text);
      return;
    }
    case Token::bytes: {
      std::vector<std::uint8_t> data;
      in.bytes(data);
      dom = nlohmann::json::binary(std::move(data));
      return;
    }
    case Token::array: {
      dom = nlohmann::json::value_t::array;
      auto& elements = held<nlohmann::json::array_t>(dom);
      for (auto scope = in.begin_array(); in.next(scope);) read_dom(in, elements.emplace_back());
      return;
    }
    case Token::object: {
      dom = nlohmann::json::value_t::object;
      auto& members = held<nlohmann::json::object_t>(dom);
      std::string key;
      for (auto scope = in.begin_object(); next_text_key(in, scope, key);) {
        read_dom(in, members[key]);
      }
      return;
    }
  }
}

// Runs f, which converts or parses with code that is not ours, and lets only Errors out.
template <class F>
void translate_exceptions(std::string_view doing, F f) {
  try {
    f();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    throw_bad_value(std::string(doing) + ": " + e.what());
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_DOM_HPP
