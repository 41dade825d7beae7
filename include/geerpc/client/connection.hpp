// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ClientConnection: one connection, shared by all calls of a client.
//
// The writing half, and what callers and the background thread do with both.

#ifndef GEERPC_CLIENT_CONNECTION_HPP
#define GEERPC_CLIENT_CONNECTION_HPP

#include <algorithm>    // min
#include <atomic>       // atomic
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

#include <geerpc/base/hot_path.hpp>
#include <geerpc/client/reading_half.hpp>
#include <geerpc/net/outbox.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Thread-safe. Lives for as long as anybody holds it; dead once the stream has ended.
class ClientConnection final : private ReadingHalf {
 public:
  using ReadingHalf::alive;
  using ReadingHalf::Look;
  using ReadingHalf::look;

  // `poke_background`: see ReadingHalf. `unread` is what came behind the handshake.
  ClientConnection(Socket socket, std::unique_ptr<Wire> wire, std::string_view opening,
                   Buffer unread, std::size_t max_queued, std::function<void(bool)> poke_background)
      : ReadingHalf(std::move(socket), std::move(wire), std::move(unread),
                    std::move(poke_background)),
        outbox_(socket_, max_queued) {
    outbox_.append([&](Buffer& out) { out.append(opening); });  // leaves with the first request
  }

  ~ClientConnection() { fail({StatusCode::unavailable, "the connection was given up"}); }

  // Sends a request and waits for its reply: then the call is done, with a result or an error.
  // Throws Error (which says whether the request never ran) if it could not be sent.
  GEERPC_HOT void run(Call& call, SteadyClock::time_point now, const RequestHeader& header,
                      const Context& context, EncodeBody body) {
    std::optional<CancelCallback> on_cancel;
    expect_cancel(on_cancel, call, context);
    (void)start(call, now, header, body, Patience::waits);
    std::unique_lock<std::mutex> lock(mutex_);
    wait_locked(lock, call, call.deadline, on_cancel.has_value(), now);
    if (!lock.owns_lock()) return;
    std::uint64_t abandoned = 0;
    if (!call.done) {
      abandoned = call.seq;
      (void)pending_.complete(call, call.cancelled ? cancelled_error() : deadline_error());
    }
    wake_next_reader();
    lock.unlock();
    if (abandoned != 0) write_cancel(abandoned);
  }

  // What a sender does when the socket takes no more, and whether it sends at all.
  enum class Patience {
    waits,   // until its deadline; it is going to wait for the reply anyway
    hurries  // leaves the rest to the background thread; see also may_defer
  };

  // Registers the call, sends its request and comes back. Throws as run() does, and then the call
  // is not pending; the same holds if it is false, because too much is queued. `may_defer`: while
  // other calls are in flight the request may wait for others to leave with it, until somebody
  // waits for a reply, or the background thread or the caller calls flush_now().
  GEERPC_HOT bool start(Call& call, SteadyClock::time_point now, RequestHeader header,
                        EncodeBody body, Patience patience, bool may_defer = false) {
    bool alone = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) throw death_->never_ran();
      pending_.add(call);
      ++begun_;
      alone = pending_.size() == 1;
    }
    header.seq = call.seq;
    const std::size_t enough = may_defer && !alone ? kWorthSending : 0;
    std::shared_ptr<Call> released;
    try {
      if (write_request(now, header, call.deadline, call, body, patience, enough)) return true;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!call.pending) return true;  // the connection failed meanwhile
      released = pending_.remove(call);
      return false;
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      // Completed meanwhile, or about to be: by its reply or the connection's own error.
      if (!call.pending || call.decoding) return true;
      released = pending_.remove(call);
      throw;
    }
  }

  // Sends a request that gets no reply.
  void notify(SteadyClock::time_point now, RequestHeader header, const Context& context,
              SteadyClock::time_point deadline, EncodeBody body) {
    header.kind = wire_->has_notify() ? MessageKind::notify : MessageKind::request;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) throw death_->never_ran();
      header.seq = pending_.skip();
    }
    SyncCall<void> call;  // never pending
    std::optional<CancelCallback> on_cancel;
    expect_cancel(on_cancel, call, context);
    write_request(now, header, deadline, call, body, Patience::waits, 0);
  }

  // Waits until a call that start() sent is done; false at `until`.
  bool wait(Call& call, SteadyClock::time_point until, bool wakeable) {
    if (call.done.load(std::memory_order_acquire)) return true;
    auto now = SteadyClock::now();
    const auto limit = (std::min)(until, call.deadline);
    const auto blocked = [&] { return wait_to_send(limit, &call); };
    settle(outbox_.flush(blocked));
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wait_locked(lock, call, limit, wakeable, now);
      if (!lock.owns_lock()) return true;
      wake_next_reader();
      if (call.done) return true;
    }
    now = SteadyClock::now();
    if (now < call.deadline) return false;
    abandon(call, deadline_error());
    return call.done.load(std::memory_order_acquire);
  }

  // Gives up a call that is still pending. Its late reply will be dropped, and the server is told.
  void abandon(Call& call, Error error) {
    CompletedCalls completed;
    std::uint64_t seq = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!call.pending || call.decoding) return;
      seq = call.seq;
      completed.add(pending_.complete(call, std::move(error)));
      if (reading_) waker_.wake();  // it may be the one who waits for this call
    }
    completed.announce();
    write_cancel(seq);
  }

  // Ends the connection and with it every call in flight. The first cause stays. `requests_read`:
  // how many of our requests the server read before it went away.
  void fail(const Error& cause, std::uint64_t requests_read = kAll) override {
    // First the cause, which a sender who finds the outbox sealed would not know. Then nothing more
    // is sent, so that what was is known.
    set_death(cause, requests_read);
    outbox_.seal(ECONNABORTED);
    end_all();
  }

  // ---- For the background thread and the callback thread.

  // Reads once, if nobody else does, until `deadline` at most or until woken, or not at all if
  // `wanted` says so in the reader's role, in which nobody else takes its wake-ups. False if
  // somebody else reads then, or the connection is dead. `ticks`: the background is back in a
  // moment.
  bool read_in_background(SteadyClock::time_point deadline, bool ticks,
                          FunctionRef<bool()> wanted) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (dead_ || reading_) return false;
    background_reads_ = true;
    may_defer_.store(ticks, std::memory_order_seq_cst);
    Turn turn(*this, lock);
    // From here on nobody leaves a request to us any more, but somebody may have until now.
    if (!ticks) flush_now();
    if (wanted()) receive(SteadyClock::now(), deadline, true, nullptr);
    flush_now();
    turn.end();
    background_reads_ = false;
    may_defer_.store(true, std::memory_order_seq_cst);
    if (sleepers_.empty()) return true;
    sleepers_.wake_last();
    return false;
  }
  // Whether the background thread soon looks for requests that were left to leave with others.
  bool may_defer() const noexcept { return may_defer_.load(std::memory_order_seq_cst); }
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

  // Sends requests that were left for others to leave with, if none came. False if something is
  // left still after `deadline`.
  bool flush_forgotten(SteadyClock::time_point deadline) {
    if (!outbox_.looks_forgotten()) return true;
    return flush_leftovers(deadline);
  }
  bool flush_leftovers(SteadyClock::time_point deadline) {
    if (!outbox_.needs_flush()) return true;
    const auto blocked = [&] { return wait_to_send(deadline, nullptr); };
    const Outbox::Result result = outbox_.flush(blocked);
    if (result == Outbox::Result::broken) fail_from_outbox();
    return result != Outbox::Result::gave_up;
  }
  // Sends what is queued as far as that is possible without waiting. Any thread.
  void flush_now() {
    const auto never_wait = [] { return false; };
    settle(outbox_.flush(never_wait));
  }

  // True if a further request may be queued; waits for that until `deadline`.
  bool wait_for_room(SteadyClock::time_point deadline) { return outbox_.wait_for_room(deadline); }

 private:
  // A sender that can't go on looks this often whether it could read instead.
  static constexpr std::chrono::milliseconds kTick{100};
  static constexpr std::size_t kWorthSending = 2u << 10;

  // The thread whose call it is hears of the cancellation.
  void expect_cancel(std::optional<CancelCallback>& on_cancel, Call& call, const Context& context) {
    if (!context.cancel_token().can_be_cancelled()) return;
    on_cancel.emplace(context.cancel_token(), [this, &call] {
      const std::lock_guard<std::mutex> lock(mutex_);
      call.cancelled = true;
      call.wake();
      waker_.wake();
    });
  }

  // False if too much is queued and the sender does not wait.
  GEERPC_HOT bool write_request(SteadyClock::time_point now, const RequestHeader& header,
                                SteadyClock::time_point deadline, Call& call, EncodeBody body,
                                Patience patience, std::size_t enough) {
    last_use_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    const auto write = [&](Buffer& out) {
      try {
        wire_->write_request(out, header, body);
      } catch (const Error& error) {
        throw error.never_ran();
      }
      ++requests_sent_;
      call.ordinal = requests_sent_;
    };
    const bool waits = patience == Patience::waits;
    const auto blocked = [&] { return waits && wait_to_send(deadline, &call); };
    for (;;) {
      const Outbox::Result result = outbox_.append_and_flush(write, enough, blocked);
      if (result != Outbox::Result::full) {
        settle(result);
        return true;
      }
      // It may be that nobody sends what is queued.
      const Outbox::Result flushed = outbox_.flush(blocked);
      settle(flushed);
      if (flushed == Outbox::Result::sent || flushed == Outbox::Result::broken) continue;
      if (!waits) return false;
      wait_for_room(deadline, call);
    }
  }
  void settle(Outbox::Result result) {
    if (result == Outbox::Result::gave_up) poke_background_(true);  // it sends the rest
    if (result == Outbox::Result::broken) fail_from_outbox();
  }

  // For a caller that waits. Throws Error if there is no room in time, or no longer a reason.
  void wait_for_room(SteadyClock::time_point deadline, const Call& call) {
    for (;;) {
      const auto now = SteadyClock::now();
      if (wait_for_room((std::min)(deadline, now + kTick))) return;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) throw death_->never_ran();
      if (call.cancelled) throw cancelled_error().never_ran();
      if (now >= deadline) throw deadline_error().never_ran();
    }
  }

  void write_cancel(std::uint64_t seq) {
    const auto write = [&](Buffer& out) { wire_->write_cancel(out, seq); };
    const auto never_wait = [] { return false; };
    settle(outbox_.append_and_flush(write, 0, never_wait));
  }

  // The socket takes no more. The server may be in the same state, so read while waiting. False
  // when the caller should give up.
  bool wait_to_send(SteadyClock::time_point deadline, const Call* call) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (dead_) return false;
    if (call != nullptr && (call->cancelled || (call->done && call->error))) return false;
    const auto now = SteadyClock::now();
    // Not for long at once: the reader may leave its role, the call may be cancelled.
    const auto until = (std::min)(deadline, now + kTick);
    if (reading_) {
      lock.unlock();
      socket_.wait_writable(until);
    } else {
      Turn turn(*this, lock);
      pollfd fds[1] = {{socket_.fd(), POLLIN | POLLOUT, 0}};
      poll_until(fds, until);
      if ((fds[0].revents & POLLIN) != 0) receive(now, now, false, nullptr);
      turn.end();
      wake_next_reader();
    }
    return now < deadline;
  }

  // The server's last words may say more than the error of our write: read them first, or leave it
  // to the reader, who is about to.
  void fail_from_outbox() {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (dead_ || reading_) return;
      Turn turn(*this, lock);
      const auto now = SteadyClock::now();
      while (!dead_ && receive(now, now, true, nullptr)) {
      }
      turn.end();
    }
    fail({StatusCode::unavailable, "connection lost: " + errno_text(outbox_.error())});
  }

  std::atomic<bool> may_defer_{true};

  Outbox outbox_;
  std::uint64_t requests_sent_ = 0;  // guarded by the outbox's mutex
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CONNECTION_HPP
