// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// dial: a connected socket to an Address.

#ifndef GEERPC_NET_DIALER_HPP
#define GEERPC_NET_DIALER_HPP

#include <algorithm>  // max, min
#include <chrono>     // milliseconds
#include <cstring>    // memcmp
#include <string>     // string

#include <geerpc/base/hot_path.hpp>
#include <geerpc/net/resolver.hpp>
#include <geerpc/net/waker.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// TCP knows no servers: who dials a port of this machine that nobody listens on, and is given that
// very port for its own end, is connected to itself, and keeps the port from the server to come.
inline bool is_connected_to_itself(const Socket& socket) noexcept {
  SocketAddress here, there;
  here.length = there.length = sizeof here.storage;
  ::getsockname(socket.fd(), here.get(), &here.length);
  if (here.family() != AF_INET && here.family() != AF_INET6) return false;
  return ::getpeername(socket.fd(), there.get(), &there.length) == 0 &&
         here.length == there.length && std::memcmp(here.get(), there.get(), here.length) == 0;
}

// Connects a socket that does not block. Returns 0 or an errno: ETIMEDOUT at `deadline`, ECANCELED
// when `abort` is woken.
inline int connect_socket(const Socket& socket, const SocketAddress& to,
                          SteadyClock::time_point deadline, const Waker& abort) {
  if (::connect(socket.fd(), to.get(), to.length) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return errno;
    pollfd fds[2] = {{socket.fd(), POLLOUT, 0}, {abort.fd(), POLLIN, 0}};
    if (!poll_until(fds, deadline)) return ETIMEDOUT;
    if (fds[1].revents != 0) return ECANCELED;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return error;
  }
  if (!is_connected_to_itself(socket)) return 0;
  const linger at_once{1, 0};  // else it leaves the port in TIME_WAIT, where nobody can listen
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return ECONNREFUSED;
}

// Connects to one socket address. Returns what connect_socket() does.
inline int connect_to(const SocketAddress& to, SteadyClock::time_point deadline, const Waker& abort,
                      Socket& connected) {
  const int fd = open_socket(to.family(), SOCK_STREAM);
  if (fd < 0) return errno;
  Socket socket(fd);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  if (const int error = connect_socket(socket, to, deadline, abort)) return error;
  ::fcntl(fd, F_SETFL, 0);
  socket.set_stream_options();
  connected = std::move(socket);
  return 0;
}

// Tries all of the address's socket addresses in turn until one accepts. Each gets its share of the
// time left, two seconds at most while others are to follow, so that one that swallows packets
// does not use up the time of the next. A wildcard host is dialled as loopback, as Go does.
// Throws Error: unavailable with the last cause, or resource_exhausted if that is this machine's,
// deadline_exceeded, or cancelled when `abort` is woken. The request never ran in any of them.
GEERPC_COLD inline Socket dial(const Address& address, SteadyClock::time_point deadline,
                               const Waker& abort) {
  constexpr std::chrono::milliseconds longest_try{2000};
  const auto fail = [&](StatusCode code, const std::string& cause) {
    throw Error(code, "dial " + address.str() + ": " + cause).never_ran();
  };
  std::vector<SocketAddress> targets;
  try {
    targets = resolve(address, deadline, abort);
  } catch (const Error& error) {
    fail(error.code(), error.cause());
  }
  int error = EHOSTUNREACH;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto left = static_cast<SteadyClock::rep>(targets.size() - i);
    SteadyClock::time_point until = deadline;
    if (left > 1) {
      const auto now = SteadyClock::now();
      const auto share = (std::max)(deadline - now, SteadyClock::duration::zero()) / left;
      until = now + (std::min)(share, SteadyClock::duration(longest_try));
    }
    Socket socket;
    error = connect_to(targets[i], until, abort, socket);
    if (error == 0) return socket;
    if (error == ECANCELED) fail(StatusCode::cancelled, "cancelled");
  }
  if (error == ETIMEDOUT && SteadyClock::now() >= deadline) {
    fail(StatusCode::deadline_exceeded, "no answer in time");
  }
  // The server can't help it, and another one is no better, if this process has too much open.
  const bool ours = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
  fail(ours ? StatusCode::resource_exhausted : StatusCode::unavailable, errno_text(error));
  return {};
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_DIALER_HPP
