// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// DialThread: gets a connection for a thread that must not wait.

#ifndef GEERPC_CLIENT_DIAL_THREAD_HPP
#define GEERPC_CLIENT_DIAL_THREAD_HPP

#include <atomic>      // atomic
#include <exception>   // exception
#include <functional>  // function
#include <memory>      // shared_ptr
#include <optional>    // optional
#include <thread>      // thread
#include <utility>     // exchange, move

#include <geerpc/client/async_call.hpp>
#include <geerpc/client/channel.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Waits for Channel::acquire() in a thread that lives no longer than that, so that who needs the
// connection can see to deadlines and cancellations meanwhile, and the attempt to connect goes on
// whoever of many calls leaves. For one thread.
class DialThread {
 public:
  using Outcome = Result<std::shared_ptr<ClientConnection>>;

  // `ended` is called in the thread, once there is something to take.
  DialThread(Channel& channel, std::function<void()> ended)
      : channel_(channel), tell_(std::move(ended)) {}
  ~DialThread() { stop(); }

  // Begins. False if no thread can be had. Nothing must be under way. No outcome if it ends at
  // `deadline`: that says nothing about others, who have more time.
  GEERPC_COLD bool start(SteadyClock::time_point deadline) noexcept {
    try {
      source_ = CancelSource();
      ended_.store(false, std::memory_order_relaxed);
      thread_ = std::thread([this, deadline] { run(deadline); });
    } catch (const std::exception&) {
      return false;
    }
    return true;
  }
  // From start() until the outcome is taken, or stop().
  bool under_way() const noexcept { return thread_.joinable(); }

  // The outcome, if it is there.
  std::optional<Outcome> take() {
    if (!under_way() || !ended_.load(std::memory_order_acquire)) return {};
    thread_.join();
    return std::exchange(outcome_, std::nullopt);
  }
  // Gives up, as far as nobody else waits for the same connection.
  void stop() {
    if (!under_way()) return;
    source_.cancel();
    thread_.join();
    outcome_.reset();
  }

 private:
  void run(SteadyClock::time_point deadline) {
    try {
      auto now = SteadyClock::now();
      outcome_ = channel_.acquire(now, deadline, source_.token());
    } catch (const std::exception&) {
      const Error error = thrown();
      const bool in_time = SteadyClock::now() < deadline;
      if (in_time || error.code() != StatusCode::deadline_exceeded) outcome_ = error;
    }
    ended_.store(true, std::memory_order_release);
    tell_();
  }

  Channel& channel_;
  const std::function<void()> tell_;
  CancelSource source_;
  std::thread thread_;
  std::atomic<bool> ended_{false};
  std::optional<Outcome> outcome_;  // the thread's until `ended_`
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_DIAL_THREAD_HPP
