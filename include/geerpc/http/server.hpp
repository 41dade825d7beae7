// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HttpServer: a cpp-httplib server behind its front, on a port of its own: what the registry and
// the debug page are served by.

#ifndef GEERPC_HTTP_SERVER_HPP
#define GEERPC_HTTP_SERVER_HPP

#include <chrono>       // milliseconds
#include <memory>       // make_unique, unique_ptr
#include <mutex>        // mutex
#include <string>       // string
#include <string_view>  // string_view
#include <thread>       // thread
#include <utility>      // move

#include <geerpc/http/front.hpp>
#include <geerpc/net/listener.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

// Answers a request. Called from several threads at once. A std::function that httplib::Server's
// own Get(), Post() and so on take, too.
using HttpHandler = httplib::Server::Handler;

namespace detail {

// "127.0.0.1:9999" as an address; one that has its protocol already is taken as it is.
inline Address http_address(std::string_view host_and_port) {
  const bool complete = host_and_port.find('@') != host_and_port.npos;
  return Address((complete ? "" : "http@") + std::string(host_and_port));
}

// Serves from listen() to stop(): every request, whatever its path and method, goes to the handler.
// Its body does not. One request per connection. Thread-safe.
class HttpServer {
 public:
  explicit HttpServer(HttpHandler handler, HttpLimits limits = {})
      : handler_(std::move(handler)), limits_(limits) {}
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() { stop(); }

  // Binds and serves in the background. Returns what was bound. Throws Error(unavailable) if the
  // address is taken, failed_precondition if this server listens already or was stopped.
  Address listen(const Address& address) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (listener_ != nullptr || stopped_) {
      throw Error(StatusCode::failed_precondition,
                  std::string("HTTP server: it ") + (stopped_ ? "was stopped" : "listens already"));
    }
    auto listener = std::make_unique<Listener>(address);
    backend_ = std::make_unique<HttpBackend>([this](httplib::Server& server) { set_up(server); });
    front_ = std::make_unique<HttpFront>(*backend_, limits_);
    listener_ = std::move(listener);
    acceptor_ = std::thread([this] { accept_connections(); });
    return listener_->address();
  }

  // Ends all connections at once, and waits for handlers that run. Idempotent; must not be called
  // by a handler.
  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    stop_.wake();
    if (acceptor_.joinable()) acceptor_.join();
    front_.reset();
    backend_.reset();
    listener_.reset();
  }

 private:
  // Before routing, since that matches the path with std::regex.
  void set_up(httplib::Server& server) const {
    server.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          response.status = 200;
          try {
            handler_(request, response);
          } catch (...) {
            response.headers.clear();
            response.body.clear();
            response.status = 500;
          }
          return httplib::Server::HandlerResponse::Handled;
        });
  }

  void accept_connections() {
    for (;;) {
      Socket socket;
      Address peer;
      const int error = listener_->accept(stop_, socket, peer);
      if (error == ECANCELED) return;
      if (error == 0) {
        front_->take(std::move(socket));
      } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
        // Others may give something back soon.
        pollfd fds[1] = {{stop_.fd(), POLLIN, 0}};
        poll_until(fds, SteadyClock::now() + std::chrono::milliseconds(50));
      }
    }
  }

  // Constant after construction.
  const HttpHandler handler_;
  const HttpLimits limits_;

  Waker stop_;
  std::mutex mutex_;  // guards the following; held only while starting and stopping
  bool stopped_ = false;
  std::unique_ptr<HttpBackend> backend_;
  std::unique_ptr<HttpFront> front_;
  std::unique_ptr<Listener> listener_;
  std::thread acceptor_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_SERVER_HPP
