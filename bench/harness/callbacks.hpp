// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Callbacks: a window of calls in flight, each of which ends in a callback that begins the next
// one.

#ifndef BENCH_HARNESS_CALLBACKS_HPP
#define BENCH_HARNESS_CALLBACKS_HPP

#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <mutex>               // lock_guard, mutex, unique_lock
#include <vector>              // vector

#include <harness/call.hpp>
#include <harness/figures.hpp>
#include <harness/loops.hpp>
#include <harness/team.hpp>

namespace bench {

template <class Connection>
class Callbacks {
 public:
  Callbacks(Connection& connection, std::size_t window, std::size_t size)
      : connection_(&connection), texts_(window, Text(size)), starts_(window) {}

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    latencies.reserve(latencies.size() + limit.expected_calls());
    limit_ = limit;
    latencies_ = &latencies;
    begun_ = 0;
    start_ = now_ = Clock::now();
    in_flight_ = texts_.size();
    for (std::size_t slot = 0; slot < texts_.size(); ++slot) begin_or_end(slot);
    std::unique_lock<std::mutex> lock(mutex_);
    all_ended_.wait(lock, [this] { return in_flight_ == 0; });
    return now_ - start_;
  }

 private:
  // The next call in this place, if there is to be one.
  void begin_or_end(std::size_t slot) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (limit_.reached(begun_, now_ - start_)) {
        if (--in_flight_ == 0) all_ended_.notify_one();
        return;
      }
      ++begun_;
      starts_[slot] = now_;
    }
    connection_->echo_async(texts_[slot].next(), [this, slot](bool ok) { end(slot, ok); });
  }

  // Some libraries run callbacks in several threads at once.
  void end(std::size_t slot, bool ok) {
    if (!ok) fail("Echo returned something wrong");
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      now_ = Clock::now();
      latencies_->add(now_ - starts_[slot]);
    }
    begin_or_end(slot);
  }

  Connection* connection_;
  std::vector<Text> texts_;
  std::vector<Clock::time_point> starts_;

  std::mutex mutex_;
  std::condition_variable all_ended_;
  // Guarded by mutex_.
  Limit limit_;
  Latencies* latencies_ = nullptr;
  std::size_t begun_ = 0;
  std::size_t in_flight_ = 0;
  Clock::time_point start_, now_;
};

}  // namespace bench

#endif  // BENCH_HARNESS_CALLBACKS_HPP
