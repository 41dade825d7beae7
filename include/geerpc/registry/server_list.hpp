// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ServerList: which servers a registry knows, at one moment.

#ifndef GEERPC_REGISTRY_SERVER_LIST_HPP
#define GEERPC_REGISTRY_SERVER_LIST_HPP

#include <algorithm>    // any_of, sort, unique
#include <chrono>       // steady_clock
#include <cstdint>      // uint64_t
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/net/address.hpp>

GEERPC_BEGIN_NAMESPACE

// What is known of one server.
struct ServerInfo {
  ServerInfo() = default;
  ServerInfo(Address a, std::vector<std::string> s = {})
      : address(std::move(a)), services(std::move(s)) {}

  Address address;

  // The names of its services, sorted; empty if it does not say, as Go servers don't.
  std::vector<std::string> services;

  // Since its last heartbeat.
  std::chrono::milliseconds age{0};

  // False only if the server says what it offers, and `service` is not among it.
  bool may_offer(std::string_view service) const {
    return services.empty() || std::any_of(services.begin(), services.end(),
                                           [&](const std::string& s) { return s == service; });
  }
};

// The answer of a registry. Once shared it is never changed, so it needs no lock.
struct ServerList {
  using Clock = std::chrono::steady_clock;

  // Sorted by address, each address once.
  std::vector<ServerInfo> servers;

  // Changes whenever a server comes, goes, or changes its services; comparable only between lists
  // of the same instance. 0 if the registry does not say.
  std::uint64_t revision = 0;

  // A random name that a registry gives itself when it starts. Empty if it does not say.
  std::string instance;

  // How long a server stays listed after a heartbeat; zero: for ever; nothing: not known.
  std::optional<std::chrono::milliseconds> ttl;

  // How long the registry has been running; while that is less than the TTL it may not have heard
  // of every server yet.
  std::optional<std::chrono::milliseconds> uptime;

  // When this list was made or fetched.
  Clock::time_point time = Clock::now();

  bool contains(const Address& address) const {
    return std::any_of(servers.begin(), servers.end(),
                       [&](const ServerInfo& s) { return s.address == address; });
  }

  // Establishes the order and the uniqueness of `servers`.
  void normalise() {
    const auto before = [](const ServerInfo& a, const ServerInfo& b) {
      return a.address < b.address;
    };
    const auto same = [](const ServerInfo& a, const ServerInfo& b) {
      return a.address == b.address;
    };
    std::stable_sort(servers.begin(), servers.end(), before);
    servers.erase(std::unique(servers.begin(), servers.end(), same), servers.end());
  }
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_REGISTRY_SERVER_LIST_HPP
