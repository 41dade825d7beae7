// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// RunningCall: one call on its way through a handler.

#ifndef GEERPC_SERVER_RUNNING_CALL_HPP
#define GEERPC_SERVER_RUNNING_CALL_HPP

#include <algorithm>  // min
#include <atomic>     // atomic
#include <chrono>     // nanoseconds
#include <memory>     // shared_ptr
#include <mutex>      // lock_guard
#include <optional>   // optional
#include <string>     // string
#include <utility>    // exchange, move
#include <vector>     // vector

#include <geerpc/base/duration.hpp>
#include <geerpc/base/hot_path.hpp>
#include <geerpc/server/connection.hpp>
#include <geerpc/server/handler.hpp>
#include <geerpc/server/worker.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Lives on the stack of the worker that runs it. While it is fast, only that worker knows of it: no
// lock but the outbox's is taken. Once the monitor has claimed it, others may reply in its place
// (timeout), cancel it, and take the connection over.
class RunningCall final : public Responder {
 public:
  // All of them outlive the call; the message stays as it is meanwhile.
  RunningCall(ServerConnection& connection, Worker& worker, Message& message, Handler& handler,
              SteadyClock::time_point now, std::chrono::nanoseconds max_handle_time)
      : connection_(connection),
        worker_(worker),
        message_(message),
        handler_(handler),
        max_handle_time_(max_handle_time),
        started_(now) {}

  std::uint64_t seq() const noexcept { return message_.seq; }

  // Decodes, runs, replies. When it returns, one that was claimed is still among the connection's
  // slow calls.
  GEERPC_HOT void run() {
    handler_.counters.begin();
    worker_.begin(*this);
    std::optional<Error> error;
    const Wire& wire = connection_.wire();
    try {
      handler_.run(message_.codec != nullptr ? *message_.codec : wire.codec(),
                   message_.encoded_body(), wire.limits().decode, *this);
    } catch (const Error& thrown) {
      // Whether a call that the handler made had run says nothing about this one.
      error = Error(thrown.code(), thrown.cause());
    } catch (const std::exception& thrown) {
      error = Error(StatusCode::unknown, thrown.what());
    } catch (...) {
      error = Error(StatusCode::unknown, "the handler threw something that is no std::exception");
    }
    if (error) {
      if (!handler_began_) error = error->never_ran();
      stop_running();
      failed_ = true;
      finish([&](Buffer& out) { wire.write_error(out, message_.seq, message_.method, *error); });
    }
    count();
  }

  // Valid once run() has returned: whether the monitor claimed it, and whether another thread reads
  // the connection now.
  bool claimed() const noexcept { return was_claimed_; }
  bool handed_over() const noexcept { return was_claimed_ && handed_over_; }
  SteadyClock::time_point ended() const noexcept { return ended_; }
  // False if the reply could not be written, since the peer does not take it.
  bool replied() const noexcept { return connection_works_; }
  // True if the reply left at once, and all before it.
  bool sent() const noexcept { return sent_ && connection_works_; }

  // ---- Responder: this call's own thread.

  void begin_handler() override {
    std::chrono::nanoseconds limit = max_handle_time_;
    const auto restrict_to = [&](std::chrono::nanoseconds other) {
      if (other.count() != 0 && (limit.count() == 0 || other < limit)) limit = other;
    };
    restrict_to(connection_.option().handle_timeout);
    const bool own = message_.timeout.count() != 0;
    restrict_to(own ? message_.timeout : connection_.option().call_timeout);
    limit_ = limit;
    if (limit.count() < 0) throw timeout_error();
    if (limit.count() > 0) {
      const auto deadline = Context::deadline_after(limit, started_);
      deadline_.store(deadline.time_since_epoch().count(), std::memory_order_release);
    }
    handler_began_ = true;
  }

  const Context& context() override {
    if (context_) return *context_;
    auto state = std::make_shared<CancelState>();
    CancelReason pending;
    {
      const std::lock_guard<std::mutex> lock(connection_.mutex());
      cancel_state_ = state;
      pending = cancel_reason_;
    }
    if (pending != CancelReason::none) state->cancel(pending);
    context_.emplace();
    context_->set_deadline(deadline()).set_cancel(CancelToken(std::move(state)));
    context_->set_peer(connection_.peer());
    if (!message_.metadata.empty()) context_->set_metadata(std::move(message_.metadata));
    return *context_;
  }

  void reply(EncodeBody encode_result) override {
    stop_running();
    const Wire& wire = connection_.wire();
    finish([&](Buffer& out) {
      try {
        wire.write_reply(out, message_.seq, message_.method, encode_result);
      } catch (const Error& error) {
        refuse_result(out, error.code() == StatusCode::resource_exhausted
                               ? error
                               : bad_result(": " + error.cause()));
      } catch (const std::exception& error) {
        refuse_result(out, bad_result(std::string(": ") + error.what()));
      } catch (...) {
        refuse_result(out, bad_result(""));
      }
    });
  }

  // ---- The monitor, with the worker's mutex held, so that this call can't end meanwhile.

  // From now on this call is one of the connection's slow ones.
  void claim() {
    const std::lock_guard<std::mutex> lock(connection_.mutex());
    connection_.slow_calls().push_back(this);
  }
  ServerConnection& connection() noexcept { return connection_; }
  bool is_handed_over() const noexcept { return handed_over_; }
  // Gives the connection away: this call keeps the input that it may be looking at.
  void hand_over() {
    if (!input_detached_) input_ = connection_.detach_input();
    input_detached_ = handed_over_ = true;
  }
  // There was nobody to take it. The input stays detached.
  void take_back() noexcept { handed_over_ = false; }
  // Once past its deadline, the error that its caller is to get in its place, of which the
  // connection then expects the reply.
  std::optional<Error> expire(SteadyClock::time_point now) {
    if (now < deadline()) return {};
    std::optional<Error> error = timeout_error();  // first, since there may be no memory for it
    cancel(CancelReason::deadline);
    const std::lock_guard<std::mutex> lock(connection_.mutex());
    if (replied_) return {};
    replied_ = failed_ = true;
    if (message_.kind == MessageKind::notify) return {};
    connection_.add_late_reply();
    return error;
  }
  const Message& message() const noexcept { return message_; }

  // ---- Any thread that keeps this call from ending: through the connection's mutex or as above.

  // Asks the handler to stop. Must be called without the connection's mutex by who holds the
  // worker's; with it by all others, see cancel_locked().
  void cancel(CancelReason reason) {
    std::shared_ptr<CancelState> state;
    {
      const std::lock_guard<std::mutex> lock(connection_.mutex());
      state = cancel_locked(reason);
    }
    if (state != nullptr) state->cancel(reason);
  }
  // Connection's mutex held. The caller cancels what is returned after it has let go of the mutex.
  [[nodiscard]] std::shared_ptr<CancelState> cancel_locked(CancelReason reason) {
    if (cancel_reason_ == CancelReason::none) cancel_reason_ = reason;
    return cancel_state_;
  }

 private:
  SteadyClock::time_point deadline() const noexcept {
    return SteadyClock::time_point(
        SteadyClock::duration(deadline_.load(std::memory_order_acquire)));
  }
  Error timeout_error() const {
    return {StatusCode::deadline_exceeded,
            std::string(kHandleTimeoutText) + ": expect within " + duration_text(limit_)};
  }

  // The handler is done. From here on the monitor does not claim this call any more, or it has and
  // is through with it.
  void stop_running() {
    if (worker_.end()) was_claimed_ = true;
    ended_ = SteadyClock::now();
  }

  // Writes the reply, unless somebody has done so.
  template <class Write>
  void finish(Write&& write) {
    if (was_claimed_) {
      const std::lock_guard<std::mutex> lock(connection_.mutex());
      if (replied_) return;
      replied_ = true;
    }
    if (limit_.count() != 0 && ended_ >= deadline()) return write_timeout();
    if (message_.kind == MessageKind::notify) return;
    // Counted before the caller hears of it. Who was claimed may no longer be the one who reads.
    const auto write_and_count = [&](Buffer& out) {
      write(out);
      count();
    };
    sent_ = !was_claimed_ && connection_.input_is_used_up();
    connection_works_ = connection_.append(write_and_count, sent_);
  }
  // Once, as soon as it is known whether it failed.
  void count() {
    if (!std::exchange(counted_, true)) handler_.counters.end(ended_ - started_, failed_);
  }
  void write_timeout() {
    failed_ = true;
    count();
    if (message_.kind == MessageKind::notify) return;
    connection_works_ = connection_.append([this](Buffer& out) {
      connection_.wire().write_error(out, message_.seq, message_.method, timeout_error());
    });
  }
  static Error bad_result(const std::string& why) {
    return {StatusCode::internal, "rpc server: can't encode the result" + why};
  }
  void refuse_result(Buffer& out, const Error& error) {
    failed_ = true;
    connection_.wire().write_error(out, message_.seq, message_.method, error);
  }

  ServerConnection& connection_;
  Worker& worker_;
  Message& message_;
  Handler& handler_;
  const std::chrono::nanoseconds max_handle_time_;
  const SteadyClock::time_point started_;
  SteadyClock::time_point ended_;  // once stop_running()
  std::chrono::nanoseconds limit_{0};
  std::atomic<SteadyClock::rep> deadline_{
      SteadyClock::time_point::max().time_since_epoch().count()};
  std::optional<Context> context_;
  bool handler_began_ = false;
  bool failed_ = false;  // written by the monitor, too, until stop_running()
  bool counted_ = false;

  bool was_claimed_ = false;
  bool connection_works_ = true;
  bool sent_ = false;

  // Guarded by the worker's mutex, once claimed.
  bool handed_over_ = false;
  bool input_detached_ = false;
  Buffer input_;  // what the message's views point into, once handed over

  // Guarded by the connection's mutex.
  std::shared_ptr<CancelState> cancel_state_;
  CancelReason cancel_reason_ = CancelReason::none;
  bool replied_ = false;
};

// One of the connection's slow calls, or all of them. Any thread.
inline void cancel_call(ServerConnection& connection, std::uint64_t seq) {
  std::shared_ptr<CancelState> state;
  {
    const std::lock_guard<std::mutex> lock(connection.mutex());
    for (RunningCall* const call : connection.slow_calls()) {
      if (call->seq() == seq) state = call->cancel_locked(CancelReason::requested);
    }
  }
  if (state != nullptr) state->cancel(CancelReason::requested);
}
inline void cancel_calls(ServerConnection& connection, CancelReason reason) {
  std::vector<std::shared_ptr<CancelState>> states;
  {
    const std::lock_guard<std::mutex> lock(connection.mutex());
    for (RunningCall* const call : connection.slow_calls()) {
      states.push_back(call->cancel_locked(reason));
    }
  }
  for (const auto& state : states) {
    if (state != nullptr) state->cancel(reason);
  }
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_RUNNING_CALL_HPP
