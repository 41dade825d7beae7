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

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Recursive, but no deeper than the writer allows.
template <class Writer>
void write_dom(Writer& out, const nlohmann::json& dom) {
  switch (dom.type()) {
    case nlohmann::json::value_t::null:
    case nlohmann::json::value_t::discarded:
      return out.null();
    case nlohmann::json::value_t::boolean:
      return out.boolean(dom.get<bool>());
    case nlohmann::json::value_t::number_integer:
      return out.integer(dom.get<std::int64_t>());
    case nlohmann::json::value_t::number_unsigned:
      return out.integer(dom.get<std::uint64_t>());
    case nlohmann::json::value_t::number_float:
      return out.number(dom.get<double>());
    case nlohmann::json::value_t::string:
      return out.string(dom.get_ref<const std::string&>());
    case nlohmann::json::value_t::binary: {
      const auto& data = dom.get_binary();
      return out.bytes({reinterpret_cast<const char*>(data.data()), data.size()});
    }
    case nlohmann::json::value_t::array:
      out.begin_array(dom.size());
      for (const nlohmann::json& element : dom) write_dom(out, element);
      return out.end_array();
    case nlohmann::json::value_t::object:
      out.begin_object(dom.size());
      for (auto it = dom.begin(); it != dom.end(); ++it) {
        out.key(it.key());
        write_dom(out, it.value());
      }
      return out.end_object();
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

// Recursive, but no deeper than the reader allows. Extension types become null.
template <class Reader>
void read_dom(Reader& in, nlohmann::json& dom) {
  switch (in.peek()) {
    case Token::null:
    case Token::extension:
      in.skip();
      dom = nullptr;
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
      dom = nlohmann::json::array();
      for (auto scope = in.begin_array(); in.next(scope);) {
        dom.push_back(nullptr);
        read_dom(in, dom.back());
      }
      return;
    }
    case Token::object: {
      dom = nlohmann::json::object();
      std::string key;
      for (auto scope = in.begin_object(); next_text_key(in, scope, key);) read_dom(in, dom[key]);
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
