// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Callbacks: one thread that keeps a window of calls in flight, which end in callbacks.

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
      : connection_(&connection), texts_(window, Text(size)), starts_(window) {
    for (std::size_t slot = 0; slot < window; ++slot) free_.push_back(slot);
    ended_.reserve(window);
  }

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    latencies.reserve(latencies.size() + limit.expected_calls());
    latencies_ = &latencies;
    const Clock::time_point start = Clock::now();
    Clock::time_point now = start;
    std::size_t begun = 0;
    while (!limit.reached(begun, now - start)) {
      if (free_.empty()) {
        take_ended();
        now = Clock::now();
        continue;
      }
      const std::size_t slot = free_.back();
      free_.pop_back();
      starts_[slot] = now;
      connection_->echo_async(texts_[slot].next(), [this, slot](bool ok) { end(slot, ok); });
      ++begun;
    }
    while (free_.size() < texts_.size()) take_ended();
    return Clock::now() - start;
  }

 private:
  // Waits until half of the calls in flight have ended. Being woken for each of them would measure
  // the kernel's scheduler instead of the library; with a window of one it is the same.
  void take_ended() {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::size_t in_flight = texts_.size() - free_.size();
    awaited_ = (in_flight + 1) / 2;
    enough_.wait(lock, [this] { return ended_.size() >= awaited_; });
    free_.insert(free_.end(), ended_.begin(), ended_.end());
    ended_.clear();
    awaited_ = 0;
  }

  void end(std::size_t slot, bool ok) {
    if (!ok) fail("Echo returned something wrong");
    const Clock::time_point now = Clock::now();
    const std::lock_guard<std::mutex> lock(mutex_);
    latencies_->add(now - starts_[slot]);
    ended_.push_back(slot);
    if (ended_.size() == awaited_) enough_.notify_one();
  }

  Connection* connection_;
  std::vector<Text> texts_;
  std::vector<Clock::time_point> starts_;
  std::vector<std::size_t> free_;

  std::mutex mutex_;
  std::condition_variable enough_;
  std::vector<std::size_t> ended_;
  std::size_t awaited_ = 0;
  Latencies* latencies_ = nullptr;
};

}  // namespace bench

#endif  // BENCH_HARNESS_CALLBACKS_HPP
