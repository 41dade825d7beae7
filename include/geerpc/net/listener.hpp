// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Listener: a bound, listening socket.

#ifndef GEERPC_NET_LISTENER_HPP
#define GEERPC_NET_LISTENER_HPP

#include <string>   // string
#include <utility>  // move

#include <sys/stat.h>

#include <geerpc/net/resolver.hpp>
#include <geerpc/net/waker.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Listens from construction to destruction. The address is exclusive: a second listener on the same
// port is refused, a restarted one does not have to wait for old connections to time out.
class Listener {
 public:
  // Binds the first of the address's socket addresses that can be bound. An empty host listens on
  // both IPv6 and IPv4. The socket file that a dead server left behind is replaced, that of a
  // living one is not. Throws Error(unavailable) with the reason.
  explicit Listener(const Address& address) {
    // An empty host is "::" that takes IPv4 too, on a system with IPv6.
    const bool any = address.scheme() != Address::Scheme::unix_socket && address.host().empty();
    int error = any ? bind_to(address, address.with_host("::")) : EAFNOSUPPORT;
    if (error != 0) error = bind_to(address, any ? address.with_host("0.0.0.0") : address);
    if (error != 0) {
      throw Error(StatusCode::unavailable, "listen on " + address.str() + ": " + errno_text(error));
    }
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { remove_socket_file(); }

  // What was bound: the address asked for, with the port that the system chose.
  const Address& address() const noexcept { return address_; }

  // Waits for a connection. Returns 0 with the connection and its peer's address, or an errno:
  // ECANCELED once `stop` is woken, EMFILE and the like for a caller who then waits a while.
  int accept(const Waker& stop, Socket& connection, Address& peer) const {
    pollfd fds[2] = {{fd_.get(), POLLIN, 0}, {stop.fd(), POLLIN, 0}};
    poll_until(fds, SteadyClock::time_point::max());
    if (fds[1].revents != 0) return ECANCELED;
    SocketAddress from;
    from.length = sizeof from.storage;
    const int fd = accept_socket(fd_.get(), from.get(), &from.length);
    if (fd < 0) return errno;
    connection = Socket(fd);
    connection.set_stream_options();
    peer = from.family() == AF_INET || from.family() == AF_INET6
               ? to_address(from, Address::Scheme::tcp)
               : address_;
    return 0;
  }

 private:
  static constexpr int kBacklog = 4096;  // the kernel cuts it to its own maximum

  int bind_to(const Address& asked, const Address& address) {
    int error = EADDRNOTAVAIL;
    const Waker never;
    for (const SocketAddress& target : resolve(address, SteadyClock::now() + kLookupTime, never)) {
      error = bind_to(target, asked);
      if (error == 0) return 0;
    }
    return error;
  }

  int bind_to(SocketAddress target, const Address& asked) {
    FileDescriptor fd(open_socket(target.family(), SOCK_STREAM));
    if (!fd) return errno;
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    const int on = 1, off = 0;
    if (target.family() == AF_INET6) {
      // Go's "[::]:port" takes both families, and so do we.
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (target.family() != AF_UNIX) {
      // On POSIX systems this skips TIME_WAIT only; it does not let two sockets listen.
      ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    } else if (!asked.is_abstract()) {
      remove_stale_file(asked, target);
    }
    if (::bind(fd.get(), target.get(), target.length) != 0) return errno;
    if (::listen(fd.get(), kBacklog) != 0) return errno;
    if (target.family() == AF_UNIX) {
      address_ = asked;
      if (!asked.is_abstract()) ::lstat(asked.path().c_str(), &file_);
    } else {
      SocketAddress bound;
      bound.length = sizeof bound.storage;
      ::getsockname(fd.get(), bound.get(), &bound.length);
      address_ = to_address(bound, asked.scheme());
    }
    fd_ = std::move(fd);
    return 0;
  }

  // A socket file that nobody answers on is left over from a process that died.
  static void remove_stale_file(const Address& address, const SocketAddress& target) {
    struct stat found;
    if (::lstat(address.path().c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
    const FileDescriptor probe(open_socket(AF_UNIX, SOCK_STREAM));
    if (!probe) return;
    ::fcntl(probe.get(), F_SETFL, O_NONBLOCK);
    if (::connect(probe.get(), target.get(), target.length) != 0 && errno == ECONNREFUSED) {
      ::unlink(address.path().c_str());
    }
  }

  // Removes our socket file, unless somebody else's has taken its place.
  void remove_socket_file() const noexcept {
    if (address_.scheme() != Address::Scheme::unix_socket || address_.is_abstract()) return;
    struct stat found;
    if (::lstat(address_.path().c_str(), &found) == 0 && found.st_dev == file_.st_dev &&
        found.st_ino == file_.st_ino) {
      ::unlink(address_.path().c_str());
    }
  }

  static constexpr std::chrono::seconds kLookupTime{10};

  FileDescriptor fd_;
  Address address_;
  struct stat file_ {};  // of the socket file that we made
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_LISTENER_HPP
