// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Big-endian numbers in memory, in a form that compilers turn into one instruction.

#ifndef GEERPC_CODEC_BIG_ENDIAN_HPP
#define GEERPC_CODEC_BIG_ENDIAN_HPP

#include <cstddef>  // size_t
#include <cstdint>  // uint8_t … uint64_t

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

inline void store_big_endian(char* out, std::uint8_t value) noexcept {
  *out = static_cast<char>(value);
}
inline void store_big_endian(char* out, std::uint16_t value) noexcept {
  store_big_endian(out, static_cast<std::uint8_t>(value >> 8));
  store_big_endian(out + 1, static_cast<std::uint8_t>(value));
}
inline void store_big_endian(char* out, std::uint32_t value) noexcept {
  store_big_endian(out, static_cast<std::uint16_t>(value >> 16));
  store_big_endian(out + 2, static_cast<std::uint16_t>(value));
}
inline void store_big_endian(char* out, std::uint64_t value) noexcept {
  store_big_endian(out, static_cast<std::uint32_t>(value >> 32));
  store_big_endian(out + 4, static_cast<std::uint32_t>(value));
}

// The first `size` bytes.
template <std::size_t size>
std::uint64_t load_big_endian(const char* in) noexcept {
  if constexpr (size == 1) {
    return static_cast<unsigned char>(*in);
  } else {
    return load_big_endian<size / 2>(in) << (4 * size) | load_big_endian<size / 2>(in + size / 2);
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_BIG_ENDIAN_HPP
