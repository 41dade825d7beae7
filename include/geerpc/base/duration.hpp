// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Durations as Go prints them (time.Duration.String), which its peers compare in error texts, and
// the longest ones without overflow.

#ifndef GEERPC_BASE_DURATION_HPP
#define GEERPC_BASE_DURATION_HPP

#include <algorithm>  // min
#include <chrono>     // milliseconds, nanoseconds
#include <cstdint>    // uint64_t
#include <string>     // string

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// `value` / `unit` in decimal, without trailing zeros: (1500, 1000) is "1.5".
inline std::string decimal(std::uint64_t value, std::uint64_t unit) {
  std::string text = std::to_string(value / unit);
  std::uint64_t rest = value % unit;
  if (rest == 0) return text;
  text += '.';
  while (rest != 0) {
    unit /= 10;
    text += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return text;
}

// "0s", "1.5µs", "100ms", "1m30.5s", "100h0m0s", "-1.5s".
inline std::string duration_text(std::chrono::nanoseconds duration) {
  // Negating in the unsigned type is defined for the smallest value, too.
  auto ns = static_cast<std::uint64_t>(duration.count());
  const bool negative = duration.count() < 0;
  if (negative) ns = 0 - ns;
  constexpr std::uint64_t second = 1000000000;
  std::string text;
  if (ns == 0) {
    text = "0s";
  } else if (ns < 1000) {
    text = decimal(ns, 1) + "ns";
  } else if (ns < 1000000) {
    text = decimal(ns, 1000) + "\xC2\xB5s";
  } else if (ns < second) {
    text = decimal(ns, 1000000) + "ms";
  } else {
    const std::uint64_t minutes = ns / (60 * second);
    if (minutes >= 60) text += std::to_string(minutes / 60) + 'h';
    if (minutes > 0) text += std::to_string(minutes % 60) + 'm';
    text += decimal(ns % (60 * second), second) + 's';
  }
  return negative ? '-' + text : text;
}

// Cuts what amounts to "never" to a year, so that adding it to a time does not overflow.
inline std::chrono::milliseconds at_most_a_year(std::chrono::milliseconds duration) noexcept {
  return (std::min)(duration, std::chrono::milliseconds(std::chrono::hours(24 * 365)));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_DURATION_HPP
