// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HttpEngine: what cpp-httplib makes of one request that is completely there: text in, text out. It
// has no socket and no thread; who has those sees to limits and deadlines.

#ifndef GEERPC_HTTP_ENGINE_HPP
#define GEERPC_HTTP_ENGINE_HPP

#include <algorithm>    // min
#include <chrono>       // nanoseconds, seconds
#include <cstddef>      // size_t
#include <ctime>        // time_t
#include <functional>   // function
#include <memory>       // make_unique, unique_ptr
#include <mutex>        // lock_guard, mutex
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // exchange, move

#include <signal.h>

#include <geerpc/base/function_ref.hpp>
#include <geerpc/http/httplib.hpp>

#ifndef GEERPC_NO_HTTP

#if defined(__SANITIZE_THREAD__)
#define GEERPC_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GEERPC_THREAD_SANITIZER
#endif
#endif

GEERPC_BEGIN_NAMESPACE

namespace detail {

inline std::mutex& sigpipe_mutex() {
  static std::mutex mutex;  // two at a time would each restore what the other one had set
  return mutex;
}

// A httplib::Server, or what derives from it. Its constructor has the whole process ignore SIGPIPE;
// that is undone here.
template <class Server = httplib::Server>
std::unique_ptr<Server> make_httplib_server() {
  const std::lock_guard<std::mutex> lock(sigpipe_mutex());
  struct sigaction before;
  ::sigaction(SIGPIPE, nullptr, &before);
  auto server = std::make_unique<Server>();
  ::sigaction(SIGPIPE, &before, nullptr);
  return server;
}

// A request, from memory, and the place of its answer. Some of these functions are virtual in some
// versions of cpp-httplib only.
class HttpMemory final : public httplib::Stream {
 public:
  HttpMemory(std::string_view head, std::string_view body) : rest_(head), next_(body) {}

  std::string take() { return std::move(written_); }

  bool is_readable() const { return true; }
  bool is_writable() const { return true; }
  bool wait_readable() const { return true; }
  bool wait_writable() const { return true; }
  ssize_t read(char* to, size_t size) {
    if (rest_.empty()) rest_ = std::exchange(next_, {});
    const std::size_t n = (std::min)(size, rest_.size());
    rest_.copy(to, n);
    rest_.remove_prefix(n);
    return static_cast<ssize_t>(n);
  }
  using httplib::Stream::write;
  ssize_t write(const char* from, size_t size) {
    written_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const {}
  void get_local_ip_and_port(std::string&, int&) const {}
  socket_t socket() const { return -1; }
  time_t duration() const { return 0; }

 private:
  std::string_view rest_, next_;
  std::string written_;
};

// Make it with make_httplib_server(). Thread-safe.
class HttpEngine final : private httplib::Server {
 public:
  using Handler = FunctionRef<void(const httplib::Request&, httplib::Response&)>;

  HttpEngine() {
    // Before routing, since that matches the path with std::regex.
    set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
      response.status = 200;
      try {
        (*handler())(request, response);
      } catch (...) {
        response.headers.clear();
        response.body.clear();
        response.status = 500;
      }
      return HandlerResponse::Handled;
    });
  }

  // What clients are told about how long a connection is kept open.
  void set_idle_timeout(std::chrono::nanoseconds timeout) {
    set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(timeout).count());
    set_keep_alive_max_count(1000000);
  }

  struct Answer {
    std::string text;
    bool keep_alive;  // the connection may carry another request
  };
  // `head` ends with a blank line and says how long the body is. The handler is called in this
  // thread, at most once; it finds the body in the request.
  Answer answer(std::string_view head, const std::string& body, const Handler& handle) {
    HttpMemory memory(head, body);
    bool closed = false;
    const std::function<void(httplib::Request&)> set_up = [&](httplib::Request& request) {
      request.body = body;
    };
    handler() = &handle;
    const bool written = process(*this, memory, closed, set_up, 0);
    handler() = nullptr;
    Answer result{memory.take(), written && !closed};
    const std::string lines = result.text.substr(0, result.text.find("\r\n\r\n") + 2);
    if (lines.find("\r\nConnection: close\r\n") != lines.npos) result.keep_alive = false;
    constexpr std::string_view no_content = "HTTP/1.1 204 ", length = "Content-Length: 0\r\n";
    const std::size_t at = lines.find(length);
    if (lines.compare(0, no_content.size(), no_content) == 0 && at != lines.npos) {
      result.text.erase(at, length.size());  // which must not stand there
    }
    return result;
  }

 private:
  // Of the request that this thread is at.
  static const Handler*& handler() noexcept {
    thread_local const Handler* current = nullptr;
    return current;
  }

  // The two forms that this function has had.
  template <class Self, class SetUp>
  static auto process(Self& self, HttpMemory& memory, bool& closed, const SetUp& set_up, int)
      -> decltype(self.process_request(memory, false, closed, set_up)) {
    return self.process_request(memory, false, closed, set_up);
  }
  template <class Self, class SetUp>
  static auto process(Self& self, HttpMemory& memory, bool& closed, const SetUp& set_up, long)
      -> decltype(self.process_request(memory, std::string(), 0, std::string(), 0, false, closed,
                                       set_up)) {
    return self.process_request(memory, std::string(), 0, std::string(), 0, false, closed, set_up);
  }
};

// cpp-httplib makes some static variables when its first request comes. If it is a shared library
// that is not instrumented, the thread sanitizer can't see that the requests of other threads wait
// for that, and reports a race. So under the sanitizer a first request is made here.
inline void order_httplib_statics() {
#ifdef GEERPC_THREAD_SANITIZER
  static const HttpEngine::Answer first = [] {
    const auto ignore = [](const httplib::Request&, httplib::Response&) {};
    const auto engine = make_httplib_server<HttpEngine>();
    return engine->answer("GET / HTTP/1.1\r\n\r\n", {}, HttpEngine::Handler(ignore));
  }();
#endif
}

}  // namespace detail

GEERPC_END_NAMESPACE

#undef GEERPC_THREAD_SANITIZER

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_ENGINE_HPP
