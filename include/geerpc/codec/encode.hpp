// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// From C++ values to a writer: what each kind of type looks like, the same for JSON and
// MessagePack.

#ifndef GEERPC_CODEC_ENCODE_HPP
#define GEERPC_CODEC_ENCODE_HPP

#include <algorithm>    // min, sort
#include <cstddef>      // size_t
#include <functional>   // less
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <tuple>        // apply
#include <type_traits>  // is_array, is_same, underlying_type, void_t
#include <utility>      // pair
#include <variant>      // monostate
#include <vector>       // vector

#include <geerpc/codec/dom.hpp>
#include <geerpc/codec/msgpack_bound.hpp>
#include <geerpc/codec/time.hpp>
#include <geerpc/codec/traits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// A string literal or a character buffer ends at its first zero, and a null pointer is empty.
template <class T>
std::string_view text_of(const T& value) {
  if constexpr (std::is_array_v<T>) {
    const std::string_view whole(value, sizeof value);
    return whole.substr(0, whole.find('\0'));
  } else if constexpr (std::is_pointer_v<T>) {
    return value == nullptr ? std::string_view() : std::string_view(value);
  } else {
    return value;
  }
}

template <class Key>
std::string text_of_key(const Key& key) {
  if constexpr (kind_v<Key> == Kind::string) {
    return std::string(text_of(key));
  } else if constexpr (std::is_enum_v<Key>) {
    return std::to_string(static_cast<std::underlying_type_t<Key>>(key));
  } else {
    return std::to_string(key);
  }
}

// Whether a map is sorted as its keys are as text.
template <class T, class = void>
inline constexpr bool has_sorted_text_keys_v = false;
template <class T>
inline constexpr bool has_sorted_text_keys_v<T, std::void_t<typename T::key_compare>> =
    std::is_same_v<typename T::key_type, std::string> &&
    (std::is_same_v<typename T::key_compare, std::less<std::string>> ||
     std::is_same_v<typename T::key_compare, std::less<>>);

template <class Writer, class T>
void encode_value(Writer& out, const T& value);

// Scalars and structs of them: one look at the room that is left for the whole value.
template <class T>
void encode_bounded(MsgpackWriter& out, const T* values, std::size_t count) {
  BasicMsgpackWriter<MemorySink> in_memory(
      MemorySink(out.sink().prepare(count * msgpack_bound<T>())), out.depth_left());
  char* const begin = in_memory.sink().end();
  for (std::size_t i = 0; i < count; ++i) encode_value(in_memory, values[i]);
  out.sink().commit(static_cast<std::size_t>(in_memory.sink().end() - begin));
}

template <class Writer, class T>
void encode_fields(Writer& out, const T& value) {
  out.begin_object(field_count_v<T>);
  [[maybe_unused]] std::string_view current;
  try {
    for_each_named_field(value, [&](auto name, const auto& member) {
      current = name.text;
      out.field(name);
      encode_value(out, member);
    });
  } catch (...) {
    out.path().leave(field_table_v<T>.type, current);
    throw;
  }
  out.end_object();
}

template <class Writer, class T>
void encode_sequence(Writer& out, const T& value) {
  using Element = element_of_t<T>;
  out.begin_array(value.size());
  if constexpr (Writer::kBatches && msgpack_bound<Element>() != 0 &&
                std::is_same_v<T, std::vector<Element>> && !std::is_same_v<Element, bool>) {
    constexpr std::size_t batch = 4096 / msgpack_bound<Element>();
    for (std::size_t i = 0; i < value.size(); i += batch) {
      encode_bounded(out, value.data() + i, (std::min)(batch, value.size() - i));
    }
  } else {
    for (const Element& element : value) encode_value(out, element);
  }
  out.end_array();
}

template <class Writer, class T>
void encode_map(Writer& out, const T& value) {
  out.begin_object(value.size());
  if constexpr (!Writer::kTextKeys) {
    for (const auto& [key, mapped] : value) {
      encode_value(out, key);
      encode_value(out, mapped);
    }
  } else if constexpr (has_sorted_text_keys_v<T>) {
    for (const auto& [key, mapped] : value) {
      out.key(key);
      encode_value(out, mapped);
    }
  } else {
    std::vector<std::pair<std::string, const typename T::mapped_type*>> entries;
    entries.reserve(value.size());
    for (const auto& [key, mapped] : value) entries.emplace_back(text_of_key(key), &mapped);
    std::sort(entries.begin(), entries.end());
    for (const auto& [key, mapped] : entries) {
      out.key(key);
      encode_value(out, *mapped);
    }
  }
  out.end_object();
}

// Writes one value of any type. Recursive as the type is, and no deeper than the writer allows.
template <class Writer, class T>
void encode_value(Writer& out, const T& value) {
  constexpr Kind kind = kind_v<T>;
  static_assert(encodable_v<T>,
                "geerpc: this type has no GEERPC_FIELDS and nlohmann/json does not convert it, "
                "so it can't be sent; give it GEERPC_FIELDS or a to_json function");
  if constexpr (!encodable_v<T>) {
  } else if constexpr (kind == Kind::boolean) {
    out.boolean(value);
  } else if constexpr (kind == Kind::integer) {
    out.integer(value);
  } else if constexpr (kind == Kind::enumeration) {
    out.integer(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (kind == Kind::floating) {
    if constexpr (std::is_same_v<T, float>) {
      out.number(value);
    } else {
      out.number(static_cast<double>(value));
    }
  } else if constexpr (kind == Kind::duration) {
    out.integer(to_nanoseconds(value));
  } else if constexpr (kind == Kind::time) {
    encode_time(out, value);
  } else if constexpr (kind == Kind::string) {
    out.string(text_of(value), Lifetime::call);
  } else if constexpr (kind == Kind::bytes) {
    out.bytes({reinterpret_cast<const char*>(value.data()), value.size()}, Lifetime::call);
  } else if constexpr (kind == Kind::nullable) {
    if (value) {
      encode_value(out, *value);
    } else {
      out.null();
    }
  } else if constexpr (Writer::kBatches && msgpack_bound<T>() != 0) {
    encode_bounded(out, &value, 1);
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    out.begin_object(0);
    out.end_object();
  } else if constexpr (kind == Kind::fields) {
    encode_fields(out, value);
  } else if constexpr (kind == Kind::sequence) {
    encode_sequence(out, value);
  } else if constexpr (kind == Kind::map) {
    encode_map(out, value);
  } else if constexpr (kind == Kind::array) {
    out.begin_array(sizeof(T) / sizeof(element_of_t<T>));
    for (const auto& element : value) encode_value(out, element);
    out.end_array();
  } else if constexpr (kind == Kind::tuple) {
    out.begin_array(std::tuple_size_v<T>);
    std::apply([&](const auto&... element) { (encode_value(out, element), ...); }, value);
    out.end_array();
  } else if constexpr (std::is_same_v<T, nlohmann::json>) {
    write_dom(out, value);
  } else {
    nlohmann::json dom;
    translate_exceptions("to_json", [&] { nlohmann::adl_serializer<T>::to_json(dom, value); });
    write_dom(out, dom);
  }
}

// No argument is null, one is itself, several are an array.
template <class Writer, class... T>
void encode_arguments(Writer& out, const T&... args) {
  if constexpr (sizeof...(T) == 0) {
    out.null();
  } else if constexpr (sizeof...(T) == 1) {
    (encode_value(out, args), ...);
  } else {
    out.begin_array(sizeof...(T));
    (encode_value(out, args), ...);
    out.end_array();
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_ENCODE_HPP
