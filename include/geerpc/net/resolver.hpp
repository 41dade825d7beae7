// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// From an Address to the socket addresses behind it.

#ifndef GEERPC_NET_RESOLVER_HPP
#define GEERPC_NET_RESOLVER_HPP

#include <algorithm>     // equal, remove_if
#include <atomic>        // atomic
#include <cctype>        // tolower
#include <cstdint>       // uint16_t
#include <cstring>       // memcpy, memset
#include <exception>     // exception
#include <functional>    // function
#include <memory>        // enable_shared_from_this, make_shared, shared_ptr, weak_ptr
#include <mutex>         // mutex
#include <string>        // string
#include <string_view>   // string_view
#include <system_error>  // system_error
#include <thread>        // thread
#include <utility>       // move
#include <vector>        // vector

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

// A name that is looked up, for all who want to know it.
struct NameLookup {
  NameLookup(std::string h, std::uint16_t p) : host(std::move(h)), port(p) {}

  const std::string host;
  const std::uint16_t port;
  bool begun = false;  // guarded by the mutex of the NameLookups
  Waker ended;
  std::atomic<bool> done{false};  // set before `ended` is woken, and after the rest is written
  int error = EAI_MEMORY;
  std::vector<SocketAddress> found;
};

// The threads that look names up. getaddrinfo can't be interrupted: it may outlive whoever asked by
// many seconds, while they ask again. So those who ask for the same name wait for the same thread,
// and there are only so many threads: further names wait for their turn, and are forgotten when
// nobody waits for them any more. Made by make_shared: the threads keep it. Thread-safe.
class NameLookups : public std::enable_shared_from_this<NameLookups> {
 public:
  using Function =
      std::function<int(const std::string&, std::uint16_t, std::vector<SocketAddress>&)>;

  // `look_up` is as lookup() without its flags.
  NameLookups(Function look_up, std::size_t most_threads)
      : look_up_(std::move(look_up)), most_threads_(most_threads) {}

  // Returns at once. Throws Error(resource_exhausted) when the system has no thread or no
  // descriptors for it.
  std::shared_ptr<const NameLookup> find(const std::string& host, std::uint16_t port) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (process_ != ::getpid()) {  // after a fork the threads are the parent's
      process_ = ::getpid();
      threads_ = 0;
      lookups_.clear();
    }
    const auto gone = [](const std::weak_ptr<NameLookup>& lookup) { return lookup.expired(); };
    lookups_.erase(std::remove_if(lookups_.begin(), lookups_.end(), gone), lookups_.end());
    for (const std::weak_ptr<NameLookup>& weak : lookups_) {
      const std::shared_ptr<NameLookup> known = weak.lock();
      if (known != nullptr && known->host == host && known->port == port && !known->done) {
        return known;
      }
    }
    const auto lookup = std::make_shared<NameLookup>(host, port);
    lookups_.push_back(lookup);
    if (threads_ < most_threads_) start_thread();
    return lookup;
  }

 private:
  // Mutex held.
  void start_thread() {
    try {
      std::thread([self = shared_from_this()] { self->run(); }).detach();
      ++threads_;
    } catch (const std::system_error& error) {
      if (threads_ != 0) return;  // one of those does it
      throw Error(StatusCode::resource_exhausted, std::string("start a thread: ") + error.what())
          .never_ran();
    }
  }

  void run() {
    while (const std::shared_ptr<NameLookup> lookup = next()) {
      try {
        lookup->error = look_up_(lookup->host, lookup->port, lookup->found);
      } catch (const std::exception&) {
        // Out of memory, as `error` says.
      }
      lookup->done.store(true, std::memory_order_release);
      lookup->ended.wake();
    }
  }

  // nullptr when nothing is left to do: then the thread ends.
  std::shared_ptr<NameLookup> next() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const std::weak_ptr<NameLookup>& weak : lookups_) {
      std::shared_ptr<NameLookup> lookup = weak.lock();
      if (lookup == nullptr || lookup->begun) continue;
      lookup->begun = true;
      return lookup;
    }
    --threads_;
    return nullptr;
  }

  const Function look_up_;
  const std::size_t most_threads_;

  std::mutex mutex_;  // guards the following
  std::vector<std::weak_ptr<NameLookup>> lookups_;
  std::size_t threads_ = 0;
  pid_t process_ = ::getpid();
};

// Those of this process. Never destroyed: other static objects may dial until the very end.
inline NameLookups& name_lookups() {
  static const auto& lookups = *new std::shared_ptr<NameLookups>(std::make_shared<NameLookups>(
      [](const std::string& host, std::uint16_t port, std::vector<SocketAddress>& found) {
        return lookup(host, port, AI_ADDRCONFIG, found);
      },
      32));
  return *lookups;
}

// All socket addresses of `address`, best first (RFC 6724, as getaddrinfo sorts them). Numeric
// hosts and localhost are answered at once. Names are looked up in a thread of their own: at
// `deadline`, or when `abort` is woken, it is left to end by itself and Error(deadline_exceeded or
// cancelled) is thrown. An unknown name is Error(unavailable).
GEERPC_COLD inline std::vector<SocketAddress> resolve(const Address& address,
                                                      SteadyClock::time_point deadline,
                                                      const Waker& abort,
                                                      NameLookups& lookups = name_lookups()) {
  if (address.scheme() == Address::Scheme::unix_socket) return {unix_socket_address(address)};
  std::vector<SocketAddress> found;
  if (lookup(address.host(), address.port(), AI_NUMERICHOST, found) == 0) return found;
  // Without a host and without AI_PASSIVE the answer is the loopback addresses.
  if (is_localhost(address.host()) && lookup("", address.port(), 0, found) == 0) return found;

  const auto search = lookups.find(address.host(), address.port());
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
  return search->found;
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
