// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// RawSocket, RawListener: the other end of a connection, played byte by byte. They share no code
// with the library, so that a mistake there can't hide itself.

#ifndef GEERPC_TESTS_SUPPORT_RAW_SOCKET_HPP
#define GEERPC_TESTS_SUPPORT_RAW_SOCKET_HPP

#include <netinet/in.h>
#include <arpa/inet.h>  // inet_pton
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>     // max
#include <cerrno>        // errno
#include <chrono>        // milliseconds
#include <cstddef>       // offsetof, size_t
#include <cstring>       // memcpy
#include <stdexcept>     // runtime_error
#include <string>        // string
#include <string_view>   // string_view
#include <system_error>  // system_error
#include <utility>       // exchange, move

#include "eventually.hpp"

namespace test {

// A file descriptor with an owner.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }

  int get() const noexcept { return fd_; }
  void close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

[[noreturn]] inline void fail_with_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Waits until `fd` is ready for `events` (or broken); false when the deadline passed.
inline bool wait_ready(int fd, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd p{fd, events, 0};
    const int n = ::poll(&p, 1, left > 0 ? static_cast<int>(left) + 1 : 0);
    if (n > 0) return true;
    if (n == 0 && left <= 0) return false;
    if (n < 0 && errno != EINTR) fail_with_errno("poll");
  }
}

// A numeric geerpc address, "tcp@127.0.0.1:80", "http@[::1]:80", "unix@path", "unix@@abstract", as
// the system wants it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  explicit SocketAddress(const std::string& text) {
    const std::size_t at = text.find('@');
    const std::string rest = text.substr(at + 1);
    if (text.compare(0, 5, "unix@") == 0) {
      sockaddr_un un{};
      un.sun_family = AF_UNIX;
      if (rest.size() >= sizeof(un.sun_path)) throw std::runtime_error("path too long: " + text);
      std::memcpy(un.sun_path, rest.data(), rest.size());
      const bool abstract = rest[0] == '@';
      if (abstract) un.sun_path[0] = '\0';
      size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + rest.size() + !abstract);
      std::memcpy(&storage, &un, sizeof un);
      return;
    }
    const std::size_t colon = rest.rfind(':');
    const auto port = static_cast<in_port_t>(std::stoi(rest.substr(colon + 1)));
    if (rest[0] == '[') {
      sockaddr_in6 in6{};
      in6.sin6_family = AF_INET6;
      in6.sin6_port = htons(port);
      if (::inet_pton(AF_INET6, rest.substr(1, colon - 2).c_str(), &in6.sin6_addr) == 1) {
        size = sizeof in6;
        std::memcpy(&storage, &in6, sizeof in6);
      }
    } else {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_port = htons(port);
      if (::inet_pton(AF_INET, rest.substr(0, colon).c_str(), &in.sin_addr) == 1) {
        size = sizeof in;
        std::memcpy(&storage, &in, sizeof in);
      }
    }
    if (size == 0) throw std::runtime_error("not a numeric address: " + text);
  }

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// A connected stream socket. Every wait ends after `patience` with a std::runtime_error that shows
// what had arrived. SIGPIPE never comes from here.
class RawSocket {
 public:
  // Connects to a numeric address. A small `receive_buffer` (bytes) lets the peer's sends fill up
  // early.
  explicit RawSocket(const std::string& address, int receive_buffer = 0) {
    const SocketAddress to(address);
    fd_ = Fd(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd_.get() < 0) fail_with_errno("socket");
    if (receive_buffer > 0) set(SOL_SOCKET, SO_RCVBUF, receive_buffer);
    if (to.family() != AF_UNIX) set(IPPROTO_TCP, TCP_NODELAY, 1);
    if (::connect(fd_.get(), to.get(), to.size) != 0) fail_with_errno("connect to " + address);
  }
  // Takes over a connected descriptor.
  explicit RawSocket(Fd fd) : fd_(std::move(fd)) {}

  int fd() const noexcept { return fd_.get(); }

  void send_all(std::string_view bytes, Clock::duration patience = kPatience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        if (!wait_ready(fd(), POLLOUT, deadline)) throw std::runtime_error("send: peer stalls");
      } else if (errno != EINTR) {
        fail_with_errno("send");
      }
    }
  }
  // The same; false if the peer has closed the connection, as it may while we go on sending.
  bool try_send_all(std::string_view bytes) {
    try {
      send_all(bytes);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  // Whatever arrives next, at most `most` bytes; empty at the end of the stream. A reset throws
  // std::system_error.
  std::string recv_some(std::size_t most = 65536, Clock::duration patience = kPatience) {
    if (pending_.empty() && !fill(Clock::now() + patience)) return {};
    return take((std::min)(most, pending_.size()));
  }
  std::string recv_exact(std::size_t n, Clock::duration patience = kPatience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (pending_.size() < n) {
      if (!fill(deadline)) throw std::runtime_error("stream ended early, after: " + pending_);
    }
    return take(n);
  }
  // Up to and including `mark`.
  std::string recv_until(std::string_view mark, Clock::duration patience = kPatience) {
    const Clock::time_point deadline = Clock::now() + patience;
    std::size_t searched = 0;
    for (;;) {
      const std::size_t found = pending_.find(mark, searched);
      if (found != std::string::npos) return take(found + mark.size());
      searched = pending_.size() - (std::min)(pending_.size(), mark.size() - 1);
      if (!fill(deadline)) throw std::runtime_error("stream ended early, after: " + pending_);
    }
  }
  // Everything until the peer closes.
  std::string recv_all(Clock::duration patience = kPatience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (fill(deadline)) {
    }
    return take(pending_.size());
  }
  // True once the peer has closed or reset the connection; drops what still arrives before that.
  // False if that does not happen within `patience`.
  bool wait_closed(Clock::duration patience = kPatience) {
    const Clock::time_point deadline = Clock::now() + patience;
    char scratch[4096];
    while (wait_ready(fd(), POLLIN, deadline)) {
      const ssize_t n = ::recv(fd(), scratch, sizeof scratch, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return true;
    }
    return false;
  }
  // True if nothing is there to read, not even the end, for as long as `duration`.
  bool silent_for(Clock::duration duration) {
    return pending_.empty() && !wait_ready(fd(), POLLIN, Clock::now() + duration);
  }

  // Sends the end of the stream and goes on reading.
  void half_close() { ::shutdown(fd(), SHUT_WR); }
  void close() { fd_.close(); }
  // Closes with a TCP reset, as a crashed machine's peer sees it.
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    fd_.close();
  }

 private:
  void set(int level, int name, int value) {
    if (::setsockopt(fd(), level, name, &value, sizeof value) != 0) fail_with_errno("setsockopt");
  }

  // Reads once into pending_; false at the end of the stream.
  bool fill(Clock::time_point deadline) {
    char block[65536];
    for (;;) {
      if (!wait_ready(fd(), POLLIN, deadline)) {
        throw std::runtime_error("recv: nothing more came, after: " + pending_);
      }
      const ssize_t n = ::recv(fd(), block, sizeof block, MSG_DONTWAIT);
      if (n >= 0) {
        pending_.append(block, static_cast<std::size_t>(n));
        return n > 0;
      }
      if (errno != EINTR && errno != EAGAIN) fail_with_errno("recv");
    }
  }
  std::string take(std::size_t n) {
    std::string front = pending_.substr(0, n);
    pending_.erase(0, n);
    return front;
  }

  Fd fd_;
  std::string pending_;  // received and not yet taken
};

// A listening socket on a port of its own, or on the given address.
class RawListener {
 public:
  explicit RawListener(const std::string& address = "tcp@127.0.0.1:0", int backlog = 64)
      : address_(address) {
    SocketAddress at(address);
    fd_ = Fd(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd_.get() < 0) fail_with_errno("socket");
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd_.get(), at.get(), at.size) != 0) fail_with_errno("bind " + address);
    if (::listen(fd_.get(), backlog) != 0) fail_with_errno("listen");
    if (at.family() == AF_UNIX) return;
    socklen_t size = sizeof at.storage;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&at.storage), &size);
    in_port_t port = 0;  // stands at the same place for both families
    std::memcpy(&port, reinterpret_cast<const char*>(&at.storage) + offsetof(sockaddr_in, sin_port),
                sizeof port);
    port_ = ntohs(port);
    address_ = address.substr(0, address.rfind(':') + 1) + std::to_string(port_);
  }

  // With the port that was bound.
  const std::string& address() const noexcept { return address_; }
  int port() const noexcept { return port_; }

  RawSocket accept(Clock::duration patience = kPatience) {
    if (!wait_ready(fd_.get(), POLLIN, Clock::now() + patience)) {
      throw std::runtime_error("accept: nobody came to " + address_);
    }
    Fd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (peer.get() < 0) fail_with_errno("accept");
    return RawSocket(std::move(peer));
  }
  void close() { fd_.close(); }

 private:
  Fd fd_;
  std::string address_;
  int port_ = 0;
};

}  // namespace test

#endif  // GEERPC_TESTS_SUPPORT_RAW_SOCKET_HPP
