// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The names of fields as they stand on the wire, put together by the compiler: writing and
// comparing one is then a move or two of constant size.

#ifndef GEERPC_CODEC_FIELD_KEY_HPP
#define GEERPC_CODEC_FIELD_KEY_HPP

#include <array>        // array
#include <cstddef>      // size_t
#include <string_view>  // string_view

#include <geerpc/reflect/fields.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Name is a FieldName. Whether its text fits into a MessagePack fixstr, …
template <class Name>
inline constexpr bool has_msgpack_key_v = Name::text.size() < 32;

// … and stands in JSON as it is.
template <class Name>
inline constexpr bool has_json_key_v =
    Name::text.find_first_not_of(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
        "!#$%'()*+,-./:;=?@[]^`{|}~ ") == std::string_view::npos;

template <class Name>
constexpr auto make_msgpack_key() {
  std::array<char, Name::text.size() + 1> key{};
  std::size_t size = 0;
  key[size++] = static_cast<char>(0xA0 | Name::text.size());
  for (const char c : Name::text) key[size++] = c;
  return key;
}
template <class Name>
inline constexpr auto msgpack_key_v = make_msgpack_key<Name>();

// "Num1":
template <class Name>
constexpr auto make_json_key() {
  std::array<char, Name::text.size() + 3> key{};
  std::size_t size = 0;
  key[size++] = '"';
  for (const char c : Name::text) key[size++] = c;
  key[size++] = '"';
  key[size++] = ':';
  return key;
}
template <class Name>
inline constexpr auto json_key_v = make_json_key<Name>();

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_FIELD_KEY_HPP
