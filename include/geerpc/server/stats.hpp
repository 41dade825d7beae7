// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Counters of a server's methods.

#ifndef GEERPC_SERVER_STATS_HPP
#define GEERPC_SERVER_STATS_HPP

#include <atomic>   // atomic
#include <chrono>   // nanoseconds
#include <cstdint>  // int64_t, uint64_t
#include <string>   // string
#include <vector>   // vector

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

// What happened to one method so far. A snapshot: the figures were read one after another.
struct MethodStats {
  std::string name;                        // "Sum"
  std::string signature;                   // "Sum(Args) int"
  std::uint64_t calls = 0;                 // begun
  std::uint64_t errors = 0;                // of those that ended: answered with an error
  std::uint64_t in_flight = 0;             // begun and not ended
  std::chrono::nanoseconds total_time{0};  // of those that ended, decoding to encoding
  std::chrono::nanoseconds max_time{0};
};

struct ServiceStats {
  std::string name;
  std::vector<MethodStats> methods;  // sorted by name
};

namespace detail {

// Written by all threads that run the method; relaxed, since nothing hangs on their order.
class MethodCounters {
 public:
  void begin() noexcept { begun_.fetch_add(1, std::memory_order_relaxed); }
  void end(std::chrono::nanoseconds took, bool failed) noexcept {
    const std::int64_t ns = took.count();
    ended_.fetch_add(1, std::memory_order_relaxed);
    if (failed) errors_.fetch_add(1, std::memory_order_relaxed);
    total_.fetch_add(ns, std::memory_order_relaxed);
    std::int64_t max = max_.load(std::memory_order_relaxed);
    while (ns > max && !max_.compare_exchange_weak(max, ns, std::memory_order_relaxed)) {
    }
  }

  void read(MethodStats& stats) const noexcept {
    const std::uint64_t ended = ended_.load(std::memory_order_relaxed);
    stats.calls = begun_.load(std::memory_order_relaxed);
    stats.errors = errors_.load(std::memory_order_relaxed);
    stats.in_flight = stats.calls > ended ? stats.calls - ended : 0;
    stats.total_time = std::chrono::nanoseconds(total_.load(std::memory_order_relaxed));
    stats.max_time = std::chrono::nanoseconds(max_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<std::uint64_t> begun_{0}, ended_{0}, errors_{0};
  std::atomic<std::int64_t> total_{0}, max_{0};
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_STATS_HPP
