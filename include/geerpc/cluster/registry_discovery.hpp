// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// RegistryDiscovery: the list that a registry gives, kept fresh in the background.

#ifndef GEERPC_CLUSTER_REGISTRY_DISCOVERY_HPP
#define GEERPC_CLUSTER_REGISTRY_DISCOVERY_HPP

#include <algorithm>           // max, min
#include <chrono>              // seconds, steady_clock
#include <condition_variable>  // condition_variable
#include <memory>              // make_shared, shared_ptr
#include <mutex>               // mutex
#include <optional>            // optional
#include <string>              // string
#include <thread>              // thread
#include <utility>             // move

#include <geerpc/base/cancel.hpp>
#include <geerpc/base/duration.hpp>
#include <geerpc/base/random.hpp>
#include <geerpc/cluster/discovery.hpp>
#include <geerpc/registry/registry_ref.hpp>

GEERPC_BEGIN_NAMESPACE

struct RegistryDiscoveryOptions {
  // Between two looks at the registry. GeeRPC's default. Under a second is worth it only for an
  // in-process registry.
  std::chrono::milliseconds refresh_period = std::chrono::seconds(10);

  // For one request to the registry.
  std::chrono::milliseconds request_timeout = std::chrono::seconds(2);
};

namespace detail {

// The list and the one thread that renews it.
class RegistryWatcher {
 public:
  using Clock = std::chrono::steady_clock;

  RegistryWatcher(RegistryRef registry, const RegistryDiscoveryOptions& options)
      : registry_(std::move(registry)), options_(options) {
    thread_ = std::thread([this] { run(); });
  }
  ~RegistryWatcher() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    cancel_.cancel();
    wanted_.notify_all();
    thread_.join();
  }

  std::shared_ptr<const ServerList> servers(const Context& context) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (list_ != nullptr) return list_;
    bool cancelled = false;
    lock.unlock();
    {
      const CancelCallback on_cancel(context.cancel_token(), [&] {
        const std::lock_guard<std::mutex> callback_lock(mutex_);
        cancelled = true;
        attempted_.notify_all();
      });
      lock.lock();
      attempted_.wait_until(lock, context.deadline(), [&] { return attempts_ != 0 || cancelled; });
      lock.unlock();
    }
    lock.lock();
    if (list_ != nullptr) return list_;
    if (attempts_ != 0)
      throw Error(StatusCode::unavailable, "rpc discovery: " + last_error_).never_ran();
    if (cancelled) throw Error(StatusCode::cancelled, "rpc discovery: cancelled").never_ran();
    throw Error(StatusCode::deadline_exceeded,
                "rpc discovery: no answer from " + registry_->name() + " in time")
        .never_ran();
  }

  DiscoveryStatus status() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    DiscoveryStatus status;
    status.age = list_ == nullptr ? Clock::duration::max() : Clock::now() - list_->time;
    status.stale = failures_ != 0;
    status.last_error = last_error_;
    return status;
  }

  // Looks at the registry soon, unless it was looked at just now.
  void refresh() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (hurry_) return;
    hurry_ = true;
    wanted_.notify_all();
  }

 private:
  static constexpr std::chrono::milliseconds kFirstBackoff{250};
  static constexpr std::chrono::milliseconds kHurriedPeriod{500};  // how soon a hint is followed
  static constexpr std::chrono::milliseconds kShortestPeriod{10};
  static constexpr std::chrono::milliseconds kLongestGrace = std::chrono::minutes(5);

  void run() {
    const auto period = (std::max)(at_most_a_year(options_.refresh_period), kShortestPeriod);
    Clock::duration backoff{};
    for (;;) {
      const bool good = fetch();
      backoff = good ? Clock::duration::zero()
                     : (std::min)((std::max)(Clock::duration(kFirstBackoff), backoff * 2),
                                  Clock::duration(period));
      const auto pause = good ? jittered(period, 0.9, 1.0) : jittered(backoff, 0.5, 1.0);
      const auto now = Clock::now();
      const auto next = now + pause;
      const auto soonest = now + (std::min)(pause, Clock::duration(kHurriedPeriod));
      std::unique_lock<std::mutex> lock(mutex_);
      if (wanted_.wait_until(lock, soonest, [this] { return stopping_; })) return;
      wanted_.wait_until(lock, next, [this] { return stopping_ || hurry_; });
      if (stopping_) return;
      hurry_ = false;
    }
  }

  bool fetch() {
    Context context = Context::with_timeout(at_most_a_year(options_.request_timeout));
    context.set_cancel(cancel_.token());
    std::shared_ptr<const ServerList> fresh;
    std::string error;
    try {
      fresh = after_restart(registry_->list(context));
    } catch (const std::exception& e) {
      error = e.what();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    ++attempts_;
    attempted_.notify_all();
    if (fresh == nullptr) {
      ++failures_;
      last_error_ = error;
      return false;
    }
    failures_ = 0;
    list_ = std::move(fresh);
    return true;
  }

  // A registry that was restarted has forgotten everybody until their next heartbeats. So what its
  // predecessor knew stays listed until the new one is one TTL old. A Go registry does not tell its
  // age: there the last list outlives an empty answer.
  std::shared_ptr<const ServerList> after_restart(ServerList fresh) {
    const std::shared_ptr<const ServerList> last = [this] {
      const std::lock_guard<std::mutex> lock(mutex_);
      return list_;
    }();
    if (fresh.instance.empty()) {
      if (!fresh.servers.empty()) {
        empty_since_.reset();
      } else if (last != nullptr && !last->servers.empty()) {
        if (!empty_since_) empty_since_ = Clock::now();
        if (Clock::now() - *empty_since_ < kLongestGrace) fresh.servers = last->servers;
      }
      return std::make_shared<ServerList>(std::move(fresh));
    }
    if (fresh.instance != instance_) {
      predecessor_ = instance_.empty() ? nullptr : last;
      instance_ = fresh.instance;
    }
    std::chrono::milliseconds grace = fresh.ttl.value_or(kLongestGrace);
    if (grace.count() <= 0 || grace > kLongestGrace) grace = kLongestGrace;
    if (predecessor_ != nullptr && fresh.uptime.value_or(grace) >= grace) predecessor_.reset();
    if (predecessor_ != nullptr) {
      fresh.servers.insert(fresh.servers.end(), predecessor_->servers.begin(),
                           predecessor_->servers.end());
      fresh.normalise();
    }
    return std::make_shared<ServerList>(std::move(fresh));
  }

  // Constant after construction.
  const RegistryRef registry_;
  const RegistryDiscoveryOptions options_;

  // Used by the thread alone.
  std::string instance_;  // of the registry that answered last
  std::shared_ptr<const ServerList> predecessor_;
  std::optional<Clock::time_point> empty_since_;  // a Go registry answers with nothing

  CancelSource cancel_;
  mutable std::mutex mutex_;  // guards the following; never held while anything else waits
  std::condition_variable wanted_, attempted_;
  bool stopping_ = false;
  bool hurry_ = false;
  std::uint64_t attempts_ = 0;
  std::uint64_t failures_ = 0;  // since the last success
  std::string last_error_;
  std::shared_ptr<const ServerList> list_;

  std::thread thread_;
};

}  // namespace detail

// Asks a registry for its list, in the background: first when it is made, then once per period. No
// caller waits for it but those who come before the first list. While the registry is away, answers
// with an error or with nonsense, the last good list stays in use and status() says so.
//
// A handle: copies share the list and the thread, which ends with the last of them.
class RegistryDiscovery : public Discovery {
 public:
  // Throws Error(invalid_argument) if the registry's URL is malformed; never because it is away.
  RegistryDiscovery(RegistryRef registry, RegistryDiscoveryOptions options = {})
      : watcher_(std::make_shared<detail::RegistryWatcher>(std::move(registry), options)) {}

  std::shared_ptr<const ServerList> servers(const Context& context = {}) override {
    return watcher_->servers(context);
  }
  DiscoveryStatus status() const override { return watcher_->status(); }
  void refresh() override { watcher_->refresh(); }

 private:
  std::shared_ptr<detail::RegistryWatcher> watcher_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLUSTER_REGISTRY_DISCOVERY_HPP
