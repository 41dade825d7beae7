// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// From a reader to C++ values. Containers are replaced; a null leaves scalars and structs as they
// are and empties everything that can be empty; fields that are missing keep their value, unknown
// ones are skipped.

#ifndef GEERPC_CODEC_DECODE_HPP
#define GEERPC_CODEC_DECODE_HPP

#include <algorithm>    // max, min
#include <cstddef>      // size_t
#include <memory>       // make_shared, make_unique
#include <optional>     // optional
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <tuple>        // apply, tuple
#include <type_traits>  // is_arithmetic, is_same, underlying_type
#include <utility>      // move
#include <variant>      // monostate
#include <vector>       // vector

#include <geerpc/codec/dom.hpp>
#include <geerpc/codec/json_reader.hpp>
#include <geerpc/codec/msgpack_reader.hpp>
#include <geerpc/codec/time.hpp>
#include <geerpc/codec/traits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

template <class Reader, class T>
void decode_value(Reader& in, T& out);

// C++17 lets just these enums be initialised from a number in braces.
template <class T, class = void>
inline constexpr bool has_fixed_underlying_type_v = false;
template <class T>
inline constexpr bool has_fixed_underlying_type_v<
    T, std::void_t<decltype(T{std::declval<std::underlying_type_t<T>>()})>> = true;

// Equal but for the case of ASCII letters.
inline bool equal_folded(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// The index of the field of that name, or field_count_v<T>. An exact match goes before others.
template <class T>
std::size_t find_field(std::string_view key, [[maybe_unused]] bool fold) {
  constexpr auto& names = field_names_v<T>;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == key) return i;
  }
  for (std::size_t i = 0; fold && i < names.size(); ++i) {
    if (equal_folded(names[i], key)) return i;
  }
  return names.size();
}

template <class Reader, class T>
void decode_fields(Reader& in, T& out) {
  auto scope = in.begin_object();
  [[maybe_unused]] std::string_view current;
  try {
    // Writers mostly send the fields in the order of the table: then each key costs one comparison
    // with what it should be. From the first that is not, each is looked up.
    for_each_named_field(out, [&](auto name, auto& member) {
      if (!in.try_field(scope, name)) return;
      current = name.text;
      decode_value(in, member);
    });
    for (std::string_view key; in.next_key(scope, key);) {
      const std::size_t index = find_field<T>(key, Reader::kFoldNames);
      if (index == field_count_v<T>) {
        current = {};
        in.skip();
        continue;
      }
      [[maybe_unused]] std::size_t i = 0;
      for_each_field(out, [&](std::string_view name, auto& member) {
        if (i++ != index) return;
        current = name;
        decode_value(in, member);
      });
    }
  } catch (...) {
    if (!current.empty()) in.path().leave(field_table_v<T>.type, current);
    throw;
  }
}

template <class Reader, class T>
void decode_sequence(Reader& in, T& out) {
  using Element = element_of_t<T>;
  auto scope = in.begin_array();
  const std::size_t announced = in.announced(scope);
  if constexpr (!Reader::kTextKeys && std::is_same_v<T, std::vector<Element>> &&
                std::is_arithmetic_v<Element> && !std::is_same_v<Element, bool>) {
    // The count was checked against the bytes that are left: at most eight times them.
    out.assign(announced, Element());
    for (Element& element : out) {
      in.next(scope);
      decode_value(in, element);
    }
    in.next(scope);
  } else if constexpr (std::is_same_v<T, std::vector<Element>>) {
    out.clear();
    // Never reserve more memory than there are bytes to read: a count is only a claim.
    out.reserve((std::min)(announced, in.left() / sizeof(Element) + 1));
    while (in.next(scope)) {
      if constexpr (std::is_same_v<Element, bool>) {
        bool element = false;
        decode_value(in, element);
        out.push_back(element);
      } else {
        decode_value(in, out.emplace_back());
      }
    }
  } else {
    out.clear();
    while (in.next(scope)) {
      Element element{};
      decode_value(in, element);
      out.insert(out.end(), std::move(element));
    }
  }
}

// A key that came as text: JSON has no others.
template <class Key>
void parse_key(std::string&& text, Key& key) {
  if constexpr (std::is_same_v<Key, std::string>) {
    key = std::move(text);
  } else if constexpr (std::is_enum_v<Key>) {
    std::underlying_type_t<Key> value{};
    parse_key(std::move(text), value);
    key = static_cast<Key>(value);
  } else if (!JsonReader::parse_integer(text, key)) {
    throw_bad_value("expected an integer as the key of a map, found \"" + text.substr(0, 40) + '"');
  }
}

// Reads the next key of a map; false at the end.
template <class Reader, class Key>
bool next_map_key(Reader& in, typename Reader::Scope& scope, Key& key) {
  if constexpr (Reader::kTextKeys) {
    std::string_view text;
    if (!in.next_key(scope, text)) return false;
    parse_key(std::string(text), key);
  } else {
    if (!in.next(scope)) return false;
    if (std::is_same_v<Key, std::string> || in.peek() == Token::integer) {
      decode_value(in, key);
    } else {
      parse_key(std::string(in.string()), key);
    }
  }
  return true;
}

template <class Reader, class T>
void decode_map(Reader& in, T& out) {
  using Key = typename T::key_type;
  out.clear();
  auto scope = in.begin_object();
  for (Key key{}; next_map_key(in, scope, key);) {
    typename T::mapped_type mapped{};
    decode_value(in, mapped);
    out.insert_or_assign(std::move(key), std::move(mapped));
    key = Key{};
  }
}

template <class T>
void reset_element(T& element) {
  if constexpr (std::is_array_v<T>) {
    for (auto& inner : element) reset_element(inner);
  } else {
    element = T{};
  }
}

// As in Go, elements that are missing become zero and those that are too many are dropped.
template <class Reader, class T>
void decode_array(Reader& in, T& out) {
  auto scope = in.begin_array();
  bool more = true;
  for (auto& element : out) {
    reset_element(element);
    more = more && in.next(scope);
    if (more) decode_value(in, element);
  }
  while (more && in.next(scope)) in.skip();
}

// Exactly as many elements as the tuple has.
template <class Reader, class... T>
void decode_elements(Reader& in, T&... out) {
  auto scope = in.begin_array();
  std::size_t count = 0;
  [[maybe_unused]] const auto decode_next = [&](auto& element) {
    if (!in.next(scope)) {
      throw_bad_value("expected " + std::to_string(sizeof...(T)) + " values, found " +
                      std::to_string(count));
    }
    ++count;
    decode_value(in, element);
  };
  (decode_next(out), ...);
  if (in.next(scope)) {
    throw_bad_value("expected " + std::to_string(sizeof...(T)) + " values, found more");
  }
}

template <class T>
void decode_null([[maybe_unused]] T& out) {
  constexpr Kind kind = kind_v<T>;
  if constexpr (kind == Kind::nullable) {
    out = T{};
  } else if constexpr (kind == Kind::sequence || kind == Kind::map || kind == Kind::bytes) {
    out.clear();
  } else if constexpr (std::is_same_v<T, nlohmann::json>) {
    out = nullptr;
  }
}

// Reads one value of any type. Recursive as the type is, and no deeper than the reader allows.
template <class Reader, class T>
void decode_value(Reader& in, T& out) {
  constexpr Kind kind = kind_v<T>;
  static_assert(kind != Kind::string || decodable_v<T>,
                "geerpc: text can be sent from this type but not received into it; "
                "use std::string");
  static_assert(kind == Kind::string || decodable_v<T>,
                "geerpc: this type has no GEERPC_FIELDS and nlohmann/json does not convert it, "
                "so it can't be received; give it GEERPC_FIELDS or a from_json function");
  if constexpr (!decodable_v<T>) {
  } else if (in.try_null()) {
    decode_null(out);
  } else if constexpr (kind == Kind::boolean) {
    out = in.boolean();
  } else if constexpr (kind == Kind::integer) {
    out = in.template integer<T>();
  } else if constexpr (kind == Kind::enumeration) {
    static_assert(has_fixed_underlying_type_v<T>,
                  "geerpc: an enum that is received needs a fixed underlying type (enum class, or "
                  "enum Color : int), so that every number that may come is a value of it");
    out = static_cast<T>(in.template integer<std::underlying_type_t<T>>());
  } else if constexpr (kind == Kind::floating) {
    out = in.template number<T>();
  } else if constexpr (kind == Kind::duration) {
    out = from_nanoseconds<T>(in.template integer<std::int64_t>());
  } else if constexpr (kind == Kind::time) {
    decode_time(in, out);
  } else if constexpr (kind == Kind::string) {
    in.string(out);
  } else if constexpr (kind == Kind::bytes) {
    in.bytes(out);
  } else if constexpr (kind == Kind::nullable) {
    using Element = element_of_t<T>;
    if constexpr (std::is_same_v<T, std::optional<Element>>) {
      decode_value(in, out.emplace());
    } else {
      out = T(new Element());
      decode_value(in, *out);
    }
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    in.skip();
  } else if constexpr (kind == Kind::fields) {
    decode_fields(in, out);
  } else if constexpr (kind == Kind::sequence) {
    decode_sequence(in, out);
  } else if constexpr (kind == Kind::map) {
    decode_map(in, out);
  } else if constexpr (kind == Kind::array) {
    decode_array(in, out);
  } else if constexpr (kind == Kind::tuple) {
    std::apply([&in](auto&... element) { decode_elements(in, element...); }, out);
  } else if constexpr (std::is_same_v<T, nlohmann::json>) {
    read_dom(in, out);
  } else {
    nlohmann::json dom;
    read_dom(in, dom);
    translate_exceptions("from_json", [&] { nlohmann::adl_serializer<T>::from_json(dom, out); });
  }
}

// The counterpart of encode_arguments. Whoever takes no argument accepts any value.
template <class Reader, class... T>
void decode_arguments(Reader& in, std::tuple<T...>& out) {
  if constexpr (sizeof...(T) == 0) {
    in.skip();
  } else if constexpr (sizeof...(T) == 1) {
    decode_value(in, std::get<0>(out));
  } else {
    std::apply([&in](auto&... arg) { decode_elements(in, arg...); }, out);
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_DECODE_HPP
