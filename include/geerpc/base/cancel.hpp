// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Cancellation: a CancelSource asks, the CancelTokens taken from it see it.

#ifndef GEERPC_BASE_CANCEL_HPP
#define GEERPC_BASE_CANCEL_HPP

#include <atomic>              // atomic
#include <chrono>              // steady_clock
#include <condition_variable>  // condition_variable
#include <functional>          // function
#include <list>                // list
#include <memory>              // shared_ptr
#include <mutex>               // mutex
#include <thread>              // this_thread
#include <utility>             // move

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

// Why a call was asked to stop.
enum class CancelReason {
  none,             // it was not
  requested,        // its caller cancelled it
  client_gone,      // the connection that it came from ended
  deadline,         // its deadline passed
  server_stopping,  // the server stops and its drain deadline passed
};

namespace detail {

// The state that one source shares with its tokens. Thread-safe.
class CancelState {
 public:
  using Callback = std::function<void()>;
  using Registration = std::list<Callback>::iterator;

  CancelReason reason() const noexcept { return reason_.load(std::memory_order_acquire); }
  bool cancelled() const noexcept { return reason() != CancelReason::none; }

  // The first call wins; it runs the callbacks in this thread before it returns.
  void cancel(CancelReason reason) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (cancelled()) return;
    reason_.store(reason, std::memory_order_release);
    changed_.notify_all();
    canceller_ = std::this_thread::get_id();
    for (const Callback& callback : callbacks_) callback();
    canceller_ = std::thread::id();
  }

  // Waits until `when` or until cancelled; true if cancelled.
  bool wait_until(std::chrono::steady_clock::time_point when) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_until(lock, when, [this] { return cancelled(); });
  }

  // `callback` runs once, at cancel() or at once if that has been, with this state locked: it must
  // be short and must not use this state. After remove() it neither runs nor is running.
  Registration add(Callback callback) {
    const std::lock_guard<std::mutex> lock(mutex_);
    callbacks_.push_back(std::move(callback));
    if (cancelled()) callbacks_.back()();
    return std::prev(callbacks_.end());
  }
  // A callback may remove itself or others, e.g. by destroying what held them.
  void remove(Registration registration) {
    if (canceller_ == std::this_thread::get_id()) return;  // forgotten with this state
    const std::lock_guard<std::mutex> lock(mutex_);
    callbacks_.erase(registration);
  }

  // Makes the state as new. Only for its single owner, when no token is left.
  void reset() noexcept {
    callbacks_.clear();
    reason_.store(CancelReason::none, std::memory_order_relaxed);
  }

 private:
  std::atomic<CancelReason> reason_{CancelReason::none};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Callback> callbacks_;                              // guarded by mutex_
  std::atomic<std::thread::id> canceller_{std::thread::id()};  // whose cancel() runs callbacks
};

}  // namespace detail

// Sees whether its source was cancelled. A default-constructed token never is. Cheap to copy,
// thread-safe; it may outlive its source.
class CancelToken {
 public:
  CancelToken() noexcept = default;
  explicit CancelToken(std::shared_ptr<detail::CancelState> state) noexcept
      : state_(std::move(state)) {}

  // True if this token belongs to a source, i.e. could ever be cancelled.
  bool can_be_cancelled() const noexcept { return state_ != nullptr; }
  bool cancelled() const noexcept { return state_ != nullptr && state_->cancelled(); }
  CancelReason reason() const noexcept {
    return state_ == nullptr ? CancelReason::none : state_->reason();
  }

  const std::shared_ptr<detail::CancelState>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<detail::CancelState> state_;
};

// Cancels all the calls whose contexts carry a token of it. Thread-safe. Its destruction cancels
// nothing.
class CancelSource {
 public:
  CancelSource() : state_(std::make_shared<detail::CancelState>()) {}

  CancelToken token() const noexcept { return CancelToken(state_); }
  void cancel(CancelReason reason = CancelReason::requested) { state_->cancel(reason); }
  bool cancelled() const noexcept { return state_->cancelled(); }

 private:
  std::shared_ptr<detail::CancelState> state_;
};

namespace detail {

// Runs `callback` when the token's source is cancelled, for as long as this object lives.
class CancelCallback {
 public:
  CancelCallback(const CancelToken& token, CancelState::Callback callback) : state_(token.state()) {
    if (state_ != nullptr) registration_ = state_->add(std::move(callback));
  }
  ~CancelCallback() {
    if (state_ != nullptr) state_->remove(registration_);
  }
  CancelCallback(const CancelCallback&) = delete;
  CancelCallback& operator=(const CancelCallback&) = delete;

 private:
  std::shared_ptr<CancelState> state_;
  CancelState::Registration registration_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_CANCEL_HPP
