// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ServerCore: the path of a request through the server. Shared by everything that may outlive the
// Server object: a handler that never returns keeps what it uses.

#ifndef GEERPC_SERVER_CORE_HPP
#define GEERPC_SERVER_CORE_HPP

#include <algorithm>           // remove
#include <atomic>              // atomic
#include <chrono>              // milliseconds
#include <condition_variable>  // condition_variable
#include <exception>           // exception
#include <cstddef>             // size_t
#include <memory>              // enable_shared_from_this, shared_ptr
#include <mutex>               // mutex
#include <optional>            // optional
#include <set>                 // set
#include <string>              // string
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/base/hot_path.hpp>
#include <geerpc/net/address.hpp>
#include <geerpc/server/introspection.hpp>
#include <geerpc/server/json_rpc_text.hpp>
#include <geerpc/server/monitor.hpp>
#include <geerpc/server/plain_http.hpp>
#include <geerpc/server/services.hpp>
#include <geerpc/server/worker_pool.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  explicit ServerCore(ServerOptions options)
      : options_(std::move(options)),
        codecs_(known_codecs(options_)),
        watchlist_(std::make_shared<Watchlist>()),
        draining_(std::make_shared<std::atomic<bool>>(false)),
        pool_(watchlist_),
        monitor_(watchlist_,
                 [this](RunningCall& call, SteadyClock::time_point now) { attend(call, now); }) {
    if (options_.introspection) add_introspection(services_);
    monitor_.start();
  }

  const ServerOptions& options() const noexcept { return options_; }
  Services& services() noexcept { return services_; }
  const Services& services() const noexcept { return services_; }

  // True in a thread that runs one of this server's handlers.
  bool in_handler() const noexcept { return serving() == this; }

  // From now on there is somebody for plain HTTP. Null: nobody.
  void set_http(std::shared_ptr<PlainHttp> http) {
    const std::lock_guard<std::mutex> lock(mutex_);
    http_ = std::move(http);
  }

  // Serves a new connection, or closes it if there are too many. With `only_http` it is that,
  // whatever it begins with.
  void accept(Socket socket, const Address& peer, std::shared_ptr<PlainHttp> only_http = nullptr) {
    auto info = std::make_shared<PeerInfo>();
    info->address = peer.str();
    info->draining = draining_;
    const auto connection =
        std::make_shared<ServerConnection>(std::move(socket), std::move(info), options_);
    std::shared_ptr<PlainHttp> http = only_http;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (connections_.size() >= options_.max_connections || draining_->load()) return;
      connections_.insert(connection);
      if (http == nullptr) http = http_;
    }
    const auto task = [core = shared_from_this(), connection, http, only_http](Worker& worker) {
      serving() = core.get();
      if (only_http == nullptr && !core->shake_hands(connection, http != nullptr)) {
        core->forget(connection);
      } else if (connection->is_plain_http()) {
        core->serve_http(connection, *http);
      } else {
        core->serve(connection, worker);
      }
      serving() = nullptr;
    };
    if (!pool_.run(task)) forget(connection);
  }

  std::size_t connections() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return connections_.size();
  }
  std::size_t calls_in_flight() const noexcept { return calls_.load(std::memory_order_relaxed); }

  // Waits until no call runs, `drain` at most; then cancels the rest, closes all connections and
  // ends all threads. Returns how many handlers did not return and were left behind.
  std::size_t stop(std::chrono::nanoseconds drain) {
    draining_->store(true, std::memory_order_seq_cst);
    const auto drain_end = Context::deadline_after(drain);
    const auto no_calls = [this] { return calls_.load(std::memory_order_seq_cst) == 0; };
    const auto no_connections = [this] { return connections_.empty(); };
    bool done = wait_until(drain_end, no_calls);
    // More than once: the monitor may not have claimed a call yet, and who reads may begin one.
    const auto grace_end = SteadyClock::now() + kGrace;
    while (!done && SteadyClock::now() < grace_end) {
      for_each_connection([](ServerConnection& connection) {
        cancel_calls(connection, CancelReason::server_stopping);
      });
      done = wait_until(SteadyClock::now() + kRetry, no_calls);
    }
    for_each_connection([](ServerConnection& connection) { connection.stop_reading(); });
    if (!wait_until(SteadyClock::now() + kGrace, no_connections)) {
      for_each_connection([](ServerConnection& connection) { connection.abort(); });
    }
    const std::size_t left_behind = pool_.stop(SteadyClock::now() + kGrace);
    monitor_.stop();
    return left_behind;
  }

 private:
  using Connection = std::shared_ptr<ServerConnection>;

  // After the drain time: for handlers to see that they were cancelled, for replies to be sent.
  static constexpr std::chrono::milliseconds kGrace{1000};
  static constexpr std::chrono::milliseconds kRetry{5};

  // The core that this thread works for.
  static const ServerCore*& serving() noexcept {
    thread_local const ServerCore* core = nullptr;
    return core;
  }

  bool shake_hands(const Connection& connection, bool has_http) try {
    return connection->shake_hands(codecs_, has_http);
  } catch (const std::exception&) {
    return false;  // out of memory
  }

  void serve_http(const Connection& connection, PlainHttp& http) {
    const auto answer = [&](std::string_view text, std::chrono::nanoseconds timeout) {
      return answer_json_rpc(*connection, text, timeout);
    };
    try {
      http.serve(*connection, {answer, services_, options_.protocols.json_rpc});
    } catch (const std::exception&) {
      // out of memory
    }
    connection->close();
    forget(connection);
  }

  // See RpcAccess.
  std::optional<std::string> answer_json_rpc(const ServerConnection& from, std::string_view text,
                                             std::chrono::nanoseconds timeout) {
    if (auto error = json_rpc_parse_error(text, options_.decode)) return error;
    const auto answer = std::make_shared<JsonRpcAnswer>();
    auto connection = connection_for(text, timeout, from, answer);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      connections_.insert(connection);
    }
    if (!run_serve(connection)) forget(connection);
    connection.reset();  // nobody but those who serve it keeps it
    return wait_for(*answer, timeout, from);
  }

  // Serves in another thread. False if there can be none.
  bool run_serve(const Connection& connection) try {
    return pool_.run([core = shared_from_this(), connection](Worker& worker) {
      serving() = core.get();
      core->serve(connection, worker);
      serving() = nullptr;
    });
  } catch (const std::exception&) {
    return false;
  }

  // Serves as the thread that reads, until the stream ends or the monitor has given the connection
  // to another thread. Replies gather while requests are there, and leave before it waits. A peer
  // that does not read its replies is not read from either.
  void serve(const Connection& connection, Worker& worker) {
    bool broken = false;
    try {
      Message message;
      try {
        // First what a handler left that is still running.
        bool works = connection->flush(), all_sent = true;
        while (works) {
          auto now = SteadyClock::now();
          while (connection->may_read() && connection->next_message(message)) {
            const Outcome outcome = handle(connection, worker, message, now);
            if (outcome == Outcome::handed_over) return;
            if (outcome == Outcome::broken) return end_input(connection);
            all_sent = outcome == Outcome::sent;
          }
          works =
              (all_sent || connection->flush()) && !connection->stopping() && connection->receive();
        }
        if (connection->read_unfinished(message)) {
          (void)refuse(connection, message,
                       Error(StatusCode::invalid_argument, std::string(message.text)).never_ran());
        }
      } catch (const Error& error) {  // what came is no message
        broken = true;
        const bool of_a_call = !message.method.empty();
        if (of_a_call || connection->wire().has_connection_errors()) {
          connection->append([&](Buffer& out) {
            connection->wire().write_error(out, message.seq, message.method,
                                           of_a_call ? error.never_ran() : error);
          });
        }
      }
    } catch (const std::exception&) {
      connection->abort();  // out of memory
    }
    end_input(connection, broken);
  }

  enum class Outcome {
    next,         // on to the next message; replies may wait to be sent
    sent,         // the same, and none does
    handed_over,  // the connection is no longer this thread's
    broken,       // its peer does not read its replies
  };

  // `now` becomes the time at which the handler ended.
  GEERPC_HOT Outcome handle(const Connection& connection, Worker& worker, Message& message,
                            SteadyClock::time_point& now) {
    if (message.kind == MessageKind::cancel) {
      cancel_call(*connection, message.seq);
      return Outcome::next;
    }
    if (message.kind != MessageKind::request && message.kind != MessageKind::notify) {
      return Outcome::next;
    }
    ++connection->requests_read;
    if (message.too_large != 0) {
      return refuse(connection, message,
                    connection->wire().too_large(message.too_large).never_ran());
    }
    NoHandler why{};
    Handler* const handler = services_.find(message.method, why);
    if (handler == nullptr) {
      return refuse(connection, message, connection->wire().no_handler(why, message.method));
    }
    const bool too_many = calls_.fetch_add(1, std::memory_order_seq_cst) >= options_.max_calls;
    // stop() sets the flag and then waits for the number: one of us two sees the other.
    if (too_many || draining_->load(std::memory_order_seq_cst)) {
      end_of_call();
      const Error error =
          too_many ? Error(StatusCode::resource_exhausted, "rpc server: too many calls in flight")
                   : Error(StatusCode::unavailable, "rpc server: shutting down");
      return refuse(connection, message, error.never_ran());
    }
    RunningCall call(*connection, worker, message, *handler, now, options_.max_handle_time);
    try {
      call.run();
    } catch (...) {  // out of memory for the reply: nobody can be told
      connection->abort();
    }
    now = call.ended();
    if (call.claimed()) end_slow(connection, call);
    end_of_call();
    if (call.handed_over()) return Outcome::handed_over;
    if (!call.replied()) return Outcome::broken;
    return call.sent() ? Outcome::sent : Outcome::next;
  }

  GEERPC_COLD Outcome refuse(const Connection& connection, const Message& message,
                             const Error& error) {
    if (message.kind == MessageKind::notify) return Outcome::next;
    const bool sent = connection->append([&](Buffer& out) {
      connection->wire().write_error(out, message.seq, message.method, error);
    });
    return sent ? Outcome::next : Outcome::broken;
  }

  void end_of_call() {
    if (calls_.fetch_sub(1, std::memory_order_seq_cst) == 1 &&
        draining_->load(std::memory_order_seq_cst)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      changed_.notify_all();
    }
  }

  // A call that was claimed is over: send its reply, and close the connection if it was the last
  // one of a stream that has ended.
  void end_slow(const Connection& connection, RunningCall& call) {
    if (!connection->flush()) connection->abort();
    end_if_over(connection, [&] {
      auto& slow = connection->slow_calls();
      slow.erase(std::remove(slow.begin(), slow.end(), &call), slow.end());
    });
  }

  // `change`s the connection, with its mutex held, and closes it if that was all that it waited
  // for.
  template <class Change>
  void end_if_over(const Connection& connection, Change&& change) {
    bool was_over = false, is_over = false;
    {
      const std::lock_guard<std::mutex> lock(connection->mutex());
      was_over = connection->is_over();
      change();
      is_over = connection->is_over();
    }
    if (is_over && !was_over) close(connection);
  }

  // Nothing more will be read. Calls that still run get to reply, unless their client is gone.
  void end_input(const Connection& connection, bool broken = false) {
    end_if_over(connection, [&] { connection->set_input_ended(broken); });
    if (connection->wire().end_means_gone() && !connection->stopping()) {
      cancel_calls(*connection, CancelReason::client_gone);
    }
  }

  void close(const Connection& connection) {
    connection->append(
        [&](Buffer& out) { connection->wire().write_goaway(out, connection->requests_read); });
    connection->close();
    forget(connection);
  }

  void forget(const Connection& connection) {
    const std::lock_guard<std::mutex> lock(mutex_);
    connections_.erase(connection);
    if (connections_.empty()) changed_.notify_all();
  }

  // The monitor, about a call that takes long: it must not wait here.
  void attend(RunningCall& call, SteadyClock::time_point now) {
    const Connection connection = call.connection().shared_from_this();
    const std::optional<Error> error = call.expire(now);
    if (error) reply_late(connection, call.message(), *error);
    if (call.is_handed_over() || !connection->may_have_more_slow_calls()) return;
    // The call keeps the worker's mutex from here to there, so the new reader can't be overtaken.
    call.hand_over();
    if (!run_serve(connection)) call.take_back();
  }

  // In another thread: a handler may be encoding its result into the same outbox.
  void reply_late(const Connection& connection, const Message& message, const Error& error) try {
    const auto task = [core = shared_from_this(), connection, error, seq = message.seq,
                       method = std::string(message.method)](Worker&) {
      connection->append(
          [&](Buffer& out) { connection->wire().write_error(out, seq, method, error); });
      connection->flush();
      core->end_if_over(connection, [&] { connection->remove_late_reply(); });
    };
    if (!pool_.run(task)) connection->give_up_late_reply();
  } catch (const std::exception&) {
    connection->give_up_late_reply();
  }

  // `condition` is asked with the mutex held.
  template <class Condition>
  bool wait_until(SteadyClock::time_point when, Condition condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (when != SteadyClock::time_point::max()) return changed_.wait_until(lock, when, condition);
    changed_.wait(lock, condition);
    return true;
  }

  template <class Visit>
  void for_each_connection(Visit visit) {
    std::vector<Connection> connections;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      connections.assign(connections_.begin(), connections_.end());
    }
    for (const Connection& connection : connections) visit(*connection);
  }

  const ServerOptions options_;
  const std::vector<const Codec*> codecs_;
  Services services_;
  const std::shared_ptr<Watchlist> watchlist_;
  const std::shared_ptr<std::atomic<bool>> draining_;
  std::atomic<std::size_t> calls_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::set<Connection> connections_;
  std::shared_ptr<PlainHttp> http_;

  WorkerPool pool_;
  Monitor monitor_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_CORE_HPP
