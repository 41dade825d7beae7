// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A blocking TCP socket, and nothing that would cost more than its system calls.

#ifndef BENCH_RAW_SOCKET_HPP
#define BENCH_RAW_SOCKET_HPP

#include <arpa/inet.h>    // htonl, htons, ntohs
#include <netinet/in.h>   // sockaddr_in
#include <netinet/tcp.h>  // TCP_NODELAY
#include <sys/socket.h>   // accept, bind, connect, listen, recv, sendmsg, setsockopt, socket
#include <sys/uio.h>      // iovec
#include <unistd.h>       // close

#include <cerrno>        // errno
#include <cstddef>       // size_t
#include <cstdint>       // uint16_t
#include <string>        // string
#include <system_error>  // generic_category, system_error
#include <utility>       // exchange

namespace raw {

[[noreturn]] inline void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    if (fd < 0) throw_errno("socket");
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  static Socket connected(int port) {
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    if (connect(socket.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw_errno("connect");
    }
    socket.no_delay();
    return socket;
  }

  static Socket listening() {
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(0);
    if (bind(socket.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(socket.fd_, SOMAXCONN) != 0) {
      throw_errno("listen");
    }
    return socket;
  }

  Socket accepted() const {
    Socket socket(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
    socket.no_delay();
    return socket;
  }

  int port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw_errno("getsockname");
    }
    return ntohs(address.sin_port);
  }

  // At least one byte, or 0 at the end.
  std::size_t receive(char* to, std::size_t size) const {
    for (;;) {
      const ssize_t got = recv(fd_, to, size, 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) throw_errno("recv");
    }
  }

  // Everything, in one system call if the kernel takes it.
  void send(const char* data, std::size_t size) const { send(data, size, nullptr, 0); }
  void send(const char* head, std::size_t head_size, const char* body,
            std::size_t body_size) const {
    iovec parts[2] = {{const_cast<char*>(head), head_size}, {const_cast<char*>(body), body_size}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = body_size == 0 ? 1 : 2;
    while (message.msg_iovlen != 0) {
      const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno == EINTR) continue;
        throw_errno("sendmsg");
      }
      skip(message, static_cast<std::size_t>(sent));
    }
  }

  // Ends what other threads wait for.
  void shut_down() const { shutdown(fd_, SHUT_RDWR); }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  static void skip(msghdr& message, std::size_t sent) {
    while (message.msg_iovlen != 0 && sent >= message.msg_iov->iov_len) {
      sent -= message.msg_iov->iov_len;
      ++message.msg_iov;
      --message.msg_iovlen;
    }
    if (message.msg_iovlen == 0) return;
    message.msg_iov->iov_base = static_cast<char*>(message.msg_iov->iov_base) + sent;
    message.msg_iov->iov_len -= sent;
  }
  void no_delay() const {
    const int on = 1;
    if (setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) throw_errno("TCP_NODELAY");
  }

  int fd_;
};

}  // namespace raw

#endif  // BENCH_RAW_SOCKET_HPP
