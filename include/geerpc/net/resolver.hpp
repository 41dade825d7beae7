// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// From an Address to the socket addresses behind it.

#ifndef GEERPC_NET_RESOLVER_HPP
#define GEERPC_NET_RESOLVER_HPP

#include <algorithm>    // equal
#include <atomic>       // atomic
#include <cctype>       // tolower
#include <cstring>      // memcpy, memset
#include <exception>    // exception
#include <memory>       // make_shared
#include <string>       // string
#include <string_view>  // string_view
#include <thread>       // thread
#include <utility>      // move
#include <vector>       // vector

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <geerpc/base/error.hpp>
#include <geerpc/base/hot_path.hpp>
#include <geerpc/net/address.hpp>
#include <geerpc/net/waker.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// One address as the kernel takes it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const noexcept { return storage.ss_family; }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

inline SocketAddress unix_socket_address(const Address& address) {
  SocketAddress result;
  sockaddr_un un;
  std::memset(&un, 0, sizeof un);
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, address.path().data(), address.path().size());
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path().size());
  if (address.is_abstract()) {
    un.sun_path[0] = '\0';  // the name ends where the length says
  } else {
    ++result.length;  // the final NUL
  }
  std::memcpy(&result.storage, &un, sizeof un);
  return result;
}

// getaddrinfo with its answer as values. `flags` are its own; returns its error number.
inline int lookup(const std::string& host, std::uint16_t port, int flags,
                  std::vector<SocketAddress>& found) {
  addrinfo hints;
  std::memset(&hints, 0, sizeof hints);
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                  std::to_string(port).c_str(), &hints, &list);
  if (error != 0) return error;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    found.push_back(address);
  }
  ::freeaddrinfo(list);
  return 0;
}

// "localhost" and what ends in ".localhost" are this machine, whatever the system's tables say or
// lack (RFC 6761, section 6.3).
inline bool is_localhost(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  constexpr std::string_view name = "localhost";
  if (host.size() < name.size()) return false;
  const std::string_view end = host.substr(host.size() - name.size());
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::equal(end.begin(), end.end(), name.begin(), same) &&
         (end.size() == host.size() || host[host.size() - name.size() - 1] == '.');
}

// All socket addresses of `address`, best first (RFC 6724, as getaddrinfo sorts them). Numeric
// hosts and localhost are answered at once. Names are looked up in a thread of their own, since
// getaddrinfo knows no deadline: at `deadline`, or when `abort` is woken, the thread is left to end
// by itself and Error(deadline_exceeded or cancelled) is thrown. An unknown name is
// Error(unavailable).
GEERPC_COLD inline std::vector<SocketAddress> resolve(const Address& address,
                                                      SteadyClock::time_point deadline,
                                                      const Waker& abort) {
  if (address.scheme() == Address::Scheme::unix_socket) return {unix_socket_address(address)};
  std::vector<SocketAddress> found;
  if (lookup(address.host(), address.port(), AI_NUMERICHOST, found) == 0) return found;
  // Without a host and without AI_PASSIVE the answer is the loopback addresses.
  if (is_localhost(address.host()) && lookup("", address.port(), 0, found) == 0) return found;

  struct Search {
    Waker ended;
    std::atomic<bool> done{false};  // set before `ended` is woken, and after the rest is written
    int error = EAI_MEMORY;
    std::vector<SocketAddress> found;
  };
  const auto search = std::make_shared<Search>();
  std::thread([search, host = address.host(), port = address.port()] {
    try {
      search->error = lookup(host, port, AI_ADDRCONFIG, search->found);
    } catch (const std::exception&) {
      // Out of memory, as `error` says.
    }
    search->done.store(true, std::memory_order_release);
    search->ended.wake();
  }).detach();

  pollfd fds[2] = {{search->ended.fd(), POLLIN, 0}, {abort.fd(), POLLIN, 0}};
  const std::string what = "look up host " + address.host() + ": ";
  if (!poll_until(fds, deadline)) {
    throw Error(StatusCode::deadline_exceeded, what + "no answer in time");
  }
  if (!search->done.load(std::memory_order_acquire)) {
    throw Error(StatusCode::cancelled, what + "cancelled");
  }
  if (search->error != 0) {
    throw Error(StatusCode::unavailable, what + ::gai_strerror(search->error));
  }
  return std::move(search->found);
}

// "tcp@127.0.0.1:4711", "tcp@[::1]:4711" or "unix@/path" for what the kernel calls it. `scheme` is
// that of the answer.
inline Address to_address(const SocketAddress& address, Address::Scheme scheme) {
  const std::string prefix = scheme == Address::Scheme::http ? "http@" : "tcp@";
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return Address(prefix + text + ':' + std::to_string(ntohs(in.sin_port)));
  }
  if (address.family() == AF_INET6) {
    sockaddr_in6 in6;
    std::memcpy(&in6, &address.storage, sizeof in6);
    ::inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    return Address(prefix + '[' + text + "]:" + std::to_string(ntohs(in6.sin6_port)));
  }
  return Address();
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_RESOLVER_HPP
