// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// msgpack_bound: the most bytes that a value of a type can take in MessagePack, if that is known.
// Such a value needs one look at the room that is left in a buffer, not one for each of its parts.

#ifndef GEERPC_CODEC_MSGPACK_BOUND_HPP
#define GEERPC_CODEC_MSGPACK_BOUND_HPP

#include <cstddef>      // size_t
#include <optional>     // optional
#include <tuple>        // apply, tuple
#include <type_traits>  // is_same, remove_cv
#include <utility>      // pair

#include <geerpc/codec/msgpack_writer.hpp>
#include <geerpc/reflect/kind.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// 0 if there is no bound, or one so large that its room would mostly be asked for in vain.
template <class T>
constexpr std::size_t msgpack_bound();

// The same for a list of types, with the head that stands before it and `extra` bytes.
template <class... T>
constexpr std::size_t msgpack_bound_of_all(std::size_t extra) {
  return ((msgpack_bound<T>() != 0) && ...) ? (kMsgpackMaxHead + ... + msgpack_bound<T>()) + extra
                                            : 0;
}

template <class T>
inline constexpr std::size_t msgpack_tuple_bound_v = 0;
template <class... T>
inline constexpr std::size_t msgpack_tuple_bound_v<std::tuple<T...>> =
    msgpack_bound_of_all<T...>(0);
template <class A, class B>
inline constexpr std::size_t msgpack_tuple_bound_v<std::pair<A, B>> = msgpack_bound_of_all<A, B>(0);

template <class... Fields>
constexpr std::size_t msgpack_fields_bound(const FieldTable<Fields...>& table) {
  const std::size_t names = std::apply(
      [](const auto&... field) {
        return (std::size_t{0} + ... + (kMsgpackMaxHead + field.name.size()));
      },
      table.fields);
  return msgpack_bound_of_all<field_target_t<Fields>...>(names);
}

template <class T>
constexpr std::size_t msgpack_bound() {
  using U = std::remove_cv_t<T>;
  constexpr Kind kind = kind_v<U>;
  constexpr std::size_t limit = 512;
  std::size_t bound = 0;
  if constexpr (kind == Kind::boolean) {
    bound = 1;
  } else if constexpr (kind == Kind::integer || kind == Kind::enumeration ||
                       kind == Kind::floating) {
    bound = kMsgpackMaxScalar;
  } else if constexpr (kind == Kind::nullable) {
    // Not for pointers, by which a type may contain itself.
    if constexpr (std::is_same_v<U, std::optional<element_of_t<U>>>) {
      bound = msgpack_bound<element_of_t<U>>();
    }
  } else if constexpr (kind == Kind::array) {
    constexpr std::size_t each = msgpack_bound<element_of_t<U>>();
    constexpr std::size_t n = sizeof(U) / sizeof(element_of_t<U>);
    if (each != 0 && n <= limit) bound = kMsgpackMaxHead + n * each;
  } else if constexpr (kind == Kind::tuple) {
    bound = msgpack_tuple_bound_v<U>;
  } else if constexpr (has_fields_v<U>) {
    bound = msgpack_fields_bound(field_table_v<U>);
  }
  return bound <= limit ? bound : 0;
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_MSGPACK_BOUND_HPP
