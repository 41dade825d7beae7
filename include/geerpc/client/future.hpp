// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Future<R>: the result of an asynchronous call.

#ifndef GEERPC_CLIENT_FUTURE_HPP
#define GEERPC_CLIENT_FUTURE_HPP

#include <chrono>       // steady_clock
#include <functional>   // function
#include <memory>       // make_shared, shared_ptr
#include <type_traits>  // is_copy_constructible_v
#include <utility>      // exchange, move
#include <vector>       // vector

#include <geerpc/client/announce.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

template <class R>
struct TypedAsyncCall final : AsyncCall {
  using AsyncCall::AsyncCall;

  ResultSlot<R> slot;
  std::function<void(Result<R>)> callback;  // once `stage` says so

  void decode(const Codec& codec, const Body& result, const DecodeLimits& limits) override {
    slot.decode(codec, result, limits);
  }
  void announce(std::vector<std::shared_ptr<Call>>& calls) override { announce_calls(calls); }
  void run_callback() noexcept override { std::exchange(callback, nullptr)(take()); }

  // Once it is done. The result can be taken once.
  Result<R> take() {
    if (error) return error->in_call(method, background->channel().address().str());
    return slot.take();
  }
};

}  // namespace detail

// The result of a call that is under way. It is always there at the call's deadline at the latest,
// whatever happens to the server. Letting a Future go does not cancel its call. One thread at a
// time.
template <class R>
class Future {
 public:
  // Belongs to no call.
  Future() = default;
  explicit Future(std::shared_ptr<detail::TypedAsyncCall<R>> call) noexcept
      : call_(std::move(call)) {}

  // True until the result was taken by get(), try_get() or then().
  bool valid() const noexcept { return call_ != nullptr; }

  // Wait for the result and take it. get() throws the Error, try_get() returns it.
  R get() { return try_get().value(); }
  Result<R> try_get() {
    wait_until(std::chrono::steady_clock::time_point::max());
    return std::exchange(call_, nullptr)->take();
  }

  // True if the result is there, so that get() does not wait.
  bool ready() const { return wait_until(std::chrono::steady_clock::time_point::min()); }
  bool wait_for(std::chrono::steady_clock::duration time) const {
    return wait_until(Context::deadline_after(time));
  }
  bool wait_until(std::chrono::steady_clock::time_point when) const {
    return call_->background->wait(*call_, when);
  }

  // Gives the call up: its result is soon StatusCode::cancelled, unless it was faster.
  void cancel() { call_->background->cancel(call_); }

  // Has `callback(Result<R>)` called with the result, in the client's callback thread, one
  // callback after another. It may make calls and wait for them, but not for other callbacks. It
  // must not throw. A callback set after the client was closed runs at once, in this thread.
  template <class F>
  void then(F callback) {
    const std::shared_ptr<detail::TypedAsyncCall<R>> call = std::exchange(call_, nullptr);
    if constexpr (std::is_copy_constructible_v<F>) {
      call->callback = std::move(callback);
    } else {  // std::function copies
      const auto shared = std::make_shared<F>(std::move(callback));
      call->callback = [shared](Result<R> result) { (*shared)(std::move(result)); };
    }
    call->background->expect_callback();
    using Stage = detail::AsyncCall::Stage;
    Stage open = Stage::kOpen;
    if (call->stage.compare_exchange_strong(open, Stage::kHasCallback, std::memory_order_seq_cst)) {
      // Whoever completes the call sees to the callback, unless that was a thread which waited.
      if (!call->done.load(std::memory_order_seq_cst) ||
          call->stage.exchange(Stage::kDone, std::memory_order_seq_cst) == Stage::kDone) {
        return;
      }
    }
    call->background->post({call});
  }

 private:
  std::shared_ptr<detail::TypedAsyncCall<R>> call_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_FUTURE_HPP
