// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Which types can travel: encodable_v and decodable_v. Types with GEERPC_FIELDS always say yes
// here; their fields are checked when they are encoded or decoded, since they may be recursive.

#ifndef GEERPC_CODEC_TRAITS_HPP
#define GEERPC_CODEC_TRAITS_HPP

#include <string>       // string
#include <tuple>        // tuple
#include <type_traits>  // is_default_constructible, void_t
#include <utility>      // declval, pair

#include <nlohmann/json.hpp>

#include <geerpc/reflect/kind.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

template <class T, class = void>
inline constexpr bool has_to_json_v = false;
template <class T>
inline constexpr bool
    has_to_json_v<T, std::void_t<decltype(nlohmann::adl_serializer<T>::to_json(
                         std::declval<nlohmann::json&>(), std::declval<const T&>()))>> = true;

template <class T, class = void>
inline constexpr bool has_from_json_v = false;
template <class T>
inline constexpr bool
    has_from_json_v<T, std::void_t<decltype(nlohmann::adl_serializer<T>::from_json(
                           std::declval<const nlohmann::json&>(), std::declval<T&>()))>> = true;

template <class T>
constexpr bool is_map_key() {
  constexpr Kind kind = kind_v<T>;
  return std::is_same_v<T, std::string> || kind == Kind::integer || kind == Kind::enumeration;
}

// Encoding and decoding differ in what they say about strings and about foreign types.
template <class T, bool decoding>
constexpr bool can_travel();

template <class T, bool decoding>
inline constexpr bool tuple_can_travel_v = false;
template <class... T, bool decoding>
inline constexpr bool tuple_can_travel_v<std::tuple<T...>, decoding> = (can_travel<T, decoding>() &&
                                                                        ...);
template <class A, class B, bool decoding>
inline constexpr bool tuple_can_travel_v<std::pair<A, B>, decoding> =
    can_travel<A, decoding>() && can_travel<B, decoding>();

template <class T, bool decoding>
constexpr bool can_travel() {
  using U = std::remove_cv_t<T>;
  constexpr Kind kind = kind_v<U>;
  if constexpr (kind == Kind::string) {
    return !decoding || std::is_same_v<U, std::string>;
  } else if constexpr (kind == Kind::nullable || kind == Kind::array || kind == Kind::sequence) {
    return can_travel<element_of_t<U>, decoding>();
  } else if constexpr (kind == Kind::map) {
    return is_map_key<typename U::key_type>() && can_travel<typename U::mapped_type, decoding>();
  } else if constexpr (kind == Kind::tuple) {
    return tuple_can_travel_v<U, decoding>;
  } else if constexpr (kind == Kind::foreign) {
    if constexpr (std::is_same_v<U, nlohmann::json>) {
      return true;
    } else if constexpr (std::is_pointer_v<U> || std::is_function_v<U> || std::is_void_v<U>) {
      return false;
    } else {
      return decoding ? has_from_json_v<U> : has_to_json_v<U>;
    }
  } else {
    return true;
  }
}

template <class T>
inline constexpr bool encodable_v = can_travel<T, false>();
template <class T>
inline constexpr bool decodable_v = can_travel<T, true>();

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_TRAITS_HPP
