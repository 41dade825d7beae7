// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ClientConnection: one connection, shared by all calls of a client.
//
// There is no reader thread between a caller and its reply: a caller that finds nobody reading
// becomes the reader. It completes the calls of others as their replies come and, once it has its
// own, leaves the role to another waiting caller, or to the client's background thread if only
// asynchronous calls are left.

#ifndef GEERPC_CLIENT_CONNECTION_HPP
#define GEERPC_CLIENT_CONNECTION_HPP

#include <algorithm>    // min
#include <chrono>       // milliseconds
#include <functional>   // function
#include <memory>       // shared_ptr, unique_ptr
#include <mutex>        // mutex
#include <new>          // bad_alloc
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/client/pending_calls.hpp>
#include <geerpc/client/reply_reader.hpp>
#include <geerpc/net/outbox.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Thread-safe. Lives for as long as anybody holds it; dead once the stream has ended.
class ClientConnection {
 public:
  static constexpr std::uint64_t kAll = ~std::uint64_t{0};  // requests, for all we know

  // `poke_background` is called, with the mutex held, when asynchronous calls are left and nobody
  // reads. `unread` is what came behind the handshake.
  ClientConnection(Socket socket, std::unique_ptr<Wire> wire, std::string_view opening,
                   Buffer unread, std::size_t max_queued, std::function<void()> poke_background)
      : poke_background_(std::move(poke_background)),
        socket_(std::move(socket)),
        wire_(std::move(wire)),
        outbox_(socket_, max_queued),
        reader_(socket_, waker_, *wire_, std::move(unread)) {
    outbox_.append([&](Buffer& out) { out.append(opening); });  // leaves with the first request
  }

  ~ClientConnection() { fail({StatusCode::unavailable, "the connection was given up"}); }

  // False once the stream is known to have ended. While nobody reads, the server may have said so
  // unnoticed; to look costs a system call, so that is done after a silence only.
  bool alive() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_ || reading_ || !pending_.idle_for(kSilence)) return !dead_;
      reading_ = true;
    }
    receive(SteadyClock::now(), true);
    const std::lock_guard<std::mutex> lock(mutex_);
    reading_ = false;
    wake_next_reader();
    return !dead_;
  }

  // Sends a request and waits for its reply: then the call is done, with a result or an error.
  // Throws Error (which says whether the request never ran) if it could not be sent.
  void run(WaitingCall& call, RequestHeader header, const Context& context,
           FunctionRef<void(Buffer&)> body) {
    std::optional<CancelCallback> on_cancel;
    if (context.cancel_token().can_be_cancelled()) {
      on_cancel.emplace(context.cancel_token(), [this, &call] {
        const std::lock_guard<std::mutex> lock(mutex_);
        call.cancelled = true;
        call.wake();
        waker_.wake();
      });
    }
    start(call, header, body, true);
    wait(call, on_cancel.has_value());
  }

  // Registers the call, sends its request and comes back: for asynchronous calls, whose `self` is
  // set. If it may not wait, what can't be sent at once is left to the background thread. Somebody
  // must then read. Throws as run() does, and then the call is not pending.
  void start(Call& call, RequestHeader header, FunctionRef<void(Buffer&)> body,
             bool may_wait = false) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) throw death_->never_ran();
      pending_.add(call);
    }
    header.seq = call.seq;
    try {
      write_request(header, call.deadline, &call, body, may_wait);
    } catch (...) {
      std::shared_ptr<Call> released;
      const std::lock_guard<std::mutex> lock(mutex_);
      // Completed meanwhile, or about to be: by its reply or the connection's own error.
      if (!call.pending || call.decoding) return;
      released = pending_.remove(call);
      throw;
    }
  }

  // Sends a request that gets no reply.
  void notify(RequestHeader header, SteadyClock::time_point deadline,
              FunctionRef<void(Buffer&)> body) {
    header.kind = wire_->has_notify() ? MessageKind::notify : MessageKind::request;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) throw death_->never_ran();
      header.seq = pending_.skip();
    }
    write_request(header, deadline, nullptr, body, true);
  }

  // Gives up a call that is still pending. Its late reply will be dropped, and the server is told.
  void abandon(Call& call, Error error) {
    CompletedCall completed;
    std::uint64_t seq = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!call.pending || call.decoding) return;
      seq = call.seq;
      completed = pending_.complete(call, std::move(error));
    }
    write_cancel(seq);
  }

  // Ends the connection and with it every call in flight. The first cause stays. `requests_read`:
  // how many of our requests the server read before it went away.
  void fail(const Error& cause, std::uint64_t requests_read = kAll) {
    std::vector<CompletedCall> completed;
    // First of all nothing more is sent, so that what was is known.
    outbox_.seal(ECONNABORTED);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) return;
      dead_ = true;
      death_ = cause;
      pending_.for_each([&](Call& call) {
        if (call.decoding) return;  // its reply is here; the reader completes it
        const bool ran = call.ordinal != 0 && call.ordinal <= requests_read;
        completed.push_back(pending_.complete(call, ran ? cause : cause.never_ran()));
      });
      waker_.wake();
    }
    socket_.shutdown();  // wakes a reader that blocks
  }

  // For the background thread: reads, if nobody does, until `deadline` at most or until woken, or
  // not at all if `wanted` says so in the reader's role, in which nobody else takes its wake-ups.
  // False if somebody else is reading, or the connection is dead.
  bool read_in_background(SteadyClock::time_point deadline, FunctionRef<bool()> wanted) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_ || reading_) return false;
      reading_ = true;
    }
    if (wanted()) receive(deadline, true);
    const std::lock_guard<std::mutex> lock(mutex_);
    reading_ = false;
    if (!sleepers_.empty()) sleepers_.wake_one();  // else this thread goes on by itself
    return true;
  }
  void wake_background_reader() const noexcept { waker_.wake(); }

  // Gives up the asynchronous calls whose deadline has passed. Returns the next deadline.
  SteadyClock::time_point expire(SteadyClock::time_point now) {
    SteadyClock::time_point next = SteadyClock::time_point::max();
    std::vector<std::shared_ptr<Call>> late;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      late = pending_.late(now, next);
    }
    for (const std::shared_ptr<Call>& call : late) abandon(*call, deadline_error());
    return next;
  }

  bool has_async_calls() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return pending_.async_calls() != 0;
  }

  // Sends what an impatient sender left behind, waiting until `deadline` at most. False if
  // something is left still.
  bool flush_leftovers(SteadyClock::time_point deadline) {
    if (!outbox_.needs_flush()) return true;
    const auto blocked = [&] { return wait_to_send(deadline, nullptr); };
    const Outbox::Result result = outbox_.flush(blocked);
    if (result == Outbox::Result::broken) fail_from_outbox();
    return result != Outbox::Result::gave_up;
  }

  // True if a further request may be queued; waits for that until `deadline`.
  bool wait_for_room(SteadyClock::time_point deadline) { return outbox_.wait_for_room(deadline); }

 private:
  // A sender that can't go on looks this often whether it could read instead.
  static constexpr std::chrono::milliseconds kTick{100};
  static constexpr std::chrono::milliseconds kSilence{1000};

  void write_request(const RequestHeader& header, SteadyClock::time_point deadline, Call* call,
                     FunctionRef<void(Buffer&)> body, bool may_wait) {
    if (may_wait && !wait_for_room(SteadyClock::time_point::min())) wait_for_room(deadline, call);
    const auto write = [&](Buffer& out) {
      try {
        wire_->write_request(out, header, body);
      } catch (const Error& error) {
        throw error.never_ran();
      }
      ++requests_sent_;
      if (call != nullptr) call->ordinal = requests_sent_;
    };
    const auto blocked = [&] { return may_wait && wait_to_send(deadline, call); };
    settle(outbox_.append_and_flush(write, blocked));
  }
  void settle(Outbox::Result result) {
    if (result == Outbox::Result::gave_up) poke_background_();  // it sends the rest
    if (result == Outbox::Result::broken) fail_from_outbox();
  }

  // For a caller that waits. Throws Error if there is no room in time, or no longer a reason.
  void wait_for_room(SteadyClock::time_point deadline, const Call* call) {
    for (;;) {
      const auto now = SteadyClock::now();
      if (wait_for_room((std::min)(deadline, now + kTick))) return;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) throw death_->never_ran();
      if (call != nullptr && call->cancelled) throw cancelled_error().never_ran();
      if (now >= deadline) throw deadline_error().never_ran();
    }
  }

  void write_cancel(std::uint64_t seq) {
    const auto write = [&](Buffer& out) { wire_->write_cancel(out, seq); };
    const auto never_wait = [] { return false; };
    settle(outbox_.append_and_flush(write, never_wait));
  }

  // The socket takes no more. The server may be in the same state, so read while waiting. False
  // when the caller should give up.
  bool wait_to_send(SteadyClock::time_point deadline, const Call* call) {
    bool reading = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_ || (call != nullptr && call->cancelled)) return false;
      if (!reading_) reading = reading_ = true;
    }
    const auto now = SteadyClock::now();
    pollfd fds[1] = {{socket_.fd(), static_cast<short>(reading ? POLLIN | POLLOUT : POLLOUT), 0}};
    // Not for long at once: the reader may leave its role, the call may be cancelled.
    poll_until(fds, (std::min)(deadline, now + kTick));
    if (reading) {
      if ((fds[0].revents & POLLIN) != 0) receive(now, false);
      const std::lock_guard<std::mutex> lock(mutex_);
      reading_ = false;
      wake_next_reader();
    }
    return now < deadline;
  }

  // Waits until the call is done, as the reader if nobody else is.
  void wait(WaitingCall& call, bool can_be_cancelled) {
    std::unique_lock<std::mutex> lock(mutex_);
    bool expired = false;
    std::uint64_t abandoned = 0;
    while (!call.done) {
      if (call.decoding) {
        sleepers_.sleep(lock, call, SteadyClock::time_point::max());  // a matter of microseconds
      } else if (call.cancelled || expired) {
        abandoned = call.seq;
        (void)pending_.complete(call, call.cancelled ? cancelled_error() : deadline_error());
      } else if (!reading_) {
        reading_ = true;
        lock.unlock();
        const bool received = receive(call.deadline, can_be_cancelled);
        lock.lock();
        reading_ = false;
        // A server that never stops talking must not make us deaf to the clock.
        expired = !received || (!call.done && SteadyClock::now() >= call.deadline);
      } else {
        expired = !sleepers_.sleep(lock, call, call.deadline);
      }
    }
    wake_next_reader();
    lock.unlock();
    if (abandoned != 0) write_cancel(abandoned);
  }

  // Mutex held. Whoever leaves the reader's role, or leaves while it is free, calls this.
  void wake_next_reader() {
    if (reading_ || dead_) return;
    if (!sleepers_.empty()) {
      sleepers_.wake_one();
    } else if (pending_.async_calls() != 0) {
      poke_background_();
    }
  }

  // In the reader's role, without the mutex: receives once and completes the calls whose replies
  // are then there. False if `deadline` has passed with nothing read.
  bool receive(SteadyClock::time_point deadline, bool wakeable) {
    try {
      const ReplyReader::Outcome outcome = reader_.receive(deadline, wakeable);
      if (outcome == ReplyReader::Outcome::timeout) return false;
      if (outcome == ReplyReader::Outcome::ended) fail(reader_.end());
      if (outcome != ReplyReader::Outcome::received) return true;
      while (const Message* const message = reader_.next()) dispatch(*message);
    } catch (const Error& error) {
      fail({StatusCode::data_loss, "the server sent nonsense: " + error.cause()});
    } catch (const std::bad_alloc&) {
      fail({StatusCode::resource_exhausted, "out of memory for a reply"});
    }
    return true;
  }

  void dispatch(const Message& message) {
    if (message.kind == MessageKind::goaway) {
      fail({StatusCode::unavailable, "connection closed by the server"}, message.seq);
      return;
    }
    std::optional<Error> error;
    if (message.kind == MessageKind::error) {
      error.emplace(message.code, std::string(message.text));
      if (!message.may_have_run) error = error->never_ran();
      if (message.whole_connection) {  // e.g. the option was refused
        fail(*error, message.may_have_run ? kAll : 0);
        return;
      }
    } else if (message.kind != MessageKind::reply) {
      return;
    } else if (message.too_large != 0) {
      error = wire_->too_large(message.too_large);
    }
    CompletedCall completed;  // dropped without the mutex
    std::unique_lock<std::mutex> lock(mutex_);
    Call* const call = pending_.find(message.seq);
    if (call == nullptr || call->decoding) return;  // late, or never asked for
    if (!error) {
      call->decoding = true;
      lock.unlock();
      error = call->try_decode(wire_->codec(), message.body, wire_->limits().decode);
      lock.lock();
      call->decoding = false;
    }
    completed = pending_.complete(*call, std::move(error));
    lock.unlock();
  }

  // The server's last words may say more than the error of our write: read them first, or leave it
  // to the reader, who is about to.
  void fail_from_outbox() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_ || reading_) return;
      reading_ = true;
    }
    while (receive(SteadyClock::now(), true)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) break;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      reading_ = false;
    }
    fail({StatusCode::unavailable, "connection lost: " + errno_text(outbox_.error())});
  }

  const std::function<void()> poke_background_;
  const Socket socket_;
  const std::unique_ptr<Wire> wire_;
  const Waker waker_;  // wakes the reader, if it polls

  std::mutex mutex_;
  // Guarded by mutex_.
  PendingCalls pending_;
  Sleepers sleepers_;  // callers that wait while another thread reads
  bool reading_ = false;
  bool dead_ = false;
  std::optional<Error> death_;  // why dead_

  Outbox outbox_;
  std::uint64_t requests_sent_ = 0;  // guarded by the outbox's mutex

  ReplyReader reader_;  // of the thread that set reading_
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CONNECTION_HPP
