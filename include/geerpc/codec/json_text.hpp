// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The characters of JSON, for those who write it, read it and look for its end.

#ifndef GEERPC_CODEC_JSON_TEXT_HPP
#define GEERPC_CODEC_JSON_TEXT_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <cstring>      // memcpy
#include <string_view>  // string_view

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

constexpr bool is_json_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
// Where the white space ends that begins at `from`.
constexpr std::size_t skip_blanks(std::string_view text, std::size_t from) noexcept {
  while (from < text.size() && is_json_space(text[from])) ++from;
  return from;
}
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// How many bytes at the start of a JSON string stand for themselves, both in what Go writes and in
// what may be read. Looks at eight at a time; of the bits that are set where one does not, the
// lowest is right, and the others may be due to it.
inline std::size_t json_plain_prefix(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  const auto has = [](std::uint64_t word, char c) {
    const std::uint64_t zero_if_equal = word ^ (ones * static_cast<unsigned char>(c));
    return (zero_if_equal - ones) & ~zero_if_equal;
  };
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    const std::uint64_t special = word | (word - ones * 0x20) | has(word, '"') | has(word, '\\') |
                                  has(word, '<') | has(word, '>') | has(word, '&');
    if ((special & highs) == 0) continue;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return i + static_cast<std::size_t>(__builtin_ctzll(special & highs)) / 8;
#else
    break;
#endif
  }
  for (; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&') break;
  }
  return i;
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_JSON_TEXT_HPP
