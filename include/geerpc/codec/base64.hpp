// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Base64 (RFC 4648, section 4, padded): how bytes travel in JSON.

#ifndef GEERPC_CODEC_BASE64_HPP
#define GEERPC_CODEC_BASE64_HPP

#include <array>        // array
#include <cstddef>      // size_t
#include <string_view>  // string_view
#include <vector>       // vector

#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

inline constexpr char kBase64Digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }

// Writes base64_size(data.size()) characters to `out` and returns their end.
inline char* write_base64(char* out, std::string_view data) noexcept {
  std::size_t i = 0;
  const auto byte = [&](std::size_t at) {
    return at < data.size() ? static_cast<unsigned char>(data[at]) : 0U;
  };
  for (; i < data.size(); i += 3) {
    const unsigned bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    *out++ = kBase64Digits[bits >> 18];
    *out++ = kBase64Digits[bits >> 12 & 63];
    *out++ = i + 1 < data.size() ? kBase64Digits[bits >> 6 & 63] : '=';
    *out++ = i + 2 < data.size() ? kBase64Digits[bits & 63] : '=';
  }
  return out;
}

// What each character stands for; 64 for those that are no digits.
constexpr std::array<unsigned char, 256> base64_values() {
  std::array<unsigned char, 256> values{};
  for (auto& value : values) value = 64;
  for (unsigned char i = 0; i < 64; ++i) values[static_cast<unsigned char>(kBase64Digits[i])] = i;
  return values;
}
inline constexpr std::array<unsigned char, 256> kBase64Values = base64_values();

// Replaces `out`. Line breaks within the text are skipped, as Go does.
template <class Byte>
void read_base64(std::string_view text, std::vector<Byte>& out) {
  out.resize(text.size() / 4 * 3);
  std::size_t size = 0;
  // Whole groups of digits first, as fast as it goes; then the end, and whatever is unusual.
  for (; text.size() >= 4; text.remove_prefix(4), size += 3) {
    const auto value = [&text](std::size_t i) {
      return unsigned{kBase64Values[static_cast<unsigned char>(text[i])]};
    };
    if (((value(0) | value(1) | value(2) | value(3)) & 64) != 0) break;
    const unsigned group = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
    for (std::size_t i = 0; i < 3; ++i) out[size + i] = static_cast<Byte>(group >> (16 - 8 * i));
  }
  out.resize(size);
  unsigned bits = 0;
  unsigned digits = 0, padding = 0;  // in the current group of four
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    const unsigned value = kBase64Values[static_cast<unsigned char>(c)];
    const bool is_padding = c == '=' && digits >= 2;
    // Nothing but padding may follow padding, and no group may follow a padded one.
    if ((value == 64 && !is_padding) || (value != 64 && padding != 0) || digits + padding == 4) {
      throw_bad_value("illegal base64 data: unexpected character");
    }
    if (is_padding) {
      ++padding;
    } else {
      bits = bits << 6 | value;
      ++digits;
    }
    if (digits + padding < 4) continue;
    bits <<= 6 * padding;
    for (unsigned i = 0; i + padding < 3; ++i)
      out.push_back(static_cast<Byte>(bits >> (16 - 8 * i)));
    bits = 0;
    if (padding == 0) digits = 0;
  }
  if (digits != 0 && digits + padding != 4) throw_bad_value("illegal base64 data: it is cut short");
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_BASE64_HPP
