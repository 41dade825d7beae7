// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// XClient: calls one, or all, of the servers that a discovery knows.

#ifndef GEERPC_CLUSTER_XCLIENT_HPP
#define GEERPC_CLUSTER_XCLIENT_HPP

#include <algorithm>           // find, find_if, max
#include <chrono>              // seconds, steady_clock
#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <initializer_list>    // initializer_list
#include <memory>              // make_shared, shared_ptr, unique_ptr
#include <mutex>               // mutex
#include <optional>            // optional
#include <string_view>         // string_view
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/base/duration.hpp>
#include <geerpc/client/client.hpp>
#include <geerpc/cluster/discovery.hpp>
#include <geerpc/cluster/peers.hpp>
#include <geerpc/cluster/selector.hpp>

GEERPC_BEGIN_NAMESPACE

// A parameter type for "some discovery": one by value, a shared_ptr or unique_ptr to one, or just
// addresses.
class DiscoveryRef {
 public:
  template <class D, class = std::enable_if_t<std::is_base_of_v<Discovery, D>>>
  DiscoveryRef(D discovery) : discovery_(std::make_shared<D>(std::move(discovery))) {}
  template <class D, class = std::enable_if_t<std::is_base_of_v<Discovery, D>>>
  DiscoveryRef(std::shared_ptr<D> discovery) : discovery_(std::move(discovery)) {}
  template <class D, class = std::enable_if_t<std::is_base_of_v<Discovery, D>>>
  DiscoveryRef(std::unique_ptr<D> discovery) : discovery_(std::move(discovery)) {}
  DiscoveryRef(std::initializer_list<Address> servers) : DiscoveryRef(StaticDiscovery(servers)) {}

  std::shared_ptr<Discovery> take() && { return std::move(discovery_); }

 private:
  std::shared_ptr<Discovery> discovery_;
};

// A parameter type for "some selector": a mode, or a pointer to one.
class SelectorRef {
 public:
  SelectorRef(SelectMode mode) : selector_(make_selector(mode)) {}
  template <class S, class = std::enable_if_t<std::is_base_of_v<Selector, S>>>
  SelectorRef(std::shared_ptr<S> selector) : selector_(std::move(selector)) {}
  template <class S, class = std::enable_if_t<std::is_base_of_v<Selector, S>>>
  SelectorRef(std::unique_ptr<S> selector) : selector_(std::move(selector)) {}

  std::shared_ptr<Selector> take() && { return std::move(selector_); }

 private:
  std::shared_ptr<Selector> selector_;
};

struct XClientOptions {
  XClientOptions() {
    // A server that swallows packets must leave time to try another one.
    client.connect_timeout = std::chrono::seconds(3);
  }

  // For the client of each server. With a cluster of Go servers set its codec to gob_codec().
  // wait_for_ready should stay false: it would make a call wait for one dead server.
  ClientOptions client;

  // On how many servers a call is tried. Only a request that certainly never ran is repeated.
  std::size_t max_attempts = 3;

  // How long a server is skipped after it could not be reached, doubled with each failure in a row
  // up to the second. If all are skipped, they are tried nevertheless.
  std::chrono::milliseconds min_skip = std::chrono::seconds(1);
  std::chrono::milliseconds max_skip = std::chrono::seconds(30);

  // How many calls of one broadcast are in flight at once.
  std::size_t max_fan_out = 256;
};

// What one server answered to a broadcast.
template <class R>
struct ServerResult {
  Address address;
  Result<R> result;
};

// One connection per server, made when it is needed and shared by all calls; those of servers that
// vanish from the discovery end with their last call. Thread-safe: any number of threads may call
// at once, and nobody waits for a server but those who call it.
//
//   geerpc::XClient cluster(geerpc::RegistryDiscovery("http://127.0.0.1:9999/_geerpc_/registry"),
//                           geerpc::SelectMode::random);
//   int any = cluster.call<int>("Foo.Sum", Args{1, 2});
//   int all = cluster.broadcast<int>("Foo.Sum", Args{1, 2});
//
// Every form takes a Context as its first argument, or none: then the deadline is that of
// ClientOptions::call_timeout. It covers everything: discovery, connecting, all attempts.
class XClient : public detail::CallByMethod<XClient> {
 public:
  // call<&Foo::Sum>(…) and try_call<&Foo::Sum>(…), with or without a Context.
  using CallByMethod::call;
  using CallByMethod::try_call;

  // Throws Error(invalid_argument) for null pointers. Connects to nothing yet.
  explicit XClient(DiscoveryRef discovery, SelectorRef selector = SelectMode::random,
                   XClientOptions options = {})
      : discovery_(std::move(discovery).take()),
        selector_(std::move(selector).take()),
        options_(std::move(options)),
        peers_(options_.client) {
    if (discovery_ == nullptr || selector_ == nullptr || options_.client.codec == nullptr) {
      throw Error(StatusCode::invalid_argument, "xclient: null discovery, selector or codec");
    }
  }
  XClient(const XClient&) = delete;
  XClient& operator=(const XClient&) = delete;
  ~XClient() { close(); }

  // Calls `method` on one server. If that one can't be reached, or refuses because it is full or
  // stopping, another one is tried, provided that the request certainly never ran. Throws Error;
  // "rpc discovery: no available servers" (unavailable) if there are none.
  template <class R, class... A>
  R call(const Context& context, std::string_view method, const A&... args) {
    return try_call<R>(context, method, args...).value();
  }
  template <class R, class... A>
  R call(std::string_view method, const A&... args) {
    return try_call<R>(Context(), method, args...).value();
  }

  // The same, but returns the Error instead of throwing it.
  template <class R, class... A>
  Result<R> try_call(const Context& context, std::string_view method, const A&... args) {
    const Context limited = with_deadline(context);
    std::vector<std::shared_ptr<detail::Peer>> tried;
    std::optional<Error> last_error;
    try {
      while (tried.size() < (std::max)(options_.max_attempts, std::size_t{1})) {
        const std::shared_ptr<const detail::PeerList> peers = current_peers(limited);
        const std::shared_ptr<detail::Peer> peer = select(*peers, tried, method, limited);
        if (peer == nullptr) break;
        tried.push_back(peer);
        Result<R> result = peer->client().template try_call<R>(limited, method, args...);
        if (result.ok()) {
          peer->succeeded();
          return result;
        }
        last_error = result.error();
        note_failure(*peer, *last_error);
        if (!another_may_serve(*last_error) || limited.done()) break;
      }
    } catch (const Error& error) {
      if (!last_error) last_error = error.in_call(method, "");
    }
    return last_error ? *last_error : no_servers(method);
  }
  template <class R, class... A>
  Result<R> try_call(std::string_view method, const A&... args) {
    return try_call<R>(Context(), method, args...);
  }

  // Calls `method` on all servers at once and returns the result that came first. The first error
  // cancels the other calls and is thrown, with the address of its server. No server at all is an
  // error too.
  template <class R, class... A>
  R broadcast(const Context& context, std::string_view method, const A&... args) {
    return try_broadcast<R>(context, method, args...).value();
  }
  template <class R, class... A>
  R broadcast(std::string_view method, const A&... args) {
    return broadcast<R>(Context(), method, args...);
  }
  template <class R, class... A>
  Result<R> try_broadcast(const Context& context, std::string_view method, const A&... args) {
    try {
      Gathering<R> gathering(*this, context, method, /*stop_at_error=*/true, args...);
      return gathering.first();
    } catch (const Error& error) {
      return error;
    }
  }
  template <class R, class... A>
  Result<R> try_broadcast(std::string_view method, const A&... args) {
    return try_broadcast<R>(Context(), method, args...);
  }

  // Calls `method` on all servers at once, waits for all of them and returns what each answered, in
  // the order of their addresses. Throws Error only if there are no servers.
  template <class R, class... A>
  std::vector<ServerResult<R>> broadcast_all(const Context& context, std::string_view method,
                                             const A&... args) {
    Gathering<R> gathering(*this, context, method, /*stop_at_error=*/false, args...);
    return gathering.all();
  }
  template <class R, class... A>
  std::vector<ServerResult<R>> broadcast_all(std::string_view method, const A&... args) {
    return broadcast_all<R>(Context(), method, args...);
  }

  // Final: ends all connections, fails all calls in flight with `cancelled`, and every later one.
  void close() { peers_.close(); }
  bool closed() const { return peers_.closed(); }

  Discovery& discovery() const noexcept { return *discovery_; }

 private:
  // One broadcast.
  template <class R>
  class Gathering {
   public:
    template <class... A>
    Gathering(XClient& owner, const Context& context, std::string_view method, bool stop_at_error,
              const A&... args)
        : context_(owner.with_deadline(context)),
          on_cancel_(context.cancel_token(), [this] { source_.cancel(); }),
          peers_(owner.peers_for(context_, method)),
          state_(std::make_shared<State>()) {
      context_.set_cancel(source_.token());
      state_->results.resize(peers_.size());
      try {
        run(owner, method, stop_at_error, args...);
      } catch (...) {
        source_.cancel();
        throw;
      }
      if (!note_results(owner)) source_.cancel();  // what is still under way is not wanted any more
    }

    // The first error if there is one, else the first result.
    Result<R> first() {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      return std::move(*state_->results[state_->failed ? *state_->failed : *state_->succeeded]);
    }

    std::vector<ServerResult<R>> all() {
      std::vector<ServerResult<R>> results;
      const std::lock_guard<std::mutex> lock(state_->mutex);
      for (std::size_t i = 0; i < peers_.size(); ++i) {
        results.push_back({peers_[i]->info().address, std::move(*state_->results[i])});
      }
      return results;
    }

   private:
    // Shared with the callbacks, some of which may come after the end of the broadcast.
    struct State {
      std::mutex mutex;
      std::condition_variable changed;
      std::vector<std::optional<Result<R>>> results;
      std::size_t done = 0;
      std::optional<std::size_t> failed, succeeded;  // who was first
    };

    // Starts the calls, as many at once as may be, and waits for them.
    template <class... A>
    void run(XClient& owner, std::string_view method, bool stop_at_error, const A&... args) {
      const std::size_t most = (std::max)(owner.options_.max_fan_out, std::size_t{1});
      for (std::size_t i = 0; i < peers_.size(); ++i) {
        if (!wait(stop_at_error, [&] { return i - state_->done < most; })) return;
        start(i, peers_[i]->client().template async<R>(context_, method, args...));
      }
      wait(stop_at_error, [&] { return state_->done == peers_.size(); });
    }

    // Waits for the condition; false if an error came first. Ends, since each call does, by its
    // deadline.
    template <class Condition>
    bool wait(bool stop_at_error, Condition condition) {
      std::unique_lock<std::mutex> lock(state_->mutex);
      const auto stopped = [&] { return stop_at_error && state_->failed.has_value(); };
      state_->changed.wait(lock, [&] { return stopped() || condition(); });
      return !stopped();
    }

    void start(std::size_t i, Future<R> future) {
      future.then([state = state_, i](Result<R> result) {
        const std::lock_guard<std::mutex> lock(state->mutex);
        ++state->done;
        std::optional<std::size_t>& first = result.ok() ? state->succeeded : state->failed;
        if (!first) first = i;
        state->results[i].emplace(std::move(result));
        state->changed.notify_one();
      });
    }

    // True if all calls are done.
    bool note_results(XClient& owner) {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      for (std::size_t i = 0; i < peers_.size(); ++i) {
        const std::optional<Result<R>>& result = state_->results[i];
        if (result && result->ok()) peers_[i]->succeeded();
        if (result && !result->ok()) owner.note_failure(*peers_[i], result->error());
      }
      return state_->done == peers_.size();
    }

    Context context_;
    CancelSource source_;
    detail::CancelCallback on_cancel_;  // the caller's cancellation is ours
    const std::vector<std::shared_ptr<detail::Peer>> peers_;
    const std::shared_ptr<State> state_;
  };

  static Error no_servers(std::string_view method) {
    return Error(StatusCode::unavailable, "rpc discovery: no available servers")
        .never_ran()
        .in_call(method, "");
  }

  // One absolute deadline for all that a call does.
  Context with_deadline(Context context) const {
    const auto timeout = options_.client.call_timeout;
    if (!context.has_deadline() && timeout.count() > 0) context.set_timeout(timeout);
    return context;
  }

  std::shared_ptr<const detail::PeerList> current_peers(const Context& context) {
    return peers_.current([&] { return discovery_->servers(context); });
  }

  // All servers that may offer the method's service; at least one. Throws Error.
  std::vector<std::shared_ptr<detail::Peer>> peers_for(const Context& context,
                                                       std::string_view method) {
    std::vector<std::shared_ptr<detail::Peer>> found;
    try {
      const std::shared_ptr<const detail::PeerList> current = current_peers(context);
      for (const auto& peer : current->peers) {
        if (peer->info().may_offer(detail::service_of(method))) found.push_back(peer);
      }
    } catch (const Error& error) {
      throw error.in_call(method, "");
    }
    if (found.empty()) throw no_servers(method);
    return found;
  }

  // nullptr if there is none that was not tried.
  std::shared_ptr<detail::Peer> select(const detail::PeerList& peers,
                                       const std::vector<std::shared_ptr<detail::Peer>>& tried,
                                       std::string_view method, const Context& context) {
    const std::string_view service = detail::service_of(method);
    const auto now = std::chrono::steady_clock::now();
    std::vector<const ServerInfo*> candidates, skipped;
    candidates.reserve(peers.peers.size());
    for (const auto& peer : peers.peers) {
      if (!peer->info().may_offer(service)) continue;
      if (std::find(tried.begin(), tried.end(), peer) != tried.end()) continue;
      (peer->is_skipped(now) ? skipped : candidates).push_back(&peer->info());
    }
    if (candidates.empty()) candidates.swap(skipped);
    if (candidates.empty()) return nullptr;
    const std::size_t index = selector_->select({*peers.list, candidates, method, context});
    const ServerInfo* chosen = candidates[index % candidates.size()];
    const auto is_chosen = [&](const auto& peer) { return &peer->info() == chosen; };
    return *std::find_if(peers.peers.begin(), peers.peers.end(), is_chosen);
  }

  // True if the request certainly never ran and its failure says nothing about other servers.
  static bool another_may_serve(const Error& error) {
    return !error.may_have_run() && (error.code() == StatusCode::unavailable ||
                                     error.code() == StatusCode::resource_exhausted ||
                                     error.code() == StatusCode::deadline_exceeded);
  }

  // A server that can't be reached, or was lost, is skipped for a while.
  void note_failure(detail::Peer& peer, const Error& error) {
    const bool unreached = !error.may_have_run() && error.code() == StatusCode::deadline_exceeded;
    if (error.code() != StatusCode::unavailable && !unreached) return;
    peer.failed(detail::at_most_a_year(options_.min_skip),
                detail::at_most_a_year(options_.max_skip));
    discovery_->refresh();
  }

  // Constant after construction.
  const std::shared_ptr<Discovery> discovery_;
  const std::shared_ptr<Selector> selector_;
  const XClientOptions options_;

  detail::PeerTable peers_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLUSTER_XCLIENT_HPP
