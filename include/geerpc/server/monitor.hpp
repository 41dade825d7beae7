// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Monitor: finds the calls that take long, so that the others need no bookkeeping.

#ifndef GEERPC_SERVER_MONITOR_HPP
#define GEERPC_SERVER_MONITOR_HPP

#include <algorithm>   // remove_if
#include <chrono>      // milliseconds
#include <exception>   // exception
#include <functional>  // function
#include <memory>      // shared_ptr
#include <thread>      // thread
#include <utility>     // move
#include <vector>      // vector

#include <geerpc/server/running_call.hpp>
#include <geerpc/server/worker.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// A thread that ticks while calls run and sleeps when none has for a while. A call that two ticks
// in a row have seen is claimed; claimed ones are then looked at at each tick. Each tick costs the
// calls a change of threads, so the ticks are wide while it sees no call at work, and none has been
// slow for a second.
class Monitor {
 public:
  // `slow(call, now)` is called for each claimed call, which can't end meanwhile: it must not wait.
  Monitor(std::shared_ptr<Watchlist> watchlist,
          std::function<void(RunningCall&, SteadyClock::time_point)> slow)
      : watchlist_(std::move(watchlist)), slow_(std::move(slow)) {}
  ~Monitor() { stop(); }

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    watchlist_->stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  static constexpr std::chrono::milliseconds kTick{2};
  static constexpr std::chrono::milliseconds kWideTick{8};
  static constexpr std::chrono::seconds kAlert{1};

  void run() {
    std::vector<std::shared_ptr<Worker>> workers;
    while (watchlist_->take(workers, workers.empty())) {
      const auto now = SteadyClock::now();
      alert_ = alert_ && now - last_slow_ < kAlert;
      saw_call_ = false;
      const auto look = [&](const std::shared_ptr<Worker>& worker) {
        return look_at(*worker, now);
      };
      workers.erase(std::remove_if(workers.begin(), workers.end(), look), workers.end());
      std::this_thread::sleep_for(alert_ || saw_call_ ? kTick : kWideTick);
    }
  }

  // True if the worker need not be looked at again until it says so.
  bool look_at(Worker& worker, SteadyClock::time_point now) {
    const Worker::Look look = worker.look();
    saw_call_ = saw_call_ || look.running;
    if (look.slow) {
      alert_ = true;
      last_slow_ = now;
      worker.claim([&](RunningCall& call, bool newly) {
        try {
          if (newly) call.claim();
          slow_(call, now);
        } catch (const std::exception&) {
          // Out of memory: what was not done is tried again at the next tick.
        }
      });
    }
    return worker.leave_alone(look.active);
  }

  const std::shared_ptr<Watchlist> watchlist_;
  const std::function<void(RunningCall&, SteadyClock::time_point)> slow_;
  std::thread thread_;

  // Of the thread.
  bool saw_call_ = false;  // at this tick
  bool alert_ = false;     // there was a slow call within kAlert before this tick
  SteadyClock::time_point last_slow_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_MONITOR_HPP
