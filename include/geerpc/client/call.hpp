// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Call: one call in flight, seen from the client.

#ifndef GEERPC_CLIENT_CALL_HPP
#define GEERPC_CLIENT_CALL_HPP

#include <algorithm>           // find
#include <atomic>              // atomic
#include <chrono>              // steady_clock
#include <condition_variable>  // condition_variable
#include <cstdint>             // uint64_t
#include <memory>              // shared_ptr
#include <mutex>               // mutex, unique_lock
#include <optional>            // optional
#include <string>              // string
#include <string_view>         // string_view
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/base/result.hpp>
#include <geerpc/codec/codec.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

inline Error deadline_error() {
  return {StatusCode::deadline_exceeded, "rpc client: call failed: context deadline exceeded"};
}
inline Error cancelled_error() {
  return {StatusCode::cancelled, "rpc client: call failed: context canceled"};
}

// What a connection knows of a call. Everything is guarded by the connection's mutex, but while
// `decoding` is set the thread that set it alone may use the result.
struct Call {
  virtual ~Call() = default;

  std::uint64_t seq = 0;  // chosen by the connection
  // How many requests were sent on the connection up to this one; 0: not sent.
  std::atomic<std::uint64_t> ordinal{0};
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  bool pending = false;  // the connection knows of it and may complete it
  bool decoding = false;
  bool cancelled = false;  // its context was cancelled, and its thread is to see to that
  bool done = false;
  std::optional<Error> error;  // once done: why there is no result
  std::shared_ptr<Call> self;  // keeps an asynchronous call alive while it is pending

  // Decodes the result into this object. May throw anything.
  virtual void decode(const Codec& codec, std::string_view body, const DecodeLimits& limits) = 0;
  std::optional<Error> try_decode(const Codec& codec, std::string_view body,
                                  const DecodeLimits& limits) {
    try {
      decode(codec, body, limits);
      return {};
    } catch (const std::exception& failure) {
      return Error(StatusCode::internal, std::string("reading body ") + failure.what());
    } catch (...) {
      return Error(StatusCode::internal, "reading body: unknown exception");
    }
  }
  // The call is done; called with the connection's mutex held, and so only wakes who waits for it.
  virtual void completed() noexcept = 0;
  // Called after that, without the mutex, for calls that have `self`.
  virtual void announce() {}
};

// A call that was completed. Its destruction, which must be without the connection's mutex, tells
// it so and may drop the last reference to it.
class CompletedCall {
 public:
  explicit CompletedCall(std::shared_ptr<Call> call = nullptr) noexcept : call_(std::move(call)) {}
  CompletedCall(CompletedCall&&) noexcept = default;
  CompletedCall& operator=(CompletedCall&&) noexcept = default;
  ~CompletedCall() {
    if (call_ != nullptr) call_->announce();
  }

 private:
  std::shared_ptr<Call> call_;
};

// The place of a result; nothing for void.
template <class R>
struct ResultSlot {
  std::optional<R> value;

  void decode(const Codec& codec, std::string_view body, const DecodeLimits& limits) {
    value.emplace();
    detail::decode(codec, body, *value, limits);
  }
  Result<R> take() { return std::move(*value); }
};
template <>
struct ResultSlot<void> {
  // Whatever the server answers is no business of a caller who wants nothing.
  void decode(const Codec&, std::string_view, const DecodeLimits&) {}
  Result<void> take() { return {}; }
};

// A call whose caller waits for it; lives on the caller's stack.
struct WaitingCall : Call {
  std::condition_variable changed;
  bool asleep = false;  // its thread waits on `changed`

  void completed() noexcept override { wake(); }
  void wake() noexcept {
    if (asleep) changed.notify_one();
  }
};

// The calls whose callers are asleep. Guarded by the connection's mutex, which is what `lock`
// holds.
class Sleepers {
 public:
  bool empty() const noexcept { return calls_.empty(); }
  void wake_one() noexcept { calls_.back()->wake(); }  // must not be empty

  // Until the call is woken; false at `deadline`.
  bool sleep(std::unique_lock<std::mutex>& lock, WaitingCall& call,
             std::chrono::steady_clock::time_point deadline) {
    calls_.push_back(&call);
    call.asleep = true;
    bool in_time = true;
    if (deadline == std::chrono::steady_clock::time_point::max()) {
      call.changed.wait(lock);
    } else {
      in_time = call.changed.wait_until(lock, deadline) == std::cv_status::no_timeout;
    }
    calls_.erase(std::find(calls_.begin(), calls_.end(), &call));
    call.asleep = false;
    return in_time;
  }

 private:
  std::vector<WaitingCall*> calls_;
};

template <class R>
struct SyncCall final : WaitingCall {
  ResultSlot<R> slot;

  void decode(const Codec& codec, std::string_view body, const DecodeLimits& limits) override {
    slot.decode(codec, body, limits);
  }
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CALL_HPP
