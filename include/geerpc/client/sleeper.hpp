// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Sleeper: a thread that waits until another one has read its reply.

#ifndef GEERPC_CLIENT_SLEEPER_HPP
#define GEERPC_CLIENT_SLEEPER_HPP

#include <chrono>              // steady_clock
#include <condition_variable>  // condition_variable
#include <mutex>               // mutex

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Lives on the stack of the thread that sleeps. It has a mutex of its own, so that those who are
// woken do not queue for the connection's. Whoever wakes it must have taken it first, with the
// connection's mutex held, and need not hold that any more when it does: one who was taken stays
// until he is woken.
class Sleeper {
 public:
  // `place`, of the call, points to the sleeper until it is taken.
  explicit Sleeper(Sleeper*& place) noexcept : place_(place) { place_ = this; }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // Until woken; false at `deadline`.
  bool sleep_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto woken = [this] { return woken_; };
    if (deadline != std::chrono::steady_clock::time_point::max()) {
      return changed_.wait_until(lock, deadline, woken);
    }
    changed_.wait(lock, woken);
    return true;
  }
  // Under the lock: once that is free this object may be gone.
  void wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

  // True if it was woken to read, see Sleepers.
  bool is_to_read() const noexcept { return is_to_read_; }

  // Connection's mutex held.
  void take() noexcept {
    place_ = nullptr;
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class Sleepers;

  Sleeper*& place_;  // guarded by the connection's mutex
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;  // guarded by mutex_

  // Guarded by the connection's mutex until it is taken.
  Sleeper* next_ = nullptr;
  Sleeper* previous_ = nullptr;
  bool is_to_read_ = false;
};

// Those who are ready to read: a ring. Guarded by the connection's mutex.
class Sleepers {
 public:
  Sleepers() noexcept { ring_.next_ = ring_.previous_ = &ring_; }

  bool empty() const noexcept { return ring_.next_ == &ring_; }
  void add(Sleeper& sleeper) noexcept {
    sleeper.next_ = &ring_;
    sleeper.previous_ = ring_.previous_;
    ring_.previous_->next_ = &sleeper;
    ring_.previous_ = &sleeper;
  }
  // Wakes the one who came last, whose reply is likely to be the farthest away. Must not be empty.
  void wake_last() {
    Sleeper& last = *ring_.previous_;
    last.take();
    last.is_to_read_ = true;
    last.wake();
  }

 private:
  Sleeper* nobody_ = nullptr;
  Sleeper ring_{nobody_};
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_SLEEPER_HPP
