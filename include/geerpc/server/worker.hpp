// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Worker: a thread of the server, and how the monitor sees whether its call takes too long.

#ifndef GEERPC_SERVER_WORKER_HPP
#define GEERPC_SERVER_WORKER_HPP

#include <atomic>              // atomic
#include <condition_variable>  // condition_variable
#include <cstdint>             // uint64_t
#include <functional>          // function
#include <mutex>               // mutex
#include <thread>              // thread

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class RunningCall;

// Lets the monitor sleep while nothing runs. Begin of a call and going to sleep each write one flag
// and then read the other's, all sequentially consistent: one of the two sees the other.
class Alarm {
 public:
  void ring_if_asleep() {
    if (!asleep_.load(std::memory_order_seq_cst)) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    asleep_.store(false, std::memory_order_relaxed);
    rung_.notify_one();
  }

  // The monitor's side: about to sleep, thought better of it, sleep until the alarm.
  void doze() noexcept { asleep_.store(true, std::memory_order_seq_cst); }
  void stay_awake() noexcept { asleep_.store(false, std::memory_order_relaxed); }
  void sleep() {
    std::unique_lock<std::mutex> lock(mutex_);
    rung_.wait(lock, [this] { return !asleep_.load(std::memory_order_relaxed); });
  }

 private:
  std::atomic<bool> asleep_{false};
  std::mutex mutex_;
  std::condition_variable rung_;
};

// What a worker's thread and the monitor share. On the fast path a call costs two atomic writes to
// a word that nobody else writes.
class Worker {
 public:
  explicit Worker(Alarm& alarm) noexcept : alarm_(alarm) {}

  // ---- The worker's own thread.

  void begin(RunningCall& call) {
    call_ = &call;
    calls_begun_.store(calls_begun_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    running_.store(2 * calls_begun_.load(std::memory_order_relaxed), std::memory_order_seq_cst);
    alarm_.ring_if_asleep();
  }
  // True if the monitor has claimed the call. It is through with it then, and never comes back.
  bool end() {
    const std::uint64_t was = running_.exchange(0, std::memory_order_acq_rel);
    if ((was & kClaimed) == 0) return false;
    const std::lock_guard<std::mutex> wait_for_monitor(mutex_);
    return true;
  }

  // ---- The monitor.

  bool runs() const noexcept { return running_.load(std::memory_order_seq_cst) != 0; }

  struct Look {
    bool active;  // a call has begun since the last look, or one is running
    bool slow;    // one is running that was running at the last look
  };
  Look look() noexcept {
    const std::uint64_t running = running_.load(std::memory_order_acquire);
    const std::uint64_t begun = calls_begun_.load(std::memory_order_relaxed);
    const Look result{running != 0 || begun != begun_at_last_look_,
                      running != 0 && (running | kClaimed) == (running_at_last_look_ | kClaimed)};
    running_at_last_look_ = running;
    begun_at_last_look_ = begun;
    return result;
  }

  // If a call is running that was slow, `visit(call, newly claimed)` gets it; it can't end
  // meanwhile.
  template <class Visit>
  void claim(Visit&& visit) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::uint64_t running = running_at_last_look_;
    if ((running & kClaimed) != 0) {
      if (running_.load(std::memory_order_acquire) == running) visit(*call_, false);
    } else if (running_.compare_exchange_strong(running, running | kClaimed,
                                                std::memory_order_acq_rel)) {
      running_at_last_look_ |= kClaimed;
      visit(*call_, true);
    }
  }

 private:
  static constexpr std::uint64_t kClaimed = 1;

  Alarm& alarm_;
  // 0, or twice the number of the call that runs, plus kClaimed.
  std::atomic<std::uint64_t> running_{0};
  std::atomic<std::uint64_t> calls_begun_{0};
  RunningCall* call_ = nullptr;  // valid while running_ is not 0

  std::mutex mutex_;  // held by the monitor while it deals with a claimed call

  // Of the monitor.
  std::uint64_t running_at_last_look_ = 0;
  std::uint64_t begun_at_last_look_ = 0;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_WORKER_HPP
