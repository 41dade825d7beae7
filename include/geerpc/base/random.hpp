// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Randomness for jitter and for picking servers; not for secrets.

#ifndef GEERPC_BASE_RANDOM_HPP
#define GEERPC_BASE_RANDOM_HPP

#include <chrono>  // duration, nanoseconds
#include <memory>  // make_unique
#include <random>  // mt19937_64, random_device, uniform_real_distribution

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// This thread's generator. It has 2.5 KiB, which the threads that do without must not pay for: what
// is thread_local itself is a part of every thread's stack.
inline std::mt19937_64& random_generator() {
  thread_local const auto generator = std::make_unique<std::mt19937_64>(std::random_device{}());
  return *generator;
}

// A random duration between `low` times and `high` times `period`.
inline std::chrono::nanoseconds jittered(std::chrono::nanoseconds period, double low, double high) {
  const double factor = std::uniform_real_distribution<double>(low, high)(random_generator());
  return std::chrono::nanoseconds(
      static_cast<std::chrono::nanoseconds::rep>(static_cast<double>(period.count()) * factor));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_RANDOM_HPP
