// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// UTF-8, as strict as Go: no surrogates, no overlong forms, nothing above U+10FFFF.

#ifndef GEERPC_CODEC_UTF8_HPP
#define GEERPC_CODEC_UTF8_HPP

#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// The length of the character at the start of [p, end), which is not empty; 0 if it is none.
inline std::size_t utf8_length(const char* p, const char* end) noexcept {
  const auto byte = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || static_cast<std::size_t>(end - p) < length) return 0;
  // The second byte is the one that can make the character overlong, a surrogate or too large.
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Appends a code point below 0x110000. A surrogate becomes U+FFFD.
inline void append_utf8(std::string& out, unsigned code_point) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point >= 0xD800 && code_point < 0xE000) {
    out += kReplacementCharacter;
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_UTF8_HPP
