// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Floating-point numbers as JSON text, digit for digit as Go's encoding/json writes them.

#ifndef GEERPC_CODEC_JSON_NUMBER_HPP
#define GEERPC_CODEC_JSON_NUMBER_HPP

#include <charconv>     // from_chars, to_chars
#include <cmath>        // abs
#include <cstddef>      // size_t
#include <cstring>      // memcpy, memset
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

inline constexpr std::size_t kJsonMaxNumber = 40;

// Writes a finite number to `out`, where kJsonMaxNumber bytes must be free, and returns the end.
// The fewest digits that read back as the same T; below 1e-6 and from 1e21 on with an exponent.
template <class T>
char* write_json_number(char* out, T value) {
  char text[kJsonMaxNumber];  // "-d.ddde-dd": only its digits and its exponent are used
  const char* const end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const char* p = text;
  if (*p == '-') *out++ = *p++;

  char digits[kJsonMaxNumber];
  int count = 0;
  for (; *p != 'e'; ++p) {
    if (*p != '.') digits[count++] = *p;
  }
  ++p;  // from_chars knows no '+'
  if (*p == '+') ++p;
  int exponent = 0;
  std::from_chars(p, end, exponent);

  const auto put = [&out](const char* from, int n) {
    std::memcpy(out, from, static_cast<std::size_t>(n));
    out += n;
  };
  const auto zeros = [&out](int n) {
    std::memset(out, '0', static_cast<std::size_t>(n));
    out += n;
  };
  if (value != 0 && (exponent < -6 || exponent >= 21)) {
    *out++ = digits[0];
    if (count > 1) {
      *out++ = '.';
      put(digits + 1, count - 1);
    }
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    out = std::to_chars(out, out + 4, exponent < 0 ? -exponent : exponent).ptr;
  } else if (exponent < 0) {
    *out++ = '0';
    *out++ = '.';
    zeros(-exponent - 1);
    put(digits, count);
  } else if (count <= exponent + 1) {
    put(digits, count);
    zeros(exponent + 1 - count);
  } else {
    put(digits, exponent + 1);
    *out++ = '.';
    put(digits + exponent + 1, count - exponent - 1);
  }
  return out;
}

// True if a JSON number that is out of the range of double or float is so since it is too close to
// zero: then it is zero, and no error.
inline bool json_number_is_tiny(std::string_view text) noexcept {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  if (e != std::string_view::npos) return text[e + 1] == '-';
  return mantissa.find('.') < first;
}

// The value of `text`, which has the form of a JSON number.
template <class T>
T parse_json_number(std::string_view text) {
  T value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    if (!json_number_is_tiny(text)) throw_out_of_range<T>(std::string(text.substr(0, 40)));
    return text[0] == '-' ? -T(0) : T(0);
  }
  return value;
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_JSON_NUMBER_HPP
