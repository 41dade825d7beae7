// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ReadingHalf: who reads a client's connection, and what becomes of the replies.
//
// There is no reader thread between a caller and its reply: a caller that finds nobody reading
// becomes the reader. It completes the calls of others as their replies come and, once it has its
// own, leaves the role to another waiting caller, or to the client's background thread if only
// asynchronous calls are left. The background thread gives way to a caller that comes to wait.

#ifndef GEERPC_CLIENT_READING_HALF_HPP
#define GEERPC_CLIENT_READING_HALF_HPP

#include <atomic>      // atomic
#include <chrono>      // milliseconds
#include <exception>   // exception
#include <functional>  // function
#include <memory>      // shared_ptr, unique_ptr
#include <mutex>       // mutex
#include <optional>    // optional
#include <string>      // string
#include <utility>     // move

#include <geerpc/base/hot_path.hpp>
#include <geerpc/client/pending_calls.hpp>
#include <geerpc/client/reply_reader.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Thread-safe but for what says otherwise.
class ReadingHalf {
 public:
  static constexpr std::uint64_t kAll = ~std::uint64_t{0};  // requests, for all we know

  ReadingHalf(const ReadingHalf&) = delete;
  ReadingHalf& operator=(const ReadingHalf&) = delete;

  // False once the stream is known to have ended. While nobody reads, the server may have said so
  // unnoticed; to look costs a system call, so that is done after a silence only.
  bool alive(SteadyClock::time_point now) {
    if (dead_.load(std::memory_order_acquire)) return false;
    const auto since = now.time_since_epoch().count() - last_use_.load(std::memory_order_relaxed);
    if (SteadyClock::duration(since) <= kSilence) return true;
    std::unique_lock<std::mutex> lock(mutex_);
    if (dead_ || reading_ || pending_.size() != 0) return !dead_;
    if (in_doubt_) {
      // Dead before the lock is free: a call that began then would be lost with the connection.
      if (!death_) {
        death_.emplace(StatusCode::unavailable, "connection given up: the server may hang up");
      }
      dead_.store(true, std::memory_order_release);
      lock.unlock();
      socket_.shutdown();
      fail(*death_);
      return false;
    }
    Turn turn(*this, lock);
    receive(now, now, true, nullptr);
    turn.end();
    wake_next_reader();  // somebody may have come meanwhile
    return !dead_;
  }

  struct Look {
    bool async_calls;  // there are some
    bool read;         // somebody reads, or has since the last look
    bool busy;         // many have begun since the last look
  };
  Look look() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool read = reading_ || turns_ != turns_at_last_look_;
    const bool busy = begun_ - begun_at_last_look_ >= kBusy;
    turns_at_last_look_ = turns_;
    begun_at_last_look_ = begun_;
    return {pending_.async_calls() != 0, read, busy};
  }

 protected:
  // `poke_background(urgent)` is called, perhaps with the mutex held, when there is something to do
  // for the background thread: urgent, if it would not find out by itself. `unread` is what came
  // behind the handshake.
  ReadingHalf(Socket socket, std::unique_ptr<Wire> wire, Buffer unread,
              std::function<void(bool)> poke_background)
      : poke_background_(std::move(poke_background)),
        socket_(std::move(socket)),
        wire_(std::move(wire)),
        pending_(wire_->first_seq()),
        reader_(socket_, waker_, *wire_, std::move(unread)) {}
  ~ReadingHalf() = default;

  // Ends the connection, see set_death() and end_all().
  virtual void fail(const Error& cause, std::uint64_t requests_read = kAll) = 0;

  // The reader's role, from its taking to its end, between which the mutex is free.
  class Turn {
   public:
    Turn(ReadingHalf& half, std::unique_lock<std::mutex>& lock) : half_(half), lock_(lock) {
      half_.reading_ = true;
      ++half_.turns_;
      lock_.unlock();
    }
    void end() {
      lock_.lock();
      half_.reading_ = false;
      if (half_.pending_.size() == 0) half_.reader_.release();
    }

   private:
    ReadingHalf& half_;
    std::unique_lock<std::mutex>& lock_;
  };

  // What came for the reader itself: decoded already, to be completed under the next lock.
  struct OwnReply {
    explicit OwnReply(Call& own) : call(own) {}
    Call& call;
    bool here = false;
    std::optional<Error> error;
  };

  // Mutex not held. Why the connection is about to end: the first cause stays. `requests_read`: how
  // many of our requests the server read before it went away.
  void set_death(const Error& cause, std::uint64_t requests_read) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (death_) return;
    death_ = cause;
    requests_read_ = requests_read;
  }
  // After set_death(), mutex not held. Ends the stream and with it every call in flight.
  void end_all() {
    CompletedCalls completed;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (dead_) return;
      dead_.store(true, std::memory_order_release);
      pending_.for_each([&](Call& call) {
        if (call.decoding) return;  // its reply is here; the reader completes it
        const bool ran = call.ordinal != 0 && call.ordinal <= requests_read_;
        completed.add(pending_.complete(call, ran ? *death_ : death_->never_ran()));
      });
      waker_.wake();
    }
    socket_.shutdown();  // wakes a reader that blocks
    completed.announce();
  }

  // Waits until the call is done, as the reader if nobody else is, and comes back earlier at
  // `until` or once the call is cancelled. Comes back without the lock if the call is done and
  // nothing is left to see to; else whoever calls this then calls wake_next_reader().
  //
  // Who has read for long, and nearly always for others, stops: they are at it all the time, and a
  // thread that reads for them costs them a change of threads for each call. As a deputy it only
  // looks now and then whether anybody still reads.
  GEERPC_HOT void wait_locked(std::unique_lock<std::mutex>& lock, Call& call,
                              SteadyClock::time_point until, bool wakeable,
                              SteadyClock::time_point now) {
    bool in_time = true, deputy = false;
    SteadyClock::time_point reading_since = now;
    std::uint64_t served_before = served_;
    while (!call.done && (call.decoding || (in_time && !call.cancelled))) {
      if (call.decoding) {  // a matter of microseconds
        sleep(lock, call, SteadyClock::time_point::max(), true);
      } else if (deputy) {
        const std::uint64_t turns = turns_;
        sleep(lock, call, (std::min)(until, now + kPatience), false);
        if (!lock.owns_lock()) return;
        deputy = turns_ != turns;
        reading_since = now = SteadyClock::now();
        served_before = served_;
        in_time = now < until;
      } else if (reading_) {
        if (background_reads_) waker_.wake();  // it gives way
        in_time = sleep(lock, call, until, true);
        if (!lock.owns_lock()) return;
        served_before = served_;
      } else {
        OwnReply own(call);
        Turn turn(*this, lock);
        in_time = receive(now, until, wakeable, &own);
        turn.end();
        if (own.here) complete(own);
        if (call.done) break;
        // A server that never stops talking must not make us deaf to the clock.
        now = SteadyClock::now();
        in_time = in_time && now < until;
        if (now - reading_since < kPatience) continue;
        deputy = served_ - served_before >= kMany;
        reading_since = now;
        served_before = served_;
        if (deputy) wake_next_reader();
      }
    }
  }

  // Until woken; false at `deadline`. Wakes up without the lock if the call is done and this thread
  // is not asked to read, which only those are who are `ready` to.
  bool sleep(std::unique_lock<std::mutex>& lock, Call& call, SteadyClock::time_point deadline,
             bool ready) {
    Sleeper me(call.sleeper);
    if (ready) sleepers_.add(me);
    lock.unlock();
    const bool in_time = me.sleep_until(deadline);
    if (in_time && !me.is_to_read() && call.done.load(std::memory_order_acquire)) return true;
    lock.lock();
    if (in_time) return true;
    if (call.sleeper == &me) {
      me.take();
      return false;
    }
    lock.unlock();  // somebody has taken us and is about to wake us
    me.sleep_until(SteadyClock::time_point::max());
    lock.lock();
    return true;
  }

  // Mutex held, also while what complete() returns is dropped: the reader holds its call itself,
  // and no callback waits for one that a thread waits for.
  void complete(OwnReply& own) {
    own.here = false;
    if (own.call.pending) (void)pending_.complete(own.call, std::move(own.error));
  }

  // Mutex held. Whoever leaves the reader's role, or leaves while it is free, calls this.
  void wake_next_reader() {
    if (reading_ || dead_) return;
    if (!sleepers_.empty()) {
      sleepers_.wake_last();
    } else if (pending_.async_calls() != 0) {
      poke_background_(false);
    }
  }

  // In the reader's role, without the mutex: receives once and completes the calls whose replies
  // are then there. False if `deadline` has passed with nothing read. The reader's own call, if it
  // waits for one, is left to it.
  bool receive(SteadyClock::time_point now, SteadyClock::time_point deadline, bool wakeable,
               OwnReply* own) {
    try {
      const ReplyReader::Outcome outcome = reader_.receive(now, deadline, wakeable);
      if (outcome == ReplyReader::Outcome::timeout) return false;
      if (outcome == ReplyReader::Outcome::ended) fail(reader_.end());
      if (outcome != ReplyReader::Outcome::received) return true;
      while (Message* const message = reader_.next()) dispatch(*message, own);
    } catch (const Error& error) {
      fail({StatusCode::data_loss, "the server sent nonsense: " + error.cause()});
    } catch (const std::exception&) {
      fail({StatusCode::resource_exhausted, "out of memory for a reply"});
    }
    completed_.announce();
    return true;
  }

  GEERPC_HOT void dispatch(Message& message, OwnReply* own) {
    if (own != nullptr && own->here) {  // what follows may end the connection: first things first
      const std::lock_guard<std::mutex> lock(mutex_);
      complete(*own);
    }
    if (message.kind == MessageKind::goaway) {
      fail({StatusCode::unavailable, "connection closed by the server"}, message.seq);
      return;
    }
    std::optional<Error> error;
    if (message.kind == MessageKind::error) {
      error.emplace(message.code, std::string(message.text));
      if (!message.may_have_run) error = error->never_ran();
      if (message.may_hang_up) expect_hang_up();
      if (message.whole_connection) {  // e.g. the option was refused
        fail(*error, message.may_have_run ? kAll : 0);
        return;
      }
    } else if (message.kind != MessageKind::reply) {
      return;
    } else if (message.too_large != 0) {
      error = wire_->too_large(message.too_large);
    }
    // Nobody else looks at the result of a call that this thread waits for.
    if (own != nullptr && own->call.seq == message.seq && !own->call.done) {
      own->error = error ? std::move(error) : decode(own->call, message);
      own->here = true;
      return;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    Call* const call = pending_.find(message.seq);
    if (call == nullptr || call->decoding) return;  // late, or never asked for
    if (!error) {
      call->decoding = true;
      lock.unlock();
      error = decode(*call, message);
      lock.lock();
      call->decoding = false;
    }
    ++served_;
    Sleeper* const sleeper = call->take_sleeper();
    completed_.add(pending_.complete(*call, std::move(error)));
    lock.unlock();
    if (sleeper != nullptr) sleeper->wake();
  }
  // The next one who asks whether this connection is alive finds out, as after a silence.
  void expect_hang_up() {
    const std::lock_guard<std::mutex> lock(mutex_);
    in_doubt_ = true;
    last_use_.store((SteadyClock::time_point::min)().time_since_epoch().count() / 2,
                    std::memory_order_relaxed);
  }
  std::optional<Error> decode(Call& call, Message& message) {
    return call.try_decode(wire_->codec(), message.encoded_body(), wire_->limits().decode);
  }

  const std::function<void(bool)> poke_background_;
  const Socket socket_;
  const std::unique_ptr<Wire> wire_;
  const Waker waker_;  // wakes the reader, if it polls

  std::mutex mutex_;
  // Guarded by mutex_.
  PendingCalls pending_;
  Sleepers sleepers_;  // callers that wait while another thread reads
  bool reading_ = false;
  bool background_reads_ = false;    // if reading_: the background thread does
  bool in_doubt_ = false;            // the server may hang up: not for new calls once this is idle
  std::uint64_t turns_ = 0;          // how often the reader's role was taken
  std::uint64_t served_ = 0;         // replies that were read for others
  std::uint64_t begun_ = 0;          // calls
  std::optional<Error> death_;       // why dead_, or about to be
  std::uint64_t requests_read_ = 0;  // if death_

  std::atomic<bool> dead_{false};  // written with the mutex held
  std::atomic<SteadyClock::rep> last_use_{SteadyClock::now().time_since_epoch().count()};

 private:
  static constexpr std::chrono::milliseconds kSilence{1000};
  static constexpr std::chrono::milliseconds kPatience{2};
  static constexpr std::uint64_t kMany = 16;
  static constexpr std::uint64_t kBusy = 8;

  // Guarded by mutex_.
  std::uint64_t turns_at_last_look_ = 0;
  std::uint64_t begun_at_last_look_ = 0;

  // Of the thread that set reading_.
  ReplyReader reader_;
  CompletedCalls completed_;  // to be announced together
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_READING_HALF_HPP
