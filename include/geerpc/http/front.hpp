// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HttpFront: stands before the cpp-httplib server. It takes connections, waits for a complete
// request within its limits, hands that through, and sends back the answer.
//
// Why: a cpp-httplib connection costs a thread from its first byte on, its timeouts are per read,
// so that one byte now and then holds the thread for ever, and versions before 0.20 read header
// lines of any length. Behind the front it sees complete requests of bounded size only.

#ifndef GEERPC_HTTP_FRONT_HPP
#define GEERPC_HTTP_FRONT_HPP

#include <algorithm>    // count_if, min_element
#include <chrono>       // seconds
#include <cstddef>      // ptrdiff_t, size_t
#include <mutex>        // mutex
#include <string>       // string
#include <string_view>  // string_view
#include <thread>       // thread
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/http/backend.hpp>
#include <geerpc/http/head.hpp>
#include <geerpc/protocol/http_connect.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What a request may cost.
struct HttpLimits {
  std::size_t head = 16 << 10;  // request line and headers, in bytes
  std::size_t body = 64 << 10;
  SteadyClock::duration time = std::chrono::seconds(5);  // to arrive, and again for the answer
};

// One thread for all connections. A connection carries one request. Thread-safe.
class HttpFront {
 public:
  // `backend` must outlive it.
  explicit HttpFront(const HttpBackend& backend, HttpLimits limits = {})
      : backend_(backend), limits_(limits), thread_([this] { run(); }) {}
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;
  // Ends all connections at once.
  ~HttpFront() {
    stop_.wake();
    thread_.join();
  }

  // Takes over a connection; `received` is what was read from it already.
  void take(Socket socket, std::string received = {}) {
    const std::lock_guard<std::mutex> lock(inbox_mutex_);
    inbox_.emplace_back(std::move(socket), std::move(received), limits_.time);
    inbox_filled_.wake();
  }

 private:
  // A full table makes room by dropping the connection that has waited longest, so a flood of
  // silent peers can't lock out the others.
  static constexpr std::size_t kMaxConnections = 512;
  static constexpr std::chrono::seconds kLingerTime{1};  // for the peer to close after us

  enum class State {
    reading,    // the request, into `in`
    queued,     // the request is complete, in `out`
    asking,     // the backend: sends `out`, then reads the answer into `in`
    answering,  // sends `out` to the peer
    lingering,  // nothing more to say; what comes in is thrown away
  };

  struct Connection {
    Connection(Socket s, std::string received, SteadyClock::duration time)
        : socket(std::move(s)), in(std::move(received)) {
      enter(State::reading, time);
    }

    void enter(State next, SteadyClock::duration time) {
      state = next;
      since = SteadyClock::now();
      deadline = since + time;
    }
    bool sending() const { return sent < out.size(); }
    pollfd waits_for() const {
      switch (state) {
        case State::queued:
          return {socket.fd(), 0, 0};  // an event is that the peer has gone
        case State::asking:
          return {backend.fd(), static_cast<short>(sending() ? POLLOUT : POLLIN), 0};
        case State::answering:
          return {socket.fd(), POLLOUT, 0};
        default:
          return {socket.fd(), POLLIN, 0};
      }
    }

    Socket socket, backend;
    std::string in, out;
    std::size_t searched = 0;  // of `in`, for the end of the head
    HttpHead head;             // once it is complete
    std::size_t sent = 0;      // of `out`
    State state = State::reading;
    SteadyClock::time_point since, deadline;
  };

  void run() {
    std::vector<Connection> connections;
    std::vector<pollfd> fds;
    for (;;) {
      start_queued(connections);
      auto wake = SteadyClock::time_point::max();
      fds.assign({{stop_.fd(), POLLIN, 0}, {inbox_filled_.fd(), POLLIN, 0}});
      for (const Connection& c : connections) {
        fds.push_back(c.waits_for());
        wake = (std::min)(wake, c.deadline);
      }
      if (::poll(fds.data(), static_cast<nfds_t>(fds.size()), poll_timeout(wake)) < 0) continue;
      if (fds[0].revents != 0) return;

      const auto now = SteadyClock::now();
      std::size_t kept = 0;
      for (std::size_t i = 0; i < connections.size(); ++i) {
        // A peer that sends a little now and then does not outlive its deadline either.
        const bool alive =
            now < connections[i].deadline && (fds[i + 2].revents == 0 || advance(connections[i]));
        if (!alive) continue;
        if (kept != i) connections[kept] = std::move(connections[i]);
        ++kept;
      }
      connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(kept), connections.end());
      if (fds[1].revents != 0) take_new(connections);
    }
  }

  void take_new(std::vector<Connection>& connections) {
    inbox_filled_.drain();
    std::vector<Connection> arrived;
    {
      const std::lock_guard<std::mutex> lock(inbox_mutex_);
      arrived.swap(inbox_);
    }
    for (Connection& c : arrived) {
      if (!c.in.empty() && !parse(c)) continue;
      if (connections.size() == kMaxConnections) {
        connections.erase(
            std::min_element(connections.begin(), connections.end(),
                             [](const auto& a, const auto& b) { return a.since < b.since; }));
      }
      connections.push_back(std::move(c));
    }
  }

  // Never more than the backend has threads, so its short accept queue never overflows.
  void start_queued(std::vector<Connection>& connections) {
    auto asking = static_cast<std::size_t>(
        std::count_if(connections.begin(), connections.end(),
                      [](const Connection& c) { return c.state == State::asking; }));
    for (Connection& c : connections) {
      if (asking == HttpBackend::kThreads) return;
      if (c.state != State::queued) continue;
      try {
        c.backend = backend_.connect();
        c.enter(State::asking, limits_.time);
        ++asking;
      } catch (const Error&) {
        refuse(c, "503 Service Unavailable");
      }
    }
  }

  // Does what can be done without waiting. False if the connection is to be closed.
  bool advance(Connection& c) {
    switch (c.state) {
      case State::queued:
        return false;
      case State::asking:
        return ask(c);
      case State::answering:
        return answer(c);
      default:
        break;
    }
    char bytes[16 << 10];
    const Socket::Transfer got = c.socket.receive_now(bytes, sizeof bytes);
    if (got.bytes < 0) return would_block(got.error);
    if (got.bytes == 0) return false;
    if (c.state == State::lingering) return true;
    c.in.append(bytes, static_cast<std::size_t>(got.bytes));
    return parse(c);
  }

  // Looks for a complete request in `in`.
  bool parse(Connection& c) {
    if (c.head.text.empty()) {
      try {
        const std::size_t end = find_http_head_end(c.in, c.searched, limits_.head);
        if (end == 0) return true;
        c.head = rewrite_http_head(std::string_view(c.in).substr(0, end), limits_.body);
        c.in.erase(0, end);
      } catch (const Error&) {
        return refuse(c, "431 Request Header Fields Too Large");
      }
      if (c.head.refusal != nullptr) return refuse(c, c.head.refusal);
    }
    if (c.in.size() < c.head.body) return true;
    c.out = c.head.text + "\r\n" + c.in.substr(0, c.head.body);
    c.enter(State::queued, limits_.time);
    return true;
  }

  static bool send(const Socket& socket, Connection& c) {
    while (c.sending()) {
      const Socket::Transfer sent = socket.send_now(c.out.data() + c.sent, c.out.size() - c.sent);
      if (sent.bytes < 0) return would_block(sent.error);
      c.sent += static_cast<std::size_t>(sent.bytes);
    }
    return true;
  }

  bool ask(Connection& c) {
    if (c.sending()) {
      c.in.clear();
      return send(c.backend, c) || refuse(c, "503 Service Unavailable");
    }
    char bytes[16 << 10];
    const Socket::Transfer got = c.backend.receive_now(bytes, sizeof bytes);
    if (got.bytes > 0) c.in.append(bytes, static_cast<std::size_t>(got.bytes));
    if (got.bytes > 0 || (got.bytes < 0 && would_block(got.error))) return true;
    c.backend.close();
    if (c.in.empty()) return refuse(c, "500 Internal Server Error");
    return begin_answer(c, std::move(c.in));
  }

  bool refuse(Connection& c, const char* status) {
    return begin_answer(c, std::string("HTTP/1.1 ") + status +
                               "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }

  bool begin_answer(Connection& c, std::string bytes) {
    c.out = std::move(bytes);
    c.sent = 0;
    c.in = std::string();
    c.enter(State::answering, limits_.time);
    return answer(c);
  }

  bool answer(Connection& c) {
    if (!send(c.socket, c)) return false;
    if (c.sending()) return true;
    // Closing with unread input would reset the connection and could cost the peer its answer.
    c.socket.shutdown_writing();
    c.out = std::string();
    c.sent = 0;
    c.enter(State::lingering, kLingerTime);
    return true;
  }

  // Constant after construction.
  const HttpBackend& backend_;
  const HttpLimits limits_;

  Waker stop_, inbox_filled_;
  std::mutex inbox_mutex_;
  std::vector<Connection> inbox_;  // guarded by inbox_mutex_
  std::thread thread_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_FRONT_HPP
