// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Worker: a thread of the server, and how the monitor sees whether its call takes too long.

#ifndef GEERPC_SERVER_WORKER_HPP
#define GEERPC_SERVER_WORKER_HPP

#include <atomic>              // atomic
#include <condition_variable>  // condition_variable
#include <cstdint>             // uint64_t
#include <memory>              // enable_shared_from_this, shared_ptr
#include <mutex>               // mutex
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class RunningCall;
class Worker;

// The workers that the monitor is to watch from now on; it sleeps while there are none.
class Watchlist {
 public:
  void add(std::shared_ptr<Worker> worker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    added_.push_back(std::move(worker));
    changed_.notify_one();
  }
  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }

  // The monitor's side: moves what was added to `workers`; if `wait`, when there is something.
  // False once stopped.
  bool take(std::vector<std::shared_ptr<Worker>>& workers, bool wait) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (wait) changed_.wait(lock, [this] { return stopping_ || !added_.empty(); });
    for (auto& worker : added_) workers.push_back(std::move(worker));
    added_.clear();
    return !stopping_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<std::shared_ptr<Worker>> added_;
  bool stopping_ = false;
};

// What a worker's thread and the monitor share. On the fast path a call costs two atomic writes to
// a word that nobody else writes. To begin a call and to be watched no more each write one flag and
// then read the other's, all sequentially consistent: one of the two sees the other.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  explicit Worker(std::shared_ptr<Watchlist> watchlist) noexcept
      : watchlist_(std::move(watchlist)) {}

  // ---- The worker's own thread.

  void begin(RunningCall& call) {
    call_ = &call;
    calls_begun_.store(calls_begun_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    running_.store(2 * calls_begun_.load(std::memory_order_relaxed), std::memory_order_seq_cst);
    if (watched_.load(std::memory_order_seq_cst)) return;
    if (!watched_.exchange(true, std::memory_order_seq_cst)) watchlist_->add(shared_from_this());
  }
  // True if the monitor has claimed the call. It is through with it then, and never comes back.
  bool end() {
    const std::uint64_t was = running_.exchange(0, std::memory_order_acq_rel);
    if ((was & kClaimed) == 0) return false;
    const std::lock_guard<std::mutex> wait_for_monitor(mutex_);
    return true;
  }

  // ---- The monitor.

  // Called for each look. True if there was nothing to see for long: then the worker says when to
  // watch it again.
  bool leave_alone(bool active) noexcept {
    if (active) quiet_looks_ = 0;
    if (++quiet_looks_ < kQuietLooks) return false;
    quiet_looks_ = 0;
    watched_.store(false, std::memory_order_seq_cst);
    if (running_.load(std::memory_order_seq_cst) == 0) return true;
    // It begins a call just now, and may have asked to be watched already.
    return watched_.exchange(true, std::memory_order_seq_cst);
  }

  struct Look {
    bool running;  // a call is
    bool active;   // or one has begun since the last look
    bool slow;     // the one that is running was running at the last look
  };
  Look look() noexcept {
    const std::uint64_t running = running_.load(std::memory_order_acquire);
    const std::uint64_t begun = calls_begun_.load(std::memory_order_relaxed);
    const Look result{running != 0, running != 0 || begun != begun_at_last_look_,
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
  static constexpr int kQuietLooks = 12;

  const std::shared_ptr<Watchlist> watchlist_;
  std::atomic<bool> watched_{false};
  // 0, or twice the number of the call that runs, plus kClaimed.
  std::atomic<std::uint64_t> running_{0};
  std::atomic<std::uint64_t> calls_begun_{0};
  RunningCall* call_ = nullptr;  // valid while running_ is not 0

  std::mutex mutex_;  // held by the monitor while it deals with a claimed call

  // Of the monitor.
  std::uint64_t running_at_last_look_ = 0;
  std::uint64_t begun_at_last_look_ = 0;
  int quiet_looks_ = 0;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_WORKER_HPP
