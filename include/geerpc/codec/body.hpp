// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Body: the arguments or the result in a message that was received.

#ifndef GEERPC_CODEC_BODY_HPP
#define GEERPC_CODEC_BODY_HPP

#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // get, tuple
#include <type_traits>  // is_same_v
#include <utility>      // move

#include <geerpc/base/hot_path.hpp>
#include <geerpc/codec/codec.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Encoded bytes, or a large text that was taken out of its MessagePack while it came: a string then
// takes it over, so that it is copied once less and a megabyte does not lie there twice.
struct Body {
  std::string_view bytes;
  std::string* text = nullptr;  // if it is there, it is all of the body
};

// What the text was taken out of, in its place.
GEERPC_COLD inline Buffer text_body(std::string& text) {
  Buffer bytes;
  MsgpackWriter(bytes).string(text);
  std::string().swap(text);
  return bytes;
}

// As decode(). Takes the text.
template <class T>
void decode_body(const Codec& codec, const Body& body, T& out, const DecodeLimits& limits) {
  if (body.text == nullptr) return decode(codec, body.bytes, out, limits);
  if constexpr (std::is_same_v<T, std::string>) {
    out = std::move(*body.text);
  } else {
    decode(codec, text_body(*body.text).view(), out, limits);
  }
}

// As decode_args(). Takes the text.
template <class... T>
void decode_body_args(const Codec& codec, const Body& body, std::tuple<T...>& out,
                      const DecodeLimits& limits) {
  if (body.text == nullptr) return decode_args(codec, body.bytes, out, limits);
  if constexpr (std::is_same_v<std::tuple<T...>, std::tuple<std::string>>) {
    std::get<0>(out) = std::move(*body.text);
  } else {
    decode_args(codec, text_body(*body.text).view(), out, limits);
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_BODY_HPP
