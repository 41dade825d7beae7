// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Call: one call in flight, seen from the client.

#ifndef GEERPC_CLIENT_CALL_HPP
#define GEERPC_CLIENT_CALL_HPP

#include <atomic>       // atomic
#include <chrono>       // steady_clock
#include <cstdint>      // uint64_t
#include <memory>       // shared_ptr
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/base/result.hpp>
#include <geerpc/client/sleeper.hpp>
#include <geerpc/codec/body.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

inline Error deadline_error() {
  return {StatusCode::deadline_exceeded, "rpc client: call failed: context deadline exceeded"};
}
inline Error cancelled_error() {
  return {StatusCode::cancelled, "rpc client: call failed: context canceled"};
}

// What a connection knows of a call. Everything is guarded by the connection's mutex, but while
// `decoding` is set the thread that set it alone may use the result, and whoever sees `done` may
// read everything, since nothing changes any more.
struct Call {
  virtual ~Call() = default;

  std::uint64_t seq = 0;  // chosen by the connection
  // How many requests were sent on the connection up to this one; 0: not sent.
  std::atomic<std::uint64_t> ordinal{0};
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  bool pending = false;  // the connection knows of it and may complete it
  bool decoding = false;
  bool cancelled = false;  // its context was cancelled, and its thread is to see to that
  std::atomic<bool> done{false};
  std::optional<Error> error;  // once done: why there is no result
  Sleeper* sleeper = nullptr;  // the thread that sleeps until it is done
  std::shared_ptr<Call> self;  // keeps an asynchronous call alive while pending

  // Null if there is none; else it is the caller's to wake.
  [[nodiscard]] Sleeper* take_sleeper() noexcept {
    Sleeper* const taken = sleeper;
    if (taken != nullptr) taken->take();
    return taken;
  }
  void wake() {
    if (Sleeper* const taken = take_sleeper()) taken->wake();
  }

  // Decodes the result into this object. May throw anything.
  virtual void decode(const Codec& codec, const Body& body, const DecodeLimits& limits) = 0;
  std::optional<Error> try_decode(const Codec& codec, const Body& body,
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
  // These calls of one connection are done; called without the mutex, for one of them.
  virtual void announce(std::vector<std::shared_ptr<Call>>&) {}
};

// Calls that were completed and had `self`. They must be told so, and dropped, without the
// connection's mutex: this may be the last reference to them.
class CompletedCalls {
 public:
  void add(std::shared_ptr<Call> call) {
    if (call != nullptr) calls_.push_back(std::move(call));
  }
  void announce() {
    if (calls_.empty()) return;
    calls_.front()->announce(calls_);
    calls_.clear();
  }

 private:
  std::vector<std::shared_ptr<Call>> calls_;
};

// The place of a result; nothing for void.
template <class R>
struct ResultSlot {
  std::optional<R> value;

  void decode(const Codec& codec, const Body& body, const DecodeLimits& limits) {
    value.emplace();
    decode_body(codec, body, *value, limits);
  }
  Result<R> take() { return std::move(*value); }
};
template <>
struct ResultSlot<void> {
  // Whatever the server answers is no business of a caller who wants nothing.
  void decode(const Codec&, const Body&, const DecodeLimits&) {}
  Result<void> take() { return {}; }
};

// A call whose caller waits for it; lives on the caller's stack.
template <class R>
struct SyncCall final : Call {
  ResultSlot<R> slot;

  void decode(const Codec& codec, const Body& body, const DecodeLimits& limits) override {
    slot.decode(codec, body, limits);
  }
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CALL_HPP
