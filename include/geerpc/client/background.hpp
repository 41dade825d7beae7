// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Background: the one thread of a client that makes asynchronous calls.

#ifndef GEERPC_CLIENT_BACKGROUND_HPP
#define GEERPC_CLIENT_BACKGROUND_HPP

#include <algorithm>           // find, max, min
#include <atomic>              // atomic
#include <condition_variable>  // condition_variable
#include <exception>           // exception
#include <memory>              // enable_shared_from_this, shared_ptr
#include <mutex>               // mutex
#include <optional>            // optional
#include <thread>              // thread
#include <utility>             // exchange, move
#include <vector>              // vector

#include <geerpc/base/hot_path.hpp>
#include <geerpc/client/async_call.hpp>
#include <geerpc/client/channel.hpp>
#include <geerpc/client/dial_thread.hpp>
#include <geerpc/client/waiting_room.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Sends what could not be sent at once because there was no connection, and sees to deadlines and
// cancellations. While asynchronous calls are outstanding its thread looks around every moment: it
// sends what was left for others to leave with, and reads if nobody does, or has the callback
// thread read if there are callbacks. The thread starts with the first asynchronous call, sleeps
// when there was none for a while, and never waits for anything of the user's, nor for a
// connection.
class Background final : public CallbackReader, public std::enable_shared_from_this<Background> {
 public:
  Background(Address address, ClientOptions options)
      : channel_(std::move(address), std::move(options), [this](bool urgent) { attend(urgent); }),
        dial_(channel_, [this] { poke(); }) {}

  Channel& channel() noexcept { return channel_; }

  // Sends the call, whose arguments `encode` appends, or sees that it is sent. Never waits. All
  // errors become the call's.
  void start(const std::shared_ptr<AsyncCall>& call, SteadyClock::time_point now,
             const Context& context, EncodeBody encode) {
    call->can_be_cancelled = context.cancel_token().can_be_cancelled();
    call->has_deadline = context.has_deadline();
    bool line_up = false;
    try {
      if (context.cancelled()) throw cancelled_error();
      const std::shared_ptr<ClientConnection> connection = channel_.current(now);
      line_up = connection == nullptr || lined_up_.load(std::memory_order_relaxed);
      if (!line_up && send(call, connection, now, context.metadata(), encode)) {
        if (asleep_.load(std::memory_order_seq_cst) && !poke()) {
          connection->abandon(*call, no_thread_error());
        }
        return;
      }
      call->context = context;
      call->has_deadline = true;  // by then there is less time left
      encode(early_codec(*channel_.options().codec), call->body);
    } catch (const std::exception&) {
      return room_.fail(call, thrown());
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (start_thread()) {
        unsent_.push_back(call);
        if (line_up) lined_up_.store(true, std::memory_order_relaxed);
        wake();
        return;
      }
    }
    room_.fail(call, channel_.closed() ? closed_error() : no_thread_error().never_ran());
  }

  // Waits until the call is done; false at `until`.
  bool wait(AsyncCall& call, SteadyClock::time_point until) {
    const auto done = [&] { return call.done.load(std::memory_order_acquire); };
    while (!done()) {
      if (!call.sent.load(std::memory_order_acquire)) {
        if (!room_.wait(call, until)) return false;
      } else if (!call.connection->wait(call, until, call.can_be_cancelled) &&
                 SteadyClock::now() >= until) {
        return done();
      }
    }
    return true;
  }

  // Asks for the call to be given up; it is then completed soon. May be called with any lock held
  // but this object's.
  void cancel(std::shared_ptr<AsyncCall> call) {
    if (call->done.load(std::memory_order_acquire)) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    cancelled_.push_back(std::move(call));
    wake();
  }

  // There is a callback, for which nobody waits: from now on its thread reads.
  void expect_callback() {
    if (!eager_.exchange(true, std::memory_order_seq_cst)) callbacks_.ask_to_read(weak_from_this());
  }
  // Runs the callbacks after the others, see CallbackThread.
  void post(std::vector<std::shared_ptr<Callback>> callbacks) {
    if (callbacks_.post(std::move(callbacks), weak_from_this())) return;
    if (!poke()) callbacks_.run_here();  // nobody else will ever try
  }

  // ---- CallbackReader.

  bool read_for_callbacks() override {
    const auto now = SteadyClock::now();
    const std::shared_ptr<ClientConnection> connection = channel_.current(now);
    const auto wanted = [this] { return !callbacks_.has_work(); };
    return connection != nullptr &&
           connection->read_in_background(now + kLinger, busy_.load(std::memory_order_relaxed),
                                          wanted) &&
           eager_.load(std::memory_order_relaxed);
  }
  void interrupt_reading() override {
    // A connection that has been lost meanwhile has ended the reading itself.
    if (const auto connection = channel_.latest()) connection->wake_background_reader();
  }
  void after_callbacks() override {
    if (const auto connection = channel_.current(SteadyClock::now())) connection->flush_now();
  }

  // Makes the thread look again at what there is to do. False if there is none.
  bool poke() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!start_thread()) return stopping_;  // then close() ends all calls
    wake();
    return true;
  }

  // Final. All calls are completed when it returns, and their callbacks have run, unless this is
  // called by one of them. (A reply that another thread is decoding meanwhile is that thread's.)
  GEERPC_COLD void close() {
    channel_.close();
    Calls cancelled;  // let go of without the lock
    std::unique_lock<std::mutex> lock(mutex_);
    stopping_ = true;
    wake();
    ended_.wait(lock, [this] { return !running_; });
    cancelled.swap(cancelled_);  // too late for the thread; they hold us as we hold them
    std::thread thread = std::move(thread_);
    lock.unlock();
    if (thread.joinable()) thread.join();
    callbacks_.close();
  }

 private:
  using Calls = WaitingRoom::Calls;

  // Mutex held. False if there can be no thread (any more).
  bool start_thread() noexcept {
    if (stopping_) return false;
    if (thread_.joinable()) return true;
    try {
      thread_ = std::thread([self = shared_from_this()] { self->run(); });
      running_ = true;
    } catch (const std::exception&) {
      return false;
    }
    return true;
  }

  // Mutex held.
  void wake() {
    poked_ = true;
    if (reading_ != nullptr) reading_->wake_background_reader();
    wake_up_.notify_one();
  }

  // The connection asks for somebody to read or to send. An awake thread soon finds out by itself;
  // a caller who reads is likely to come again before. May be called with the connection's mutex
  // held.
  void attend(bool urgent) {
    if (urgent || asleep_.load(std::memory_order_seq_cst)) poke();
  }

  // Sends the call or completes it with an error. False if it is to be sent later or on another
  // connection. Throws what `encode` throws.
  bool send(const std::shared_ptr<AsyncCall>& call,
            const std::shared_ptr<ClientConnection>& connection, SteadyClock::time_point now,
            const Metadata& metadata, EncodeBody encode) {
    RequestHeader header;
    header.method = call->method;
    header.metadata = &metadata;
    if (call->deadline <= now) throw deadline_error();
    if (call->has_deadline) header.set_deadline(call->deadline, now);
    const bool in_callback = callbacks_.is_current();
    const bool may_defer = in_callback || connection->may_defer();
    call->connection = connection;
    call->self = call;
    try {
      if (!connection->start(*call, now, header, encode, ClientConnection::Patience::hurries,
                             may_defer)) {
        return false;
      }
    } catch (const Error& error) {
      call->self.reset();
      if (call->repeated || error.code() != StatusCode::unavailable || error.may_have_run()) throw;
      call->repeated = true;
      return false;
    } catch (...) {
      call->self.reset();
      throw;
    }
    call->sent.store(true, std::memory_order_release);
    if (may_defer && !in_callback && !connection->may_defer()) connection->flush_now();
    return true;
  }

  void run() {
    // Let go of without the lock: its destructor may need it.
    std::shared_ptr<ClientConnection> connection;
    std::unique_lock<std::mutex> lock(mutex_);
    asleep_.store(false, std::memory_order_seq_cst);
    bool flushed = true;
    while (!stopping_ || !unsent_.empty()) {
      const bool poked = std::exchange(poked_, false);
      Calls cancelled = std::exchange(cancelled_, {});
      Calls unsent = std::exchange(unsent_, {});
      lock.unlock();

      for (const std::shared_ptr<AsyncCall>& call : cancelled) give_up(call, unsent);
      cancelled.clear();
      if (!unsent.empty() || dial_.under_way()) send_all(unsent);
      const auto now = SteadyClock::now();
      connection = channel_.current(now);
      SteadyClock::time_point deadline = SteadyClock::time_point::max();
      for (const auto& call : unsent) deadline = (std::min)(deadline, call->deadline);
      ClientConnection::Look look{};
      // What it could not send at the last look it sends now: nobody else may ever come.
      const bool leftovers = poked || !std::exchange(flushed, true);
      if (connection != nullptr) {
        flushed = leftovers ? connection->flush_leftovers(now + kFlushTime)
                            : connection->flush_forgotten(now + kFlushTime);
        deadline = (std::min)(deadline, connection->expire(now));
        look = connection->look();
      }

      lock.lock();
      unsent_.insert(unsent_.begin(), unsent.begin(), unsent.end());
      if (unsent_.empty()) lined_up_.store(false, std::memory_order_relaxed);
      if (poked_ || stopping_ || !flushed) continue;
      const bool stranded = !callbacks_.retry(weak_from_this());
      if (!unsent_.empty()) {
        if (dial_.under_way()) {
          wake_up_.wait_until(lock, (std::min)(deadline, now + kLinger),
                              [this] { return woken(); });
        }
        continue;
      }
      busy_.store(look.busy, std::memory_order_relaxed);
      if (look.async_calls || stranded) {
        quiet_since_ = now;
      } else if (now - quiet_since_ > kLinger) {
        eager_.store(false, std::memory_order_seq_cst);
        sleep(lock, connection);
        continue;
      }
      const bool eager = eager_.load(std::memory_order_seq_cst);
      if (look.async_calls && !look.read && !(eager && callbacks_.ask_to_read(weak_from_this()))) {
        reading_ = connection.get();
        lock.unlock();
        if (look.busy || stranded) deadline = (std::min)(deadline, now + kTick);
        const auto wanted = [this] {
          const std::lock_guard<std::mutex> relock(mutex_);
          return !poked_;
        };
        const bool did_read = connection->read_in_background(deadline, look.busy, wanted);
        lock.lock();
        reading_ = nullptr;
        if (did_read) continue;
      }
      const auto tick = eager && !look.busy && callbacks_.reads() ? kLazyTick : kTick;
      wake_up_.wait_until(lock, (std::min)(deadline, now + tick), [this] { return woken(); });
    }
    lock.unlock();
    dial_.stop();
    lock.lock();
    running_ = false;
    ended_.notify_all();
  }
  bool woken() const { return poked_ || stopping_; }
  // Until somebody pokes us. A call that began before `asleep_` was set did not.
  void sleep(std::unique_lock<std::mutex>& lock, std::shared_ptr<ClientConnection>& connection) {
    asleep_.store(true, std::memory_order_seq_cst);
    lock.unlock();
    connection = channel_.current(SteadyClock::now());
    const bool awake = connection != nullptr && connection->look().async_calls;
    connection.reset();
    lock.lock();
    if (!awake) wake_up_.wait(lock, [this] { return woken(); });
    asleep_.store(false, std::memory_order_seq_cst);
    quiet_since_ = SteadyClock::now();
  }

  void give_up(const std::shared_ptr<AsyncCall>& call, Calls& unsent) {
    const auto found = std::find(unsent.begin(), unsent.end(), call);
    if (found != unsent.end()) {
      unsent.erase(found);
      room_.fail(call, cancelled_error().never_ran());
      return;
    }
    if (call->sent) call->connection->abandon(*call, cancelled_error());
  }

  // Sends what no connection has, or sees that there will be one; `unsent` keeps what is left.
  void send_all(Calls& unsent) {
    std::optional<DialThread::Outcome> dialled = dial_.take();
    const auto now = SteadyClock::now();
    const bool closed = channel_.closed();
    room_.fail_if(unsent, closed ? closed_error() : deadline_error().never_ran(),
                  [&](const auto& call) { return closed || call->deadline <= now; });
    if (unsent.empty()) return dial_.stop();
    std::shared_ptr<ClientConnection> connection = channel_.current(now);
    if (connection == nullptr) {
      if (!dialled) return dial_for(unsent);
      if (!dialled->ok()) return room_.fail_all(unsent, dialled->error());
      connection = dialled->value();
    }
    const auto until = now + kFlushTime;
    connection->flush_leftovers(until);
    auto next = unsent.begin();
    while (next != unsent.end() && connection->wait_for_room(until) &&
           send_or_fail(*next, connection)) {
      ++next;
    }
    unsent.erase(unsent.begin(), next);
  }
  // For as long as the most patient of them may wait.
  void dial_for(Calls& unsent) {
    if (dial_.under_way()) return;
    SteadyClock::time_point last = unsent.front()->deadline;
    for (const auto& call : unsent) last = (std::max)(last, call->deadline);
    if (!dial_.start(last)) room_.fail_all(unsent, no_thread_error().never_ran());
  }

  // False if it is to be tried again.
  bool send_or_fail(const std::shared_ptr<AsyncCall>& call,
                    const std::shared_ptr<ClientConnection>& connection) {
    const auto body = [&](const Codec& codec, Buffer& out) { call->append_body(codec, out); };
    try {
      if (!send(call, connection, SteadyClock::now(), call->context.metadata(), body)) return false;
      room_.tell();
    } catch (const std::exception&) {
      room_.fail(call, thrown());
    }
    return true;
  }

  static constexpr std::chrono::milliseconds kFlushTime{10};
  static constexpr std::chrono::milliseconds kLinger{50};
  static constexpr std::chrono::milliseconds kTick{1};
  static constexpr std::chrono::milliseconds kLazyTick{5};  // while the callback thread reads

  Channel channel_;

  DialThread dial_;  // the thread's own
  WaitingRoom room_;

  // Calls wait for a connection: later ones line up behind them, so that those of one thread leave
  // in their order. Written with mutex_ held.
  std::atomic<bool> lined_up_{false};

  std::mutex mutex_;
  std::condition_variable wake_up_, ended_;
  // Guarded by mutex_.
  std::thread thread_;
  bool running_ = false;  // until the thread has done everything
  Calls unsent_;
  Calls cancelled_;
  ClientConnection* reading_ = nullptr;                       // while the thread reads it
  SteadyClock::time_point quiet_since_ = SteadyClock::now();  // no asynchronous call outstanding
  bool poked_ = false;
  bool stopping_ = false;

  std::atomic<bool> asleep_{true};  // or not started: to be poked for anything new
  std::atomic<bool> eager_{false};  // there are callbacks, or were a moment ago
  std::atomic<bool> busy_{false};   // many calls have begun since the last look

  CallbackThread callbacks_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_BACKGROUND_HPP
