// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Heartbeat: keeps a server listed in one registry or several, for as long as the object lives.

#ifndef GEERPC_REGISTRY_HEARTBEAT_HPP
#define GEERPC_REGISTRY_HEARTBEAT_HPP

#include <algorithm>           // max, min
#include <chrono>              // steady_clock
#include <condition_variable>  // condition_variable
#include <cstdint>             // uint64_t
#include <functional>          // function
#include <memory>              // unique_ptr
#include <mutex>               // mutex
#include <string>              // string
#include <thread>              // thread
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/base/cancel.hpp>
#include <geerpc/base/duration.hpp>
#include <geerpc/base/random.hpp>
#include <geerpc/registry/registry_ref.hpp>

GEERPC_BEGIN_NAMESPACE

struct HeartbeatOptions {
  // Between two beats, shortened by up to a tenth so that many servers don't beat in step.
  // Zero: a third of the TTL that the registry names, or 4 minutes, GeeRPC's own period, if it
  // names none.
  std::chrono::milliseconds period{0};

  // The names of the server's services: clients then send it no calls for others. Empty: not said.
  std::vector<std::string> services;

  // The address to register instead of the one that the server listens on; needed behind NAT.
  Address advertise;

  // Beats only while this is true; when it turns false the server is deregistered, within a second.
  // Called from the heartbeat's threads. Heartbeat's Server form sets it.
  std::function<bool()> beat_while;

  // For one request to a registry.
  std::chrono::milliseconds request_timeout = std::chrono::seconds(2);

  // How long the constructor waits for the first beat to succeed. After that it goes on trying in
  // the background.
  std::chrono::milliseconds first_beat_wait = std::chrono::milliseconds(500);
};

// How the heartbeat of one registry is doing.
struct HeartbeatStatus {
  std::string registry;     // its name, e.g. the URL
  Address advertised;       // what was sent last; empty if nothing was
  bool registered = false;  // the last beat succeeded
  std::uint64_t beats = 0;
  std::uint64_t failures = 0;
  std::string last_error;  // of the last failure, also after later successes
  std::chrono::steady_clock::time_point last_success{};
};

namespace detail {

// The heartbeat towards one registry: a thread that nobody waits for, except at the end.
class Beater {
 public:
  using Clock = std::chrono::steady_clock;

  Beater(RegistryRef registry, Address listens_on, const HeartbeatOptions& options)
      : registry_(std::move(registry)), listens_on_(std::move(listens_on)), options_(options) {
    status_.registry = registry_->name();
    thread_ = std::thread([this] { run(); });
  }
  ~Beater() {
    stop();
    join();
  }

  // Begins the end: what is under way is cancelled, then the server is deregistered.
  void stop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    cancel_.cancel();
  }
  // Waits for the end.
  void join() {
    const std::lock_guard<std::mutex> lock(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }

  HeartbeatStatus status() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return status_;
  }

  bool wait_registered(Clock::time_point deadline) const {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_until(lock, deadline, [this] { return status_.registered || stopping_; });
    return status_.registered;
  }

 private:
  static constexpr std::chrono::milliseconds kGoPeriod = std::chrono::minutes(4);
  static constexpr std::chrono::milliseconds kForEverPeriod = std::chrono::seconds(100);
  static constexpr std::chrono::milliseconds kShortestPeriod{10};
  static constexpr std::chrono::milliseconds kFirstBackoff{250};
  static constexpr std::chrono::milliseconds kLongestBackoff = std::chrono::seconds(15);
  static constexpr std::chrono::milliseconds kAskPeriod{500};  // for beat_while
  static constexpr std::chrono::milliseconds kGoodbyeTime = std::chrono::seconds(1);

  void run() {
    Clock::time_point next = Clock::now();
    std::chrono::milliseconds backoff{0};
    for (;;) {
      const bool beating = wanted();
      if (!beating) {
        deregister();
        next = Clock::now();  // beat at once when it is wanted again
      } else if (Clock::now() >= next) {
        Clock::duration pause{};
        if (beat()) {
          backoff = std::chrono::milliseconds(0);
          pause = jittered(period(), 0.9, 1.0);
        } else {
          backoff = (std::min)({(std::max)(kFirstBackoff, backoff * 2), kLongestBackoff,
                                (std::max)(period(), kShortestPeriod)});
          pause = jittered(backoff, 0.5, 1.0);
        }
        next = Clock::now() + pause;
      }
      Clock::time_point wake = next;
      if (options_.beat_while) {
        wake = beating ? (std::min)(next, Clock::now() + kAskPeriod) : Clock::now() + kAskPeriod;
      }
      std::unique_lock<std::mutex> lock(mutex_);
      if (changed_.wait_until(lock, wake, [this] { return stopping_; })) break;
    }
    deregister();
  }

  bool wanted() const noexcept {
    try {
      return !options_.beat_while || options_.beat_while();
    } catch (...) {
      return false;
    }
  }

  std::chrono::milliseconds period() const {
    if (options_.period.count() > 0)
      return (std::max)(at_most_a_year(options_.period), kShortestPeriod);
    if (!ttl_) return kGoPeriod;
    // A registry that never forgets still needs to hear of us after a restart.
    if (ttl_->count() <= 0) return kForEverPeriod;
    return (std::max)(at_most_a_year(*ttl_) / 3, kShortestPeriod);
  }

  bool beat() {
    Context context = Context::with_timeout(at_most_a_year(options_.request_timeout));
    context.set_cancel(cancel_.token());
    try {
      const Address address = address_to_advertise(context);
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        status_.advertised = address;
      }
      may_be_listed_ = true;
      ttl_ = registry_->put(ServerInfo(address, options_.services), context);
      const std::lock_guard<std::mutex> lock(mutex_);
      status_.registered = true;
      ++status_.beats;
      status_.last_success = Clock::now();
      changed_.notify_all();
      return true;
    } catch (const std::exception& error) {
      const std::lock_guard<std::mutex> lock(mutex_);
      status_.registered = false;
      ++status_.failures;
      status_.last_error = error.what();
      return false;
    }
  }

  // Others can't dial a wildcard: it becomes the address by which this machine reaches the
  // registry. Asked anew for each beat, since networks change.
  Address address_to_advertise(const Context& context) const {
    if (!options_.advertise.empty()) return options_.advertise;
    if (!listens_on_.is_wildcard()) return listens_on_;
    const bool ipv4_only = listens_on_.host() == "0.0.0.0";
    return listens_on_.with_host(registry_->local_host(ipv4_only, context));
  }

  void deregister() {
    if (!may_be_listed_) return;
    may_be_listed_ = false;
    Address address;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      status_.registered = false;
      address = status_.advertised;
    }
    try {
      registry_->remove(address,
                        Context::with_timeout((std::min)(options_.request_timeout, kGoodbyeTime)));
    } catch (const std::exception&) {
      // The registry is away or can't forget on request: the TTL does the rest.
    }
  }

  // Constant after construction.
  const RegistryRef registry_;
  const Address listens_on_;
  const HeartbeatOptions options_;

  // Used by the thread alone.
  std::optional<std::chrono::milliseconds> ttl_;
  bool may_be_listed_ = false;

  CancelSource cancel_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stopping_ = false;   // guarded by mutex_
  HeartbeatStatus status_;  // guarded by mutex_

  std::mutex join_mutex_;  // guards the following after construction
  std::thread thread_;
};

}  // namespace detail

// Registers a server and says again and again that it is alive, from the constructor to the
// destructor, which deregisters it. A failed beat is repeated with backoff, for ever: a registry
// that was away or was restarted learns of the server again. Several registries are served
// independently, each by a thread of its own.
//
// An address with a wildcard host ("tcp@[::]:9000", "tcp@0.0.0.0:9000", "tcp@:9000") is advertised
// with the local address by which this machine reaches the registry (127.0.0.1 for one on this
// machine); HeartbeatOptions::advertise overrides that.
//
// Movable. Functions are thread-safe.
class Heartbeat {
 public:
  // Waits for the first beat, but not for longer than options.first_beat_wait.
  // Throws Error(invalid_argument) if the address can't be dialled or the registry's URL is
  // malformed; never because a registry is away.
  Heartbeat(RegistryRef registry, Address address, HeartbeatOptions options = {})
      : Heartbeat(std::vector<RegistryRef>{std::move(registry)}, std::move(address),
                  std::move(options)) {}

  Heartbeat(const std::vector<RegistryRef>& registries, const Address& address,
            HeartbeatOptions options = {}) {
    const Address& advertised = options.advertise.empty() ? address : options.advertise;
    const bool has_port =
        advertised.scheme() == Address::Scheme::unix_socket || advertised.port() != 0;
    if (advertised.empty() || !has_port) {
      throw Error(StatusCode::invalid_argument,
                  "heartbeat: nobody can dial '" + advertised.str() +
                      "'; pass the address that Server::listen returned");
    }
    if (options.advertise.is_wildcard()) {
      throw Error(StatusCode::invalid_argument,
                  "heartbeat: " + advertised.str() + " is no address to advertise");
    }
    for (const RegistryRef& registry : registries) {
      beaters_.push_back(std::make_unique<detail::Beater>(registry, address, options));
    }
    wait_registered(detail::at_most_a_year(options.first_beat_wait));
  }

  // Beats only while `server`, which must outlive the heartbeat, accepts connections.
  template <class Server, class = decltype(std::declval<const Server&>().accepting())>
  Heartbeat(RegistryRef registry, const Server& server, Address address,
            HeartbeatOptions options = {})
      : Heartbeat(std::move(registry), std::move(address),
                  while_accepting(server, std::move(options))) {}
  template <class Server, class = decltype(std::declval<const Server&>().accepting())>
  Heartbeat(const std::vector<RegistryRef>& registries, const Server& server,
            const Address& address, HeartbeatOptions options = {})
      : Heartbeat(registries, address, while_accepting(server, std::move(options))) {}

  Heartbeat(Heartbeat&&) noexcept = default;
  Heartbeat& operator=(Heartbeat&&) = delete;
  ~Heartbeat() { stop(); }

  // Ends the beats and deregisters. Takes at most a second, however the registries behave.
  // Idempotent.
  void stop() {
    for (const auto& beater : beaters_) beater->stop();
    for (const auto& beater : beaters_) beater->join();
  }

  // True if every registry has confirmed the last beat.
  bool registered() const {
    for (const auto& beater : beaters_) {
      if (!beater->status().registered) return false;
    }
    return !beaters_.empty();
  }

  // Waits until registered(), or for stop(), at most for `timeout`. Returns whether it is.
  bool wait_registered(std::chrono::steady_clock::duration timeout) const {
    const auto deadline = Context::deadline_after(timeout);
    bool all = !beaters_.empty();
    for (const auto& beater : beaters_) all = beater->wait_registered(deadline) && all;
    return all;
  }

  // One entry for each registry, in the order of the constructor; after stop() how they ended.
  std::vector<HeartbeatStatus> status() const {
    std::vector<HeartbeatStatus> all;
    for (const auto& beater : beaters_) all.push_back(beater->status());
    return all;
  }

 private:
  template <class Server>
  static HeartbeatOptions while_accepting(const Server& server, HeartbeatOptions options) {
    options.beat_while = [&server, also = std::move(options.beat_while)] {
      return server.accepting() && (!also || also());
    };
    return options;
  }

  // Constant after construction: other threads may look at a beater while it is stopped.
  std::vector<std::unique_ptr<detail::Beater>> beaters_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_REGISTRY_HEARTBEAT_HPP
