// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Channel: the way to one server. It dials when a call needs it, again after a loss, and not too
// often.

#ifndef GEERPC_CLIENT_CHANNEL_HPP
#define GEERPC_CLIENT_CHANNEL_HPP

#include <algorithm>           // min
#include <condition_variable>  // condition_variable
#include <functional>          // function
#include <memory>              // shared_ptr
#include <mutex>               // mutex
#include <optional>            // optional
#include <utility>             // move

#include <geerpc/base/context.hpp>
#include <geerpc/base/hot_path.hpp>
#include <geerpc/base/random.hpp>
#include <geerpc/client/dial.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

inline Error closed_error() {
  return Error(StatusCode::cancelled, "the client was closed").never_ran();
}

// Thread-safe.
class Channel {
 public:
  Channel(Address address, ClientOptions options, std::function<void(bool)> poke_background)
      : address_(std::move(address)),
        options_(std::move(options)),
        poke_background_(std::move(poke_background)) {}

  const Address& address() const noexcept { return address_; }
  const ClientOptions& options() const noexcept { return options_; }

  // The connection if there is a live one, else null. Never waits.
  GEERPC_HOT std::shared_ptr<ClientConnection> current(SteadyClock::time_point now) {
    std::shared_ptr<ClientConnection> connection = latest();
    if (connection != nullptr && !connection->alive(now)) connection.reset();
    return connection;
  }
  // The same, whether or not it lives still.
  std::shared_ptr<ClientConnection> latest() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return connection_;
  }

  // A live connection. If there is none the first caller dials and the others wait for it; no lock
  // is held meanwhile. Throws Error when the attempt fails, or `deadline` passes, or `token` is
  // cancelled, or the channel is closed; nothing ran then. `now` is the time before and after.
  GEERPC_HOT std::shared_ptr<ClientConnection> acquire(SteadyClock::time_point& now,
                                                       SteadyClock::time_point deadline,
                                                       const CancelToken& token) {
    if (token.cancelled()) throw cancelled_error().never_ran();
    if (std::shared_ptr<ClientConnection> connection = current(now)) return connection;
    return connect(now, deadline, token);
  }

  // Final: ends the connection, and with it all calls, and every acquire().
  GEERPC_COLD void close() {
    std::shared_ptr<ClientConnection> connection;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
      connection = std::move(connection_);
      if (attempt_ != nullptr) attempt_->abort.wake();
      changed_.notify_all();
    }
    if (connection != nullptr)
      connection->fail(Error(StatusCode::cancelled, "the client was closed"));
  }

  bool closed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_;
  }

 private:
  // One try to connect. The fields are guarded by mutex_.
  struct Attempt {
    Waker abort;
    std::optional<Error> error;
    bool shared = false;  // the error is the server's doing and so holds for all who waited
  };

  GEERPC_COLD std::shared_ptr<ClientConnection> connect(SteadyClock::time_point& now,
                                                        SteadyClock::time_point deadline,
                                                        const CancelToken& token) {
    std::shared_ptr<Attempt> attempt;  // once it is ours; guarded by mutex_
    const CancelCallback on_cancel(token, [this, &attempt] {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (attempt != nullptr) attempt->abort.wake();
      changed_.notify_all();
    });
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      if (closed_) throw closed_error();
      if (token.cancelled()) throw cancelled_error().never_ran();
      if (const std::shared_ptr<ClientConnection> connection = connection_) {
        lock.unlock();
        now = SteadyClock::now();
        if (connection->alive(now)) return connection;
        lock.lock();
        if (connection_ == connection) connection_.reset();
        continue;
      }
      now = SteadyClock::now();
      if (now >= deadline) throw deadline_error().never_ran();
      if (attempt_ != nullptr) {
        const std::shared_ptr<Attempt> awaited = attempt_;
        wait(lock, deadline);
        // What ended another caller's patience says nothing about ours.
        if (awaited->error && awaited->shared && !options_.wait_for_ready) throw *awaited->error;
      } else if (now < next_dial_) {
        wait(lock, (std::min)(deadline, next_dial_));
      } else {
        attempt = std::make_shared<Attempt>();
        dial(lock, attempt, deadline);
        if (attempt->error && (!attempt->shared || !options_.wait_for_ready)) {
          throw *attempt->error;
        }
      }
    }
  }

  void wait(std::unique_lock<std::mutex>& lock, SteadyClock::time_point until) {
    if (until == SteadyClock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, until);
    }
  }

  // Called and left with the lock, but without it while waiting.
  GEERPC_COLD void dial(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Attempt>& attempt,
                        SteadyClock::time_point deadline) {
    attempt_ = attempt;
    attempt->error.reset();
    lock.unlock();
    std::shared_ptr<ClientConnection> connection;
    std::optional<Error> error;
    SteadyClock::time_point until = deadline;
    bool own_deadline = true;
    if (options_.connect_timeout.count() > 0) {
      const auto limit = Context::deadline_after(options_.connect_timeout);
      own_deadline = deadline <= limit;
      until = (std::min)(deadline, limit);
    }
    try {
      connection = open_connection(address_, options_, until, attempt->abort, poke_background_);
    } catch (const Error& failure) {
      error = failure.never_ran();
    } catch (const std::exception& failure) {
      error = Error(StatusCode::internal, failure.what()).never_ran();
    }
    lock.lock();
    attempt_.reset();
    if (closed_) error = closed_error();
    if (error) {
      attempt->shared = error->code() != StatusCode::cancelled &&
                        !(own_deadline && error->code() == StatusCode::deadline_exceeded);
      attempt->error = std::move(error);
      if (attempt->shared) back_off();
    } else {
      connection_ = std::move(connection);
      failures_ = 0;
    }
    changed_.notify_all();
  }

  void back_off() {
    auto pause = options_.min_backoff;
    for (int i = 0; i < failures_ && pause < options_.max_backoff; ++i) pause *= 2;
    ++failures_;
    next_dial_ = SteadyClock::now() + jittered((std::min)(pause, options_.max_backoff), 0.5, 1.0);
  }

  const Address address_;
  const ClientOptions options_;
  const std::function<void(bool)> poke_background_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::shared_ptr<ClientConnection> connection_;
  std::shared_ptr<Attempt> attempt_;  // while somebody dials
  bool closed_ = false;
  int failures_ = 0;  // in a row
  SteadyClock::time_point next_dial_ = SteadyClock::time_point::min();
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CHANNEL_HPP
