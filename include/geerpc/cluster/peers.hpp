// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The servers of a cluster as an XClient keeps them: one shared client each, and how it fared.

#ifndef GEERPC_CLUSTER_PEERS_HPP
#define GEERPC_CLUSTER_PEERS_HPP

#include <algorithm>      // min, remove_if
#include <atomic>         // atomic
#include <chrono>         // steady_clock
#include <cstdint>        // uint64_t
#include <memory>         // make_shared, shared_ptr, weak_ptr
#include <mutex>          // mutex
#include <optional>       // optional
#include <string_view>    // string_view
#include <unordered_map>  // unordered_map
#include <unordered_set>  // unordered_set
#include <utility>        // move
#include <vector>         // vector

#include <geerpc/client/client.hpp>
#include <geerpc/registry/server_list.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// "Foo" of "Foo.Sum".
inline std::string_view service_of(std::string_view method) noexcept {
  return method.substr(0, (std::min)(method.rfind('.'), method.size()));
}

// The client of one server. Thread-safe.
class Peer {
 public:
  using Clock = std::chrono::steady_clock;

  Peer(ServerInfo info, const ClientOptions& options) : info_(std::move(info)), options_(options) {}

  const ServerInfo& info() const noexcept { return info_; }

  // Made when it is needed first, closed with this object. Does not connect.
  Client& client() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) throw closed_error();
    if (!client_) client_.emplace(info_.address, options_);
    return *client_;
  }
  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    if (client_) client_->close();
  }

  bool is_skipped(Clock::time_point now) const noexcept {
    return now.time_since_epoch().count() < skipped_until_.load(std::memory_order_relaxed);
  }
  void succeeded() noexcept {
    if (failures_.load(std::memory_order_relaxed) == 0) return;  // no write to a shared cache line
    failures_.store(0, std::memory_order_relaxed);
    skipped_until_.store(0, std::memory_order_relaxed);
  }
  void failed(Clock::duration min_skip, Clock::duration max_skip) noexcept {
    const Clock::time_point now = Clock::now();
    if (is_skipped(now)) return;  // many calls that fail together are one failure
    Clock::duration skip = min_skip;
    const int failures = failures_.fetch_add(1, std::memory_order_relaxed);
    for (int i = 0; i < failures && skip < max_skip; ++i) skip *= 2;
    skipped_until_.store((now + (std::min)(skip, max_skip)).time_since_epoch().count(),
                         std::memory_order_relaxed);
  }

 private:
  const ServerInfo info_;
  const ClientOptions& options_;  // of the XClient, which outlives its peers

  std::atomic<int> failures_{0};  // in a row
  std::atomic<Clock::rep> skipped_until_{0};

  std::mutex mutex_;  // guards the following
  bool closed_ = false;
  std::optional<Client> client_;
};

// The peers of one ServerList, in its order. Immutable.
struct PeerList {
  std::shared_ptr<const ServerList> list;
  std::vector<std::shared_ptr<Peer>> peers;
};

// Follows the discovery: keeps the peers of servers that stay, and lets go of the others, whose
// clients end with the last call that uses them. Thread-safe.
class PeerTable {
 public:
  explicit PeerTable(const ClientOptions& options) : options_(options) {}

  // The peers of the list that the discovery gives: `ask` asks it for that, without the lock.
  template <class Ask>
  std::shared_ptr<const PeerList> current(const Ask& ask) {
    for (bool again = false;; again = true) {
      const std::uint64_t turn = turn_.load(std::memory_order_acquire);
      if (std::shared_ptr<const PeerList> peers = at(ask(), turn, again)) return peers;
    }
  }

  // Final. Wakes everyone who calls one of the peers.
  void close() {
    std::shared_ptr<const PeerList> last;
    std::vector<std::weak_ptr<Peer>> retired;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
      last = std::move(current_);
      retired.swap(retired_);
    }
    if (last != nullptr) {
      for (const auto& peer : last->peers) peer->close();
    }
    for (const auto& weak : retired) {
      if (const auto peer = weak.lock()) peer->close();
    }
  }
  bool closed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_;
  }

 private:
  // nullptr, or if asked `again` that other list, if another one was taken up since `turn`: `list`
  // may be older, and a caller that was slow must not bring it back. Its own time doesn't tell; a
  // discovery may return to a list.
  std::shared_ptr<const PeerList> at(const std::shared_ptr<const ServerList>& list,
                                     std::uint64_t turn, bool again) {
    std::shared_ptr<const PeerList> old;  // destroyed without the lock: it may close clients
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) throw closed_error();
    if (current_ != nullptr && current_->list == list) return current_;
    if (turn != turn_.load(std::memory_order_relaxed)) return again ? current_ : nullptr;
    std::unordered_map<Address, std::shared_ptr<Peer>> known;
    if (current_ != nullptr) {
      for (const auto& peer : current_->peers) known.emplace(peer->info().address, peer);
    }
    auto fresh = std::make_shared<PeerList>();
    fresh->list = list;
    fresh->peers.reserve(list->servers.size());
    for (const ServerInfo& server : list->servers) {
      const auto found = known.find(server.address);
      const bool same = found != known.end() && found->second->info().services == server.services;
      fresh->peers.push_back(same ? found->second : std::make_shared<Peer>(server, options_));
    }
    remember_retired(*fresh);
    old = std::exchange(current_, std::move(fresh));
    turn_.store(turn + 1, std::memory_order_release);
    return current_;
  }

  // Mutex held. Those that `next` does not have: calls may still use them.
  void remember_retired(const PeerList& next) {
    if (current_ == nullptr) return;
    const auto gone = [](const std::weak_ptr<Peer>& peer) { return peer.expired(); };
    retired_.erase(std::remove_if(retired_.begin(), retired_.end(), gone), retired_.end());
    std::unordered_set<const Peer*> kept;
    for (const auto& peer : next.peers) kept.insert(peer.get());
    for (const auto& peer : current_->peers) {
      if (kept.count(peer.get()) == 0) retired_.push_back(peer);
    }
  }

  const ClientOptions& options_;

  mutable std::mutex mutex_;  // guards the following
  bool closed_ = false;
  std::shared_ptr<const PeerList> current_;
  std::atomic<std::uint64_t> turn_{0};  // how often it was replaced; read without the mutex
  std::vector<std::weak_ptr<Peer>> retired_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLUSTER_PEERS_HPP
