// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Context: how long a call may take, whether it was cancelled, and what travels beside its
// arguments. A client makes one for a call; a handler that asks for its context gets one.

#ifndef GEERPC_BASE_CONTEXT_HPP
#define GEERPC_BASE_CONTEXT_HPP

#include <atomic>   // atomic
#include <chrono>   // steady_clock
#include <map>      // map
#include <memory>   // shared_ptr
#include <string>   // string
#include <thread>   // sleep_until
#include <utility>  // move

#include <geerpc/base/cancel.hpp>

GEERPC_BEGIN_NAMESPACE

// Pairs of text that travel with a call beside its arguments, e.g. a trace id.
using Metadata = std::map<std::string, std::string>;

namespace detail {

// What a server knows of a connection; shared by the contexts of its calls.
struct PeerInfo {
  std::string address;                                // "tcp@127.0.0.1:43210"
  std::shared_ptr<const std::atomic<bool>> draining;  // the server's flag; may be null
};

}  // namespace detail

// A value: copies share the cancellation and the metadata. Reading is thread-safe, setting is not.
class Context {
 public:
  using Clock = std::chrono::steady_clock;

  // No deadline of its own (a client then uses its default timeout), can't be cancelled.
  Context() = default;

  static Context with_timeout(Clock::duration timeout) {
    return Context().set_deadline(deadline_after(timeout));
  }
  static Context with_deadline(Clock::time_point deadline) {
    return Context().set_deadline(deadline);
  }
  static Context with_cancel(CancelToken token) { return Context().set_cancel(std::move(token)); }

  // The same as a chain, e.g. Context().set_timeout(2s).set_cancel(source.token()).
  Context& set_timeout(Clock::duration timeout) { return set_deadline(deadline_after(timeout)); }
  Context& set_deadline(Clock::time_point deadline) {
    deadline_ = deadline;
    return *this;
  }
  Context& set_cancel(CancelToken token) {
    cancel_ = std::move(token);
    return *this;
  }
  Context& set_metadata(Metadata metadata) {
    metadata_ = std::make_shared<const Metadata>(std::move(metadata));
    return *this;
  }

  // time_point::max() if there is none.
  Clock::time_point deadline() const noexcept { return deadline_; }
  bool has_deadline() const noexcept { return deadline_ != Clock::time_point::max(); }

  // The time until the deadline, at least zero; duration::max() if there is none.
  Clock::duration remaining() const noexcept {
    if (!has_deadline()) return Clock::duration::max();
    const Clock::time_point now = Clock::now();
    return deadline_ > now ? deadline_ - now : Clock::duration::zero();
  }

  // True once somebody asked the call to stop, see reason(). A passed deadline is not a
  // cancellation on the client; on a server the call is cancelled with it.
  bool cancelled() const noexcept { return cancel_.cancelled(); }
  CancelReason reason() const noexcept { return cancel_.reason(); }

  // True once the result would come too late: cancelled, or past the deadline. Long handlers ask
  // now and then.
  bool done() const noexcept {
    return cancelled() || (has_deadline() && Clock::now() >= deadline_);
  }

  // Sleeps for `duration`. Returns false, and early, when the context is done before that.
  bool sleep_for(Clock::duration duration) const {
    const Clock::time_point wake = deadline_after(duration);
    const Clock::time_point until = wake < deadline_ ? wake : deadline_;
    if (cancel_.can_be_cancelled()) {
      if (cancel_.state()->wait_until(until)) return false;
    } else {
      std::this_thread::sleep_until(until);
    }
    return wake <= deadline_;
  }

  const CancelToken& cancel_token() const noexcept { return cancel_; }

  // What the caller sent along; empty if nothing.
  const Metadata& metadata() const noexcept {
    static const Metadata none;
    return metadata_ == nullptr ? none : *metadata_;
  }

  // In a handler: the address that the call came from, e.g. "tcp@127.0.0.1:43210". Empty elsewhere.
  const std::string& peer() const noexcept {
    static const std::string nobody;
    return peer_ == nullptr ? nobody : peer_->address;
  }

  // In a handler: true once the server was told to stop. The call still has the drain time to end.
  bool draining() const noexcept {
    return peer_ != nullptr && peer_->draining != nullptr &&
           peer_->draining->load(std::memory_order_relaxed);
  }

  // For the server, which makes the contexts of handlers.
  Context& set_peer(std::shared_ptr<const detail::PeerInfo> peer) {
    peer_ = std::move(peer);
    return *this;
  }

  // `timeout` from now, without overflow for the longest durations.
  static Clock::time_point deadline_after(Clock::duration timeout,
                                          Clock::time_point now = Clock::now()) noexcept {
    return timeout > Clock::time_point::max() - now ? Clock::time_point::max() : now + timeout;
  }

 private:
  Clock::time_point deadline_ = Clock::time_point::max();
  CancelToken cancel_;
  std::shared_ptr<const Metadata> metadata_;
  std::shared_ptr<const detail::PeerInfo> peer_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_CONTEXT_HPP
