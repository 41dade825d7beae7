// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Figures: what one run of calls came to.

#ifndef BENCH_HARNESS_FIGURES_HPP
#define BENCH_HARNESS_FIGURES_HPP

#include <algorithm>  // min, nth_element
#include <chrono>     // steady_clock
#include <cstddef>    // ptrdiff_t, size_t
#include <cstdint>    // uint32_t
#include <cstdio>     // fflush, printf
#include <limits>     // numeric_limits
#include <vector>     // vector

namespace bench {

using Clock = std::chrono::steady_clock;

// How long each call took. Memory is kept from run to run, so that a later run allocates nothing.
class Latencies {
 public:
  void clear() { nanoseconds_.clear(); }
  void reserve(std::size_t calls) { nanoseconds_.reserve(calls); }
  void add(Clock::duration time) {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();  // 4.3 s
    nanoseconds_.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(ns, most)));
  }
  void add(const Latencies& other) {
    nanoseconds_.insert(nanoseconds_.end(), other.nanoseconds_.begin(), other.nanoseconds_.end());
  }

  std::size_t size() const { return nanoseconds_.size(); }

  // The latency that a `share` of the calls did not exceed. Changes the order of the values: not
  // sorting them all keeps the client's processor time its library's.
  std::uint32_t quantile(double share) {
    if (nanoseconds_.empty()) return 0;
    const auto last = static_cast<double>(nanoseconds_.size() - 1);
    const auto at = nanoseconds_.begin() + static_cast<std::ptrdiff_t>(share * last);
    std::nth_element(nanoseconds_.begin(), at, nanoseconds_.end());
    return *at;
  }

 private:
  std::vector<std::uint32_t> nanoseconds_;
};

// One line of JSON, which the driver reads.
inline void print_figures(Latencies& latencies, Clock::duration time) {
  std::printf(
      "{\"calls\": %zu, \"seconds\": %.9f, \"p50_ns\": %u, \"p99_ns\": %u, "
      "\"p999_ns\": %u, \"errors\": 0}\n",
      latencies.size(), std::chrono::duration<double>(time).count(), latencies.quantile(0.5),
      latencies.quantile(0.99), latencies.quantile(0.999));
  std::fflush(stdout);
}

}  // namespace bench

#endif  // BENCH_HARNESS_FIGURES_HPP
