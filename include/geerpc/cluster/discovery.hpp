// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Discovery: which servers there are, for a client that calls several.

#ifndef GEERPC_CLUSTER_DISCOVERY_HPP
#define GEERPC_CLUSTER_DISCOVERY_HPP

#include <chrono>            // steady_clock
#include <initializer_list>  // initializer_list
#include <memory>            // make_shared, shared_ptr
#include <mutex>             // mutex
#include <string>            // string
#include <utility>           // move
#include <vector>            // vector

#include <geerpc/base/context.hpp>
#include <geerpc/registry/server_list.hpp>

GEERPC_BEGIN_NAMESPACE

// How current the list of a discovery is.
struct DiscoveryStatus {
  std::chrono::steady_clock::duration age{};  // of the list; max() if there is none yet
  bool stale = false;      // the last attempt to renew it failed; the list is the last good one
  std::string last_error;  // of the last failed attempt, also after later successes
};

// Where the list of servers comes from. Thread-safe.
class Discovery {
 public:
  virtual ~Discovery() = default;

  // The present list, never null: a snapshot that never changes. Keep the pointer while looking at
  // it: a loop over servers()->servers would let go of the list before its first turn. Comes at
  // once; only while there has been no list at all it waits, until the context is done at the
  // latest. Throws Error: unavailable with the reason why there is no list, deadline_exceeded,
  // cancelled.
  virtual std::shared_ptr<const ServerList> servers(const Context& context = {}) = 0;

  virtual DiscoveryStatus status() const = 0;

  // A hint that the list may be out of date, e.g. since a server could not be reached. Returns at
  // once.
  virtual void refresh() {}
};

// A list that the program keeps by itself. A handle: copies share the list, so that one can be
// given to an XClient and the other one used for updates.
//   StaticDiscovery servers{"tcp@10.0.0.1:9000", "tcp@10.0.0.2:9000"};
//   XClient cluster(servers);
//   servers.update({"tcp@10.0.0.3:9000"});
class StaticDiscovery : public Discovery {
 public:
  StaticDiscovery() : StaticDiscovery(std::vector<ServerInfo>{}) {}
  StaticDiscovery(std::initializer_list<Address> servers)
      : StaticDiscovery(std::vector<Address>(servers)) {}
  explicit StaticDiscovery(const std::vector<Address>& servers)
      : StaticDiscovery(std::vector<ServerInfo>(servers.begin(), servers.end())) {}
  explicit StaticDiscovery(std::vector<ServerInfo> servers) : state_(std::make_shared<State>()) {
    update(std::move(servers));
  }

  // Replaces the list. Calls under way keep the old one; later ones see the new one.
  void update(std::vector<ServerInfo> servers) {
    auto list = std::make_shared<ServerList>();
    list->servers = std::move(servers);
    list->normalise();
    const std::lock_guard<std::mutex> lock(state_->mutex);
    list->revision = state_->list == nullptr ? 1 : state_->list->revision + 1;
    state_->list = std::move(list);
  }
  void update(const std::vector<Address>& servers) {
    update(std::vector<ServerInfo>(servers.begin(), servers.end()));
  }
  void update(std::initializer_list<Address> servers) { update(std::vector<Address>(servers)); }

  std::shared_ptr<const ServerList> servers(const Context& = {}) override {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->list;
  }
  DiscoveryStatus status() const override {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    DiscoveryStatus status;
    status.age = ServerList::Clock::now() - state_->list->time;
    return status;
  }

 private:
  struct State {
    std::mutex mutex;  // held only to copy or to replace the pointer
    std::shared_ptr<const ServerList> list;
  };
  std::shared_ptr<State> state_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLUSTER_DISCOVERY_HPP
