// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The loops that make calls, one class for each kind of work. Each has
//
//   Clock::duration run(const Limit&, Latencies&);
//
// which makes calls up to the limit, adds the time of each, and returns how long it all took. The
// clock is read once per call: a call begins when the one before it has ended.

#ifndef BENCH_HARNESS_LOOPS_HPP
#define BENCH_HARNESS_LOOPS_HPP

#include <atomic>    // atomic
#include <cstddef>   // size_t
#include <limits>    // numeric_limits
#include <memory>    // unique_ptr
#include <optional>  // optional
#include <string>    // string
#include <thread>    // sleep_for, thread
#include <utility>   // declval
#include <vector>    // vector

#include <harness/call.hpp>
#include <harness/figures.hpp>
#include <harness/team.hpp>

namespace bench {

// Where a run ends: after a time, or after a number of calls per thread.
struct Limit {
  Clock::duration time = Clock::duration::max();
  std::size_t calls = std::numeric_limits<std::size_t>::max();

  bool reached(std::size_t made, Clock::duration passed) const {
    return made >= calls || passed >= time;
  }
  // Room for this many latencies makes it likely that a run does not allocate.
  std::size_t expected_calls() const {
    return calls != std::numeric_limits<std::size_t>::max() ? calls : std::size_t{1} << 14;
  }
};

template <class Connection>
using Connections = std::vector<std::unique_ptr<Connection>>;

// One thread that calls and waits.
template <class Connection>
class Sequence {
 public:
  Sequence(Connection& connection, std::size_t size) : connection_(&connection), caller_(size) {}

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    latencies.reserve(latencies.size() + limit.expected_calls());
    const Clock::time_point start = Clock::now();
    Clock::time_point before = start;
    for (std::size_t made = 0; !limit.reached(made, before - start); ++made) {
      caller_.call(*connection_);
      const Clock::time_point now = Clock::now();
      latencies.add(now - before);
      before = now;
    }
    return before - start;
  }

 private:
  Connection* connection_;
  Caller caller_;
};

// Several threads that do so: each with its own connection, or all with the only one.
template <class Connection>
class Threads {
 public:
  Threads(Connections<Connection>& connections, std::size_t threads, std::size_t size)
      : latencies_(threads), team_(threads, [this](std::size_t i) { run_one(i); }) {
    for (std::size_t i = 0; i < threads; ++i) {
      sequences_.emplace_back(*connections[i % connections.size()], size);
    }
  }

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    limit_ = limit;
    for (Latencies& one : latencies_) one.clear();
    const Clock::time_point start = Clock::now();
    team_.run();
    const Clock::duration time = Clock::now() - start;
    for (const Latencies& one : latencies_) latencies.add(one);
    return time;
  }

 private:
  void run_one(std::size_t i) { sequences_[i].run(limit_, latencies_[i]); }

  Limit limit_;
  std::vector<Sequence<Connection>> sequences_;
  std::vector<Latencies> latencies_;
  Team team_;  // last: its threads use the others
};

// Fast calls, while a slow one is always in flight on the same connection.
template <class Connection>
class BesideSlow {
 public:
  explicit BesideSlow(Connection& connection, std::size_t size)
      : connection_(&connection), fast_(connection, size) {}

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    std::atomic<bool> begun{false}, end{false};
    Team slow(1, [&](std::size_t) {
      do {
        begun = true;
        constexpr std::int32_t milliseconds = 100;
        if (connection_->sleep(milliseconds) != milliseconds) wrong_result("Sleep");
      } while (!end);
    });
    slow.start();
    while (!begun) std::this_thread::yield();
    const Clock::duration time = fast_.run(limit, latencies);
    end = true;
    slow.wait();
    return time;
  }

 private:
  Connection* connection_;
  Sequence<Connection> fast_;
};

// One thread that keeps `window` calls in flight and takes their results in order.
template <class Connection>
class Futures {
 public:
  Futures(Connection& connection, std::size_t window, std::size_t size)
      : connection_(&connection), texts_(window, Text(size)), starts_(window) {}

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    latencies.reserve(latencies.size() + limit.expected_calls());
    const std::size_t window = texts_.size();
    std::vector<std::optional<Future>> futures(window);
    const Clock::time_point start = Clock::now();
    Clock::time_point now = start;
    std::size_t begun = 0, ended = 0;
    const auto begin_one = [&] {
      starts_[begun % window] = now;
      futures[begun % window].emplace(connection_->echo_future(texts_[begun % window].next()));
      ++begun;
    };
    while (begun < window && begun < limit.calls) begin_one();
    while (ended < begun) {
      std::optional<Future>& future = futures[ended % window];
      if (!texts_[ended % window].came_back(future->get())) wrong_result("Echo");
      future.reset();
      now = Clock::now();
      latencies.add(now - starts_[ended % window]);
      ++ended;
      if (!limit.reached(begun, now - start)) begin_one();
    }
    return now - start;
  }

 private:
  using Future = decltype(std::declval<Connection&>().echo_future(std::string()));

  Connection* connection_;
  std::vector<Text> texts_;
  std::vector<Clock::time_point> starts_;
};

}  // namespace bench

#endif  // BENCH_HARNESS_LOOPS_HPP
