// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Kind: how a C++ type looks on the wire. Decided once, here, for all codecs.

#ifndef GEERPC_REFLECT_KIND_HPP
#define GEERPC_REFLECT_KIND_HPP

#include <array>        // array
#include <chrono>       // duration, system_clock, time_point
#include <cstddef>      // byte, size_t
#include <memory>       // shared_ptr, unique_ptr
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // tuple
#include <type_traits>  // is_enum, is_integral, remove_cv, void_t
#include <utility>      // declval, pair
#include <variant>      // monostate
#include <vector>       // vector

#include <geerpc/reflect/fields.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

enum class Kind {
  boolean,
  integer,      // every width, char types too
  enumeration,  // travels as its underlying integer
  floating,
  duration,  // std::chrono::duration
  time,      // std::chrono::time_point of the system clock
  string,    // std::string; to encode only: string_view, const char*, char arrays
  bytes,     // vectors of std::byte and of unsigned char
  nullable,  // optional, unique_ptr, shared_ptr: null or the value
  sequence,  // vector, list, deque, set, …
  array,     // std::array and C arrays: the length is part of the type
  map,       // map, unordered_map, …
  tuple,     // tuple, pair: travels as an array
  fields,    // has GEERPC_FIELDS; monostate is one without fields
  foreign,   // the rest: what nlohmann/json converts
};

template <class T>
inline constexpr bool is_nullable_v = false;
template <class T>
inline constexpr bool is_nullable_v<std::optional<T>> = true;
template <class T>
inline constexpr bool is_nullable_v<std::unique_ptr<T>> = !std::is_array_v<T>;
template <class T>
inline constexpr bool is_nullable_v<std::shared_ptr<T>> = !std::is_array_v<T>;

template <class T>
inline constexpr bool is_array_v = std::is_array_v<T>;
template <class T, std::size_t n>
inline constexpr bool is_array_v<std::array<T, n>> = true;

template <class T>
inline constexpr bool is_tuple_v = false;
template <class... T>
inline constexpr bool is_tuple_v<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple_v<std::pair<A, B>> = true;

template <class T>
inline constexpr bool is_duration_v = false;
template <class Rep, class Period>
inline constexpr bool is_duration_v<std::chrono::duration<Rep, Period>> = true;

template <class T>
inline constexpr bool is_time_v = false;
template <class Duration>
inline constexpr bool is_time_v<std::chrono::time_point<std::chrono::system_clock, Duration>> =
    true;

template <class T, class = void>
inline constexpr bool is_map_v = false;
template <class T>
inline constexpr bool is_map_v<T, std::void_t<typename T::key_type, typename T::mapped_type,
                                              decltype(std::declval<T&>().insert_or_assign(
                                                  std::declval<typename T::key_type>(),
                                                  std::declval<typename T::mapped_type>()))>> =
    true;

template <class T, class = void>
inline constexpr bool is_sequence_v = false;
template <class T>
inline constexpr bool is_sequence_v<
    T, std::void_t<decltype(std::declval<T&>().clear()),
                   decltype(std::declval<T&>().insert(
                       std::declval<T&>().end(), std::declval<typename T::value_type>()))>> = true;

// nlohmann's own values look like containers of themselves.
template <class T, class = void>
inline constexpr bool is_json_v = false;
template <class T>
inline constexpr bool is_json_v<T, std::void_t<typename T::object_t, typename T::array_t>> = true;

template <class T>
constexpr Kind kind_of() {
  if constexpr (has_fields_v<T> || std::is_same_v<T, std::monostate>) {
    return Kind::fields;
  } else if constexpr (std::is_same_v<T, bool>) {
    return Kind::boolean;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) <= 8) {
    return Kind::integer;
  } else if constexpr (std::is_enum_v<T>) {
    return Kind::enumeration;
  } else if constexpr (std::is_floating_point_v<T>) {
    return Kind::floating;
  } else if constexpr (is_duration_v<T>) {
    return Kind::duration;
  } else if constexpr (is_time_v<T>) {
    return Kind::time;
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
                       std::is_same_v<T, const char*> || std::is_same_v<T, char*> ||
                       (std::is_array_v<T> &&
                        std::is_same_v<std::remove_cv_t<std::remove_extent_t<T>>, char>)) {
    return Kind::string;
  } else if constexpr (std::is_same_v<T, std::vector<std::byte>> ||
                       std::is_same_v<T, std::vector<unsigned char>>) {
    return Kind::bytes;
  } else if constexpr (is_nullable_v<T>) {
    return Kind::nullable;
  } else if constexpr (is_array_v<T>) {
    return Kind::array;
  } else if constexpr (is_tuple_v<T>) {
    return Kind::tuple;
  } else if constexpr (is_json_v<T>) {
    return Kind::foreign;
  } else if constexpr (is_map_v<T>) {
    return Kind::map;
  } else if constexpr (is_sequence_v<T>) {
    return Kind::sequence;
  } else {
    return Kind::foreign;
  }
}

template <class T>
inline constexpr Kind kind_v = kind_of<std::remove_cv_t<T>>();

// The element of a nullable, an array or a sequence.
template <class T, class = void>
struct ElementOf {
  using type = typename T::value_type;
};
template <class T>
struct ElementOf<T, std::void_t<typename T::element_type>> {
  using type = typename T::element_type;
};
template <class T, std::size_t n>
struct ElementOf<T[n], void> {
  using type = T;
};
template <class T>
using element_of_t = typename ElementOf<std::remove_cv_t<T>>::type;

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_REFLECT_KIND_HPP
