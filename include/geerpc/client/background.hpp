// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Background: the one thread of a client that makes asynchronous calls.

#ifndef GEERPC_CLIENT_BACKGROUND_HPP
#define GEERPC_CLIENT_BACKGROUND_HPP

#include <algorithm>           // find, min
#include <condition_variable>  // condition_variable
#include <exception>           // exception
#include <functional>          // function
#include <memory>              // enable_shared_from_this, shared_ptr
#include <mutex>               // mutex
#include <string>              // string
#include <thread>              // thread
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/client/callback_thread.hpp>
#include <geerpc/client/channel.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class Background;

// A call that its caller does not wait for at once. The caller's Future and, while it is pending,
// the connection or the background share it.
struct AsyncCall : Call {
  std::shared_ptr<Background> background;      // constant
  std::string method;                          // constant
  Context context;                             // constant
  Buffer body;                                 // the encoded arguments, until they are sent
  std::weak_ptr<ClientConnection> connection;  // once sent; guarded by the background's mutex

  std::mutex mutex;
  std::condition_variable became_ready;
  bool ready = false;              // guarded by mutex: done, and nothing changes any more
  std::function<void()> callback;  // guarded by mutex: what to do then

  std::optional<CancelCallback> on_cancel;  // last: destroyed first

  void completed() noexcept override {
    const std::lock_guard<std::mutex> lock(mutex);
    ready = true;
    became_ready.notify_all();
  }
  void announce() override;  // has the callback run
};

// Sends what could not be sent at once because there was no connection, reads while asynchronous
// calls are outstanding and nobody else reads, and sees to their deadlines and cancellations. The
// thread starts with the first asynchronous call; it never waits for anything of the user's.
class Background : public std::enable_shared_from_this<Background> {
 public:
  Background(Address address, ClientOptions options)
      : channel_(std::move(address), std::move(options), [this] { poke(); }) {}

  Channel& channel() noexcept { return channel_; }

  // Takes a call that is ready to be sent. Never waits.
  void start(const std::shared_ptr<AsyncCall>& call) {
    const std::shared_ptr<ClientConnection> connection = channel_.current();
    if (connection != nullptr && connection->wait_for_room(SteadyClock::time_point::min()) &&
        send(call, connection)) {
      if (!see_that_somebody_reads(call->deadline)) connection->abandon(*call, no_thread_error());
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (start_thread()) {
        unsent_.push_back(call);
        wake();
        return;
      }
    }
    fail(*call, channel_.closed() ? closed_error() : no_thread_error().never_ran());
  }

  // Asks for the call to be given up; it is then completed soon. May be called with any lock held
  // but this object's.
  void cancel(std::shared_ptr<AsyncCall> call) {
    CancelSource dial_in_progress;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return;
      cancelled_.push_back(std::move(call));
      dial_in_progress = interrupt_;
      wake();
    }
    dial_in_progress.cancel();
  }

  // Runs `callback` after the others, see CallbackThread.
  void post(std::function<void()> callback) { callbacks_.post(std::move(callback)); }

  // Makes the thread look again at what there is to do.
  void poke() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (start_thread()) wake();
  }

  // Final. All calls are completed when it returns, and their callbacks have run, unless this is
  // called by one of them. (A reply that another thread is decoding meanwhile is that thread's.)
  void close() {
    channel_.close();
    std::unique_lock<std::mutex> lock(mutex_);
    stopping_ = true;
    wake();
    ended_.wait(lock, [this] { return !running_; });
    std::thread thread = std::move(thread_);
    lock.unlock();
    if (thread.joinable()) thread.join();
    callbacks_.close();
  }

 private:
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

  // False if there is no thread for that.
  bool see_that_somebody_reads(SteadyClock::time_point deadline) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (reading_ != nullptr && deadline >= reading_until_) return true;
    if (!start_thread()) return stopping_;  // then close() ends the call
    wake();
    return true;
  }
  static Error no_thread_error() {
    return {StatusCode::resource_exhausted, "can't start the thread for asynchronous calls"};
  }

  static void fail(AsyncCall& call, const Error& error) {
    call.error = error;
    call.done = true;
    call.completed();
    call.announce();
  }

  // Sends the call or completes it with an error. False if the connection turned out to be dead and
  // the call may be sent on another one.
  bool send(const std::shared_ptr<AsyncCall>& call,
            const std::shared_ptr<ClientConnection>& connection) {
    RequestHeader header;
    header.method = call->method;
    header.metadata = &call->context.metadata();
    if (call->deadline != SteadyClock::time_point::max()) {
      const auto now = SteadyClock::now();
      if (call->deadline <= now) {
        fail(*call, deadline_error().never_ran());
        return true;
      }
      header.timeout = call->deadline - now;
    }
    const auto body = [&](Buffer& out) { out.append(call->body.view()); };
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      call->connection = connection;
    }
    call->self = call;
    try {
      connection->start(*call, header, body);
    } catch (const Error& error) {
      call->self.reset();
      if (error.code() == StatusCode::unavailable && !error.may_have_run()) return false;
      fail(*call, error);
    } catch (const std::exception& error) {
      call->self.reset();
      fail(*call, Error(StatusCode::internal, error.what()).never_ran());
    }
    return true;
  }

  void run() {
    // Let go of without the lock: its destructor may need it.
    std::shared_ptr<ClientConnection> connection;
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_ || !unsent_.empty()) {
      poked_ = false;
      interrupt_ = CancelSource();
      std::vector<std::shared_ptr<AsyncCall>> cancelled;
      cancelled.swap(cancelled_);
      std::vector<std::shared_ptr<AsyncCall>> unsent;
      unsent.swap(unsent_);
      const CancelToken interrupt = interrupt_.token();
      lock.unlock();

      for (const std::shared_ptr<AsyncCall>& call : cancelled) give_up(call, unsent);
      cancelled.clear();
      send_all(unsent, interrupt);
      connection = channel_.current();
      SteadyClock::time_point deadline = SteadyClock::time_point::max();
      bool to_read = false, flushed = true;
      if (connection != nullptr) {
        const auto now = SteadyClock::now();
        flushed = connection->flush_leftovers(now + kFlushTime);
        deadline = connection->expire(now);
        to_read = connection->has_async_calls();
      }

      lock.lock();
      unsent_.insert(unsent_.begin(), unsent.begin(), unsent.end());
      if (poked_ || stopping_ || !unsent_.empty() || !flushed) continue;
      if (to_read) {
        reading_ = connection.get();
        reading_until_ = deadline;
        lock.unlock();
        const auto wanted = [this] {
          const std::lock_guard<std::mutex> relock(mutex_);
          return !poked_;
        };
        const bool did_read = connection->read_in_background(deadline, wanted);
        lock.lock();
        reading_ = nullptr;
        if (did_read) continue;
      }
      lock.unlock();
      connection.reset();
      lock.lock();
      wait(lock, deadline);
    }
    running_ = false;
    ended_.notify_all();
  }

  void wait(std::unique_lock<std::mutex>& lock, SteadyClock::time_point deadline) {
    const auto woken = [this] { return poked_ || stopping_; };
    if (deadline == SteadyClock::time_point::max()) {
      wake_up_.wait(lock, woken);
    } else {
      wake_up_.wait_until(lock, deadline, woken);
    }
  }

  void give_up(const std::shared_ptr<AsyncCall>& call,
               std::vector<std::shared_ptr<AsyncCall>>& unsent) {
    const auto found = std::find(unsent.begin(), unsent.end(), call);
    if (found != unsent.end()) {
      unsent.erase(found);
      fail(*call, cancelled_error().never_ran());
      return;
    }
    std::shared_ptr<ClientConnection> connection;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      connection = call->connection.lock();
    }
    if (connection != nullptr) connection->abandon(*call, cancelled_error());
  }

  // Dials, for as long as the most patient call may wait, and sends. What is left in `unsent` is to
  // be tried again.
  void send_all(std::vector<std::shared_ptr<AsyncCall>>& unsent, const CancelToken& interrupt) {
    while (!unsent.empty()) {
      SteadyClock::time_point first = SteadyClock::time_point::max();
      for (const auto& call : unsent) first = (std::min)(first, call->deadline);
      try {
        const auto connection = channel_.acquire(first, interrupt);
        const auto until = SteadyClock::now() + kFlushTime;
        connection->flush_leftovers(until);
        auto next = unsent.begin();
        while (next != unsent.end() && connection->wait_for_room(until) &&
               send(*next, connection)) {
          ++next;
        }
        unsent.erase(unsent.begin(), next);
        if (SteadyClock::now() < first) return;
        if (!unsent.empty()) throw deadline_error().never_ran();
      } catch (const Error& error) {
        if (interrupt.cancelled() && !channel_.closed()) return;
        const auto now = SteadyClock::now();
        const bool only_late = error.code() == StatusCode::deadline_exceeded && now >= first;
        std::vector<std::shared_ptr<AsyncCall>> patient;
        for (const auto& call : unsent) {
          if (only_late && call->deadline > now) {
            patient.push_back(call);
          } else {
            fail(*call, error);
          }
        }
        unsent.swap(patient);
      }
    }
  }

  static constexpr std::chrono::milliseconds kFlushTime{10};

  Channel channel_;

  std::mutex mutex_;
  std::condition_variable wake_up_, ended_;
  // Guarded by mutex_.
  std::thread thread_;
  bool running_ = false;  // until the thread has done everything
  std::vector<std::shared_ptr<AsyncCall>> unsent_;
  std::vector<std::shared_ptr<AsyncCall>> cancelled_;
  CancelSource interrupt_;               // ends the acquire() in progress
  ClientConnection* reading_ = nullptr;  // while the thread reads it
  SteadyClock::time_point reading_until_;
  bool poked_ = false;
  bool stopping_ = false;

  CallbackThread callbacks_;
};

inline void AsyncCall::announce() {
  std::function<void()> to_post;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    to_post.swap(callback);
  }
  if (to_post != nullptr) background->post(std::move(to_post));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_BACKGROUND_HPP
