// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HttpBackend: a cpp-httplib server that listens on a private unix socket. Only the front of this
// process talks to it, see front.hpp.

#ifndef GEERPC_HTTP_BACKEND_HPP
#define GEERPC_HTTP_BACKEND_HPP

#include <atomic>      // atomic
#include <chrono>      // seconds
#include <cstddef>     // size_t
#include <functional>  // function
#include <memory>      // unique_ptr
#include <string>      // string
#include <thread>      // thread
#include <utility>     // declval, move

#include <pthread.h>
#include <signal.h>

#include <geerpc/http/engine.hpp>
#include <geerpc/net/dialer.hpp>
#include <geerpc/net/private_path.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The threads that run handlers. enqueue() is called by the thread that accepts, so this is the
// place to stop the server: from any other one, its socket could be closed, and the descriptor be
// taken by somebody else, just before it is used to accept.
class HttpThreadPool : public httplib::TaskQueue {
 public:
  HttpThreadPool(std::size_t threads, httplib::Server& server, const std::atomic<bool>& stopping)
      : pool_(threads), server_(server), stopping_(stopping) {}

  // Returns void or bool, depending on the version.
  auto enqueue(std::function<void()> job)
      -> decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr)) override {
    if (stopping_) server_.stop();
    return pool_.enqueue(std::move(job));
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  httplib::ThreadPool pool_;  // which some versions don't let one derive from
  httplib::Server& server_;
  const std::atomic<bool>& stopping_;
};

// Serves from construction to destruction, one request per connection.
class HttpBackend {
 public:
  static constexpr std::size_t kThreads = 4;  // also the most connections at a time

  // `set_up` gives the server its handlers. Throws Error(unavailable) if it can't listen.
  explicit HttpBackend(const std::function<void(httplib::Server&)>& set_up) {
    order_httplib_statics();
    server_->set_address_family(AF_UNIX);
    server_->set_socket_options([](socket_t) {});
    server_->set_keep_alive_max_count(1);
    server_->set_read_timeout(5);
    server_->set_write_timeout(5);
    server_->new_task_queue = [this] { return new HttpThreadPool(kThreads, *server_, stopping_); };
    set_up(*server_);
    if (!server_->bind_to_port(path_.str(), 80)) {
      throw Error(StatusCode::unavailable, "HTTP server: can't listen on " + path_.str());
    }
    thread_ = std::thread([this] {
      // The threads of the pool inherit this: cpp-httplib writes to connections that are closed.
      sigset_t signals;
      ::sigemptyset(&signals);
      ::sigaddset(&signals, SIGPIPE);
      ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
      server_->listen_after_bind();
      ended_ = true;
    });
    while (!server_->is_running() && !ended_) std::this_thread::yield();  // it could not be stopped
  }
  HttpBackend(const HttpBackend&) = delete;
  HttpBackend& operator=(const HttpBackend&) = delete;
  // Waits for the handlers that run.
  ~HttpBackend() {
    stopping_ = true;
    try {
      const Socket last = connect();
      thread_.join();
    } catch (const Error&) {
      server_->stop();
      thread_.join();
    }
  }

  // A connection for one request. Throws Error.
  Socket connect() const {
    return dial(Address("unix@" + path_.str()), SteadyClock::now() + std::chrono::seconds(1),
                never_);
  }

 private:
  const PrivatePath path_;
  const Waker never_;
  const std::unique_ptr<httplib::Server> server_ = make_httplib_server();
  std::atomic<bool> stopping_{false}, ended_{false};
  std::thread thread_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_BACKEND_HPP
