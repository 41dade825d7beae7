// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// WaitingRoom: asynchronous calls that no connection has yet, and the threads that wait for them.

#ifndef GEERPC_CLIENT_WAITING_ROOM_HPP
#define GEERPC_CLIENT_WAITING_ROOM_HPP

#include <algorithm>           // stable_partition
#include <condition_variable>  // condition_variable
#include <memory>              // shared_ptr
#include <mutex>               // mutex
#include <vector>              // vector

#include <geerpc/base/hot_path.hpp>
#include <geerpc/client/async_call.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Thread-safe. Does not hold the calls.
class WaitingRoom {
 public:
  using Calls = std::vector<std::shared_ptr<AsyncCall>>;

  // Waits until the call is sent or done; false at `until`.
  bool wait(const AsyncCall& call, SteadyClock::time_point until) {
    const auto left = [&] {
      return call.done.load(std::memory_order_acquire) || call.sent.load(std::memory_order_acquire);
    };
    std::unique_lock<std::mutex> lock(mutex_);
    if (until != SteadyClock::time_point::max()) return moved_.wait_until(lock, until, left);
    moved_.wait(lock, left);
    return true;
  }
  // A call was sent.
  void tell() {
    const std::lock_guard<std::mutex> lock(mutex_);
    moved_.notify_all();
  }

  // Completes a call. Its callback is posted, so hold no lock.
  GEERPC_COLD void fail(const std::shared_ptr<AsyncCall>& call, const Error& error) {
    call->error = error;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      call->done.store(true, std::memory_order_release);
      moved_.notify_all();
    }
    CompletedCalls completed;
    completed.add(call);
    completed.announce();
  }
  // Completes those of `calls` that `condition` is true for, and removes them.
  template <class Condition>
  void fail_if(Calls& calls, const Error& error, Condition condition) {
    const auto failed = std::stable_partition(calls.begin(), calls.end(),
                                              [&](const auto& call) { return !condition(call); });
    for (auto call = failed; call != calls.end(); ++call) fail(*call, error);
    calls.erase(failed, calls.end());
  }
  void fail_all(Calls& calls, const Error& error) {
    fail_if(calls, error, [](const auto&) { return true; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_WAITING_ROOM_HPP
