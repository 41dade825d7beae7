// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Benchmark client: Cap'n Proto. A connection is bound to one thread and its event loop, so the
// loops that have several threads or callbacks are not the harness's, but do the same.

#include <harness/harness.hpp>

#include <kj/async.h>

#include <cstddef>    // size_t
#include <cstdint>    // int32_t
#include <exception>  // exception
#include <string>     // stoi
#include <vector>     // vector

#include "connection.hpp"

namespace {

using bench::Clock;
using bench::Latencies;
using bench::Limit;
using bench_capnp::Connection;

// Several threads, each with its own connection, made and destroyed in that thread.
class Threads {
 public:
  Threads(int port, std::size_t threads, std::size_t size)
      : port_(port), size_(size), latencies_(threads), team_(threads, [this](std::size_t i) {
          thread_local Connection connection(port_);
          thread_local bench::Sequence<Connection> calls(connection, size_);
          calls.run(limit_, latencies_[i]);
        }) {
    limit_.calls = 1;
    team_.run();
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
  const int port_;
  const std::size_t size_;
  Limit limit_;
  std::vector<Latencies> latencies_;
  bench::Team team_;  // last: its threads use the others
};

// Fast calls, while a slow one is always in flight on the same connection.
class BesideSlow {
 public:
  BesideSlow(Connection& connection, std::size_t size)
      : connection_(&connection), fast_(connection, size) {}

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    end_ = false;
    kj::Promise<void> slow = keep_sleeping().eagerlyEvaluate(nullptr);
    const Clock::duration time = fast_.run(limit, latencies);
    end_ = true;
    slow.wait(connection_->wait_scope());
    return time;
  }

 private:
  kj::Promise<void> keep_sleeping() {
    constexpr std::int32_t milliseconds = 100;
    return connection_->sleep_promise(milliseconds)
        .then([this](std::int32_t slept) -> kj::Promise<void> {
          if (slept != milliseconds) bench::wrong_result("Sleep");
          if (end_) return kj::READY_NOW;
          return keep_sleeping();
        });
  }

  Connection* connection_;
  bench::Sequence<Connection> fast_;
  bool end_ = false;
};

// A window of calls in flight: what runs at the end of each begins the next one.
class Callbacks {
 public:
  Callbacks(Connection& connection, std::size_t window, std::size_t size)
      : connection_(&connection), texts_(window, bench::Text(size)), starts_(window) {}

  Clock::duration run(const Limit& limit, Latencies& latencies) {
    latencies.reserve(latencies.size() + limit.expected_calls());
    limit_ = limit;
    latencies_ = &latencies;
    begun_ = 0;
    start_ = now_ = Clock::now();
    auto slots = kj::heapArrayBuilder<kj::Promise<void>>(texts_.size());
    for (std::size_t slot = 0; slot < texts_.size(); ++slot) slots.add(keep_calling(slot));
    kj::joinPromises(slots.finish()).wait(connection_->wait_scope());
    return now_ - start_;
  }

 private:
  kj::Promise<void> keep_calling(std::size_t slot) {
    if (limit_.reached(begun_, now_ - start_)) return kj::READY_NOW;
    ++begun_;
    starts_[slot] = now_;
    return connection_->echo_promise(texts_[slot].next())
        .then([this, slot](Connection::EchoResponse&& response) {
          if (!texts_[slot].came_back(Connection::text_of(response))) bench::wrong_result("Echo");
          now_ = Clock::now();
          latencies_->add(now_ - starts_[slot]);
          return keep_calling(slot);
        });
  }

  Connection* connection_;
  std::vector<bench::Text> texts_;
  std::vector<Clock::time_point> starts_;
  Limit limit_;
  Latencies* latencies_ = nullptr;
  std::size_t begun_ = 0;
  Clock::time_point start_, now_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Arguments arguments(argc, argv);
    const int port = std::stoi(arguments.word(0));
    const bench::Work work(arguments.word(1));
    if (work.kind == "shared") {
      return bench::detail::unsupported("a connection belongs to one thread");
    }
    if (work.kind == "threads") return bench::detail::obey(Threads(port, work.count, work.size));
    if (work.kind != "slow" && work.kind != "pipecb") {
      return bench::client_main<Connection>(argc, argv);
    }
    Connection connection(port);
    bench::Caller(0).call(connection);
    if (work.kind == "slow") return bench::detail::obey(BesideSlow(connection, work.size));
    return bench::detail::obey(Callbacks(connection, work.count, work.size));
  } catch (const std::exception& error) {
    bench::fail(error.what());
  }
}
