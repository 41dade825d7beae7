// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Monitor: finds the calls that take long, so that the others need no bookkeeping.

#ifndef GEERPC_SERVER_MONITOR_HPP
#define GEERPC_SERVER_MONITOR_HPP

#include <atomic>              // atomic
#include <chrono>              // milliseconds
#include <condition_variable>  // condition_variable
#include <functional>          // function
#include <memory>              // shared_ptr
#include <mutex>               // mutex
#include <thread>              // thread
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/server/running_call.hpp>
#include <geerpc/server/worker_pool.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// A thread that ticks while calls run and sleeps when none has for a while. A call that two ticks
// in a row have seen is claimed; claimed ones are then looked at at each tick.
class Monitor {
 public:
  // `slow(call, now)` is called for each claimed call, which can't end meanwhile: it must not wait.
  Monitor(WorkerPool& pool, std::shared_ptr<Alarm> alarm,
          std::function<void(RunningCall&, SteadyClock::time_point)> slow)
      : pool_(pool), alarm_(std::move(alarm)), slow_(std::move(slow)) {}
  ~Monitor() { stop(); }

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    stopping_.store(true, std::memory_order_seq_cst);
    alarm_->ring_if_asleep();
    if (thread_.joinable()) thread_.join();
  }

 private:
  static constexpr std::chrono::milliseconds kTick{1};
  static constexpr int kTicksUntilSleep = 50;

  void run() {
    int quiet_ticks = 0;
    while (!stopping_.load(std::memory_order_seq_cst)) {
      bool active = false;
      std::vector<Worker*> slow;
      const auto now = SteadyClock::now();
      pool_.for_each([&](Worker& worker) {
        const Worker::Look look = worker.look();
        active = active || look.active;
        if (!look.slow) return;
        worker.claim([&](RunningCall& call, bool newly) {
          try {
            if (newly) call.claim();
            slow_(call, now);
          } catch (const std::exception&) {
            // Out of memory: what was not done is tried again at the next tick.
          }
        });
      });
      quiet_ticks = active ? 0 : quiet_ticks + 1;
      if (quiet_ticks < kTicksUntilSleep) {
        std::this_thread::sleep_for(kTick);
      } else {
        sleep_until_a_call_begins();
        quiet_ticks = 0;
      }
    }
  }

  void sleep_until_a_call_begins() {
    alarm_->doze();
    bool runs = stopping_.load(std::memory_order_seq_cst);
    pool_.for_each([&](Worker& worker) { runs = runs || worker.runs(); });
    if (runs) {
      alarm_->stay_awake();
    } else {
      alarm_->sleep();
    }
  }

  WorkerPool& pool_;
  const std::shared_ptr<Alarm> alarm_;
  const std::function<void(RunningCall&, SteadyClock::time_point)> slow_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_MONITOR_HPP
