// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Sockets, and the few system calls that a connection needs. POSIX; another system would get
// another version of the files in this folder, and of nothing else.

#ifndef GEERPC_NET_SOCKET_HPP
#define GEERPC_NET_SOCKET_HPP

#include <algorithm>     // min
#include <cerrno>        // errno
#include <cctype>        // tolower
#include <chrono>        // steady_clock
#include <cstddef>       // size_t
#include <string>        // string
#include <string_view>   // string_view
#include <system_error>  // generic_category
#include <utility>       // exchange

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

using SteadyClock = std::chrono::steady_clock;

// "connection refused" for ECONNREFUSED.
inline std::string errno_text(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

inline bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() noexcept = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~FileDescriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

// Child processes inherit no descriptor of ours. Where the system has SOCK_CLOEXEC (and so accept4
// and pipe2), that holds also for one that another thread starts at this very moment. Like socket()
// and accept().
inline int open_socket(int family, int type) noexcept {
#ifdef SOCK_CLOEXEC
  return ::socket(family, type | SOCK_CLOEXEC, 0);
#else
  const int fd = ::socket(family, type, 0);
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
#endif
}
inline int accept_socket(int listening, sockaddr* from, socklen_t* length) noexcept {
#ifdef SOCK_CLOEXEC
  return ::accept4(listening, from, length, SOCK_CLOEXEC);
#else
  const int fd = ::accept(listening, from, length);
  if (fd < 0) return fd;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, 0);  // BSD hands down the listener's flags
  return fd;
#endif
}
// Like pipe(), and neither end blocks.
inline int open_pipe(int (&ends)[2]) noexcept {
#ifdef SOCK_CLOEXEC
  return ::pipe2(ends, O_CLOEXEC | O_NONBLOCK);
#else
  if (::pipe(ends) != 0) return -1;
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  return 0;
#endif
}

// poll's timeout for waiting until `deadline`, rounded up so that it is never early.
inline int poll_timeout(SteadyClock::time_point deadline) noexcept {
  if (deadline == SteadyClock::time_point::max()) return -1;
  const auto now = SteadyClock::now();
  if (deadline <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  return left.count() > 3600000 ? 3600000 : static_cast<int>(left.count());
}

// Waits until one of the descriptors has an event, or until `deadline`. False on timeout. A signal
// does not end the wait.
template <std::size_t N>
bool poll_until(pollfd (&fds)[N], SteadyClock::time_point deadline) noexcept {
  for (;;) {
    const int n = ::poll(fds, N, poll_timeout(deadline));
    if (n > 0) return true;
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 && SteadyClock::now() < deadline) continue;
    return false;
  }
}

// A connected stream socket. One thread may read while another writes; shutdown() is safe from any
// thread. The descriptor is in blocking mode: whoever must not block says so per call.
class Socket {
 public:
  Socket() noexcept = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}

  int fd() const noexcept { return fd_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

  // What one transfer did: `bytes` > 0, or 0 at the end of the stream, or -1 with `error` = errno.
  // EAGAIN means that it would block, or that the receive timeout passed.
  struct Transfer {
    ssize_t bytes;
    int error;
  };

  // Waits for input, at most as long as the receive timeout says.
  Transfer receive(char* to, std::size_t n) const noexcept { return receive_flags(to, n, 0); }
  Transfer receive_now(char* to, std::size_t n) const noexcept {
    return receive_flags(to, n, MSG_DONTWAIT);
  }
  // Sends what fits without waiting. Never raises SIGPIPE.
  Transfer send_now(const char* from, std::size_t n) const noexcept {
    for (;;) {
      const ssize_t sent = ::send(fd(), from, n, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      return {sent, sent < 0 ? errno : 0};
    }
  }

  // The same for two pieces, one behind the other.
  Transfer send_now(std::string_view first, std::string_view second) const noexcept {
    iovec pieces[2] = {{const_cast<char*>(first.data()), first.size()},
                       {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    for (;;) {
      const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      return {sent, sent < 0 ? errno : 0};
    }
  }

  // True if the stream has ended or broken, as far as that is known without waiting.
  bool looks_dead() const noexcept {
    char byte;
    const ssize_t n = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && !would_block(errno) && errno != EINTR);
  }

  bool wait_readable(SteadyClock::time_point deadline) const noexcept {
    pollfd fds[1] = {{fd(), POLLIN, 0}};
    return poll_until(fds, deadline);
  }
  bool wait_writable(SteadyClock::time_point deadline) const noexcept {
    pollfd fds[1] = {{fd(), POLLOUT, 0}};
    return poll_until(fds, deadline);
  }

  // Bytes that were sent and that the peer's kernel has not taken. What is sent on a unix socket is
  // the peer's at once.
  int undelivered() const noexcept {
    int domain = AF_UNIX, bytes = 0;
    socklen_t size = sizeof domain;
    ::getsockopt(fd(), SOL_SOCKET, SO_DOMAIN, &domain, &size);
    return domain != AF_UNIX && ::ioctl(fd(), TIOCOUTQ, &bytes) == 0 ? bytes : 0;
  }

  // Waits until the peer's kernel has all that was sent, while it takes some of it every
  // `patience`, and no longer than `at_most`. A TCP connection that is closed before that, while
  // the peer sends, is reset, and what is on its way is lost.
  void wait_delivered(std::chrono::milliseconds patience,
                      std::chrono::milliseconds at_most) const noexcept {
    const auto end = SteadyClock::now() + at_most;
    auto deadline = SteadyClock::now() + patience;
    int left = undelivered();
    while (left > 0 && SteadyClock::now() < (std::min)(deadline, end)) {
      pollfd broken{fd(), 0, 0};  // nothing tells when it is delivered
      if (::poll(&broken, 1, 1) > 0) return;
      const int now_left = undelivered();
      if (now_left < left) deadline = SteadyClock::now() + patience;
      left = now_left;
    }
  }

  // receive() then comes back with EAGAIN after that time; zero: it waits for ever.
  void set_receive_timeout(std::chrono::microseconds timeout) const noexcept {
    timeval tv;
    tv.tv_sec = static_cast<time_t>(timeout.count() / 1000000);
    tv.tv_usec = static_cast<suseconds_t>(timeout.count() % 1000000);
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  }

  // What every connection of ours wants: no delay for small messages, and dead peers found by the
  // kernel after some two minutes (Go's default period of 15 s).
  void set_stream_options() const noexcept {
    const int on = 1, period = 15, probes = 8;
    ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails on unix sockets: fine
    ::setsockopt(fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#ifdef TCP_KEEPIDLE
    ::setsockopt(fd(), IPPROTO_TCP, TCP_KEEPIDLE, &period, sizeof period);
    ::setsockopt(fd(), IPPROTO_TCP, TCP_KEEPINTVL, &period, sizeof period);
    ::setsockopt(fd(), IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
#else
    (void)period, (void)probes;
#endif
  }

  // Ends both directions and so wakes whoever waits on this socket. The descriptor stays valid.
  void shutdown() const noexcept { ::shutdown(fd(), SHUT_RDWR); }
  void shutdown_writing() const noexcept { ::shutdown(fd(), SHUT_WR); }
  void close() noexcept { fd_.reset(); }

 private:
  Transfer receive_flags(char* to, std::size_t n, int flags) const noexcept {
    for (;;) {
      const ssize_t got = ::recv(fd(), to, n, flags);
      if (got < 0 && errno == EINTR) continue;
      return {got, got < 0 ? errno : 0};
    }
  }

  FileDescriptor fd_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_SOCKET_HPP
