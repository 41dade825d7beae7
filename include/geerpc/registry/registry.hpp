// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Registry: who is alive. Servers report themselves again and again; one that has not done so for a
// TTL is forgotten.

#ifndef GEERPC_REGISTRY_REGISTRY_HPP
#define GEERPC_REGISTRY_REGISTRY_HPP

#include <algorithm>   // min, sort
#include <chrono>      // milliseconds, minutes, steady_clock
#include <cstddef>     // size_t
#include <cstdint>     // uint64_t
#include <functional>  // function
#include <limits>      // numeric_limits
#include <map>         // map
#include <mutex>       // mutex
#include <optional>    // optional
#include <random>      // random_device
#include <string>      // string
#include <utility>     // move
#include <vector>      // vector

#include <geerpc/base/context.hpp>
#include <geerpc/base/duration.hpp>
#include <geerpc/registry/server_list.hpp>

GEERPC_BEGIN_NAMESPACE

// What every registry can do, be it in this process (Registry) or elsewhere (HttpRegistry). All
// functions are thread-safe, end by the context's deadline or cancellation, and throw Error.
class RegistryApi {
 public:
  virtual ~RegistryApi() = default;

  // Reports a server as alive. Returns the TTL: zero means for ever, nothing that the registry does
  // not say.
  virtual std::optional<std::chrono::milliseconds> put(const ServerInfo& server,
                                                       const Context& context = {}) = 0;

  // Forgets a server. Not an error if it is not known.
  virtual void remove(const Address& address, const Context& context = {}) = 0;

  virtual ServerList list(const Context& context = {}) = 0;

  // The host under which clients of this registry reach this machine, e.g. "192.168.1.7": what a
  // server that listens on all of its addresses is to advertise.
  virtual std::string local_host(bool ipv4_only, const Context& context) = 0;

  // For messages, e.g. its URL.
  virtual std::string name() const = 0;
};

struct RegistryOptions {
  // How long a server stays listed after its last heartbeat. GeeRPC's default; with heartbeats at a
  // third of it, 15 to 30 s notice a dead server sooner. Zero: for ever. More than a year counts as
  // a year.
  std::chrono::milliseconds ttl = std::chrono::minutes(5);

  // More than that are refused with `resource_exhausted`.
  std::size_t max_servers = 10000;

  // Go GeeRPC servers that listen on all addresses register themselves as "tcp@[::]:port", and all
  // GeeRPC clients dial that as their own loopback: right on one machine, wrong between machines.
  // False refuses such addresses. Heartbeat never sends one.
  bool allow_wildcard = true;

  // The time; for tests. Must be thread-safe and never go back.
  std::function<std::chrono::steady_clock::time_point()> clock = std::chrono::steady_clock::now;
};

namespace detail {

// A service name that survives a header line and a list with commas.
inline bool valid_service_name(const std::string& name) {
  if (name.empty() || name.size() > 255) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 127 && c != ','; });
}

inline std::string random_name() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 16; ++i) name += "0123456789abcdef"[random() % 16];
  return name;
}

}  // namespace detail

// The registry itself. Thread-safe; nothing here waits.
class Registry : public RegistryApi {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Registry(RegistryOptions options = {})
      : options_(std::move(options)),
        ttl_(detail::at_most_a_year(options_.ttl)),
        instance_(detail::random_name()),
        started_(options_.clock()) {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Throws Error: invalid_argument for an address or service names that make no sense,
  // resource_exhausted if there are too many servers.
  std::optional<std::chrono::milliseconds> put(const ServerInfo& server,
                                               const Context& = {}) override {
    check(server);
    std::vector<std::string> services = server.services;
    std::sort(services.begin(), services.end());
    const std::lock_guard<std::mutex> lock(mutex_);
    const Clock::time_point now = options_.clock();
    forget_expired(now);
    auto found = servers_.find(server.address);
    if (found == servers_.end()) {
      if (servers_.size() >= options_.max_servers) {
        throw Error(StatusCode::resource_exhausted,
                    "registry: it has " + std::to_string(servers_.size()) +
                        " servers and takes no more (RegistryOptions::max_servers)");
      }
      found = servers_.emplace(server.address, Entry{}).first;
      ++revision_;
    } else if (found->second.services != services) {
      ++revision_;
    }
    found->second = {std::move(services), now};
    next_expiry_ = (std::min)(next_expiry_, expiry(now));
    return ttl_;
  }

  void remove(const Address& address, const Context& = {}) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (servers_.erase(address) != 0) ++revision_;
  }

  // The servers that are alive now.
  ServerList list(const Context& = {}) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Clock::time_point now = options_.clock();
    forget_expired(now);
    ServerList list;
    list.servers.reserve(servers_.size());
    for (const auto& [address, entry] : servers_) {
      ServerInfo server(address, entry.services);
      server.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - entry.last_beat);
      list.servers.push_back(std::move(server));
    }
    list.revision = revision_;
    list.instance = instance_;
    list.ttl = ttl_;
    list.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
    return list;
  }

  // How many entries are held; those whose time is over count until the next put() or list().
  std::size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return servers_.size();
  }

  // Servers that listen on all addresses take IPv4 too; the name "localhost" may not resolve.
  std::string local_host(bool, const Context&) override { return "127.0.0.1"; }
  std::string name() const override { return "the in-process registry"; }

 private:
  static constexpr std::size_t kMaxServices = 256;

  struct Entry {
    std::vector<std::string> services;
    Clock::time_point last_beat;
  };

  void check(const ServerInfo& server) const {
    const auto refuse = [](const std::string& reason) {
      throw Error(StatusCode::invalid_argument, "registry: " + reason);
    };
    const Address& address = server.address;
    if (address.empty()) refuse("the server's address is empty");
    if (address.scheme() != Address::Scheme::unix_socket && address.port() == 0) {
      refuse("nobody can dial port 0 of " + address.str());
    }
    if (address.is_wildcard() && !options_.allow_wildcard) {
      refuse("nobody can dial " + address.str() + "; advertise the address of one interface");
    }
    if (server.services.size() > kMaxServices) refuse("too many services");
    for (const std::string& service : server.services) {
      if (!detail::valid_service_name(service)) refuse("a malformed service name");
    }
  }

  Clock::time_point expiry(Clock::time_point last_beat) const {
    return ttl_.count() <= 0 ? Clock::time_point::max() : last_beat + ttl_;
  }

  // Looks at the entries only when one of them may have expired, so a flood of heartbeats is cheap.
  void forget_expired(Clock::time_point now) {
    if (now < next_expiry_) return;
    next_expiry_ = Clock::time_point::max();
    for (auto it = servers_.begin(); it != servers_.end();) {
      const Clock::time_point end = expiry(it->second.last_beat);
      if (end <= now) {
        it = servers_.erase(it);
        ++revision_;
      } else {
        next_expiry_ = (std::min)(next_expiry_, end);
        ++it;
      }
    }
  }

  // Constant after construction.
  const RegistryOptions options_;
  const std::chrono::milliseconds ttl_;
  const std::string instance_;
  const Clock::time_point started_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::map<Address, Entry> servers_;
  std::uint64_t revision_ = 1;
  Clock::time_point next_expiry_ = Clock::time_point::max();  // no entry expires before
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_REGISTRY_REGISTRY_HPP
