// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Everything at once: kinds of calls, deadlines, cancellations, payloads, and servers that stop and
// come back. Each result must be that of its own call; each error one that has a reason here.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../support/eventually.hpp"
#include "../support/own_host.hpp"

namespace {

using geerpc::Context;
using geerpc::StatusCode;

// Repeatable, and one per thread.
class Dice {
 public:
  explicit Dice(unsigned seed) : state_(seed * 2654435761u + 1) {}
  unsigned operator()(unsigned below) {
    state_ = state_ * 1664525 + 1013904223;
    return (state_ >> 8) % below;
  }

 private:
  unsigned state_;
};

std::unique_ptr<geerpc::Server> start_server(geerpc::Address& address) {
  auto server = std::make_unique<geerpc::Server>();
  server->add("Math.Twice", [](std::int64_t value) { return 2 * value; });
  server->add("Echo.Text", [](std::string text) { return text; });
  server->add("Slow.Twice", [](const Context& context, std::int64_t value) {
    context.sleep_for(std::chrono::milliseconds(value % 4));
    return 2 * value;
  });
  server->add("Fail.Always", [](std::int64_t value) -> int {
    throw geerpc::Error(StatusCode::aborted, std::to_string(value));
  });
  address = server->listen(address);
  return server;
}

struct Tally {
  std::atomic<int> right{0}, failed{0}, wrong{0};

  // `interfered`: the call may have been cancelled, late, or lost with its server.
  template <class T>
  void count(const geerpc::Result<T>& result, const T& expected, bool interfered) {
    if (result.ok()) {
      ++(result.value() == expected ? right : wrong);
      return;
    }
    const StatusCode code = result.code();
    const bool explained = code == StatusCode::cancelled || code == StatusCode::deadline_exceeded ||
                           code == StatusCode::unavailable;
    if (!interfered || !explained) {
      ++wrong;
      MESSAGE(result.error().what());
    } else {
      ++failed;
    }
  }
};

void play(geerpc::Client& client, unsigned seed, int rounds, bool interfere, Tally& tally) {
  Dice dice(seed);
  std::vector<geerpc::Future<std::int64_t>> futures;
  std::vector<std::int64_t> expected;
  for (int i = 0; i < rounds; ++i) {
    const std::int64_t value = static_cast<std::int64_t>(seed) * 1000000 + i;
    Context context;
    geerpc::CancelSource source;
    if (interfere && dice(4) == 0) context.set_timeout(std::chrono::microseconds(dice(3000)));
    if (interfere && dice(4) == 0) context.set_cancel(source.token());
    const std::string method = dice(2) == 0 ? "Math.Twice" : "Slow.Twice";
    switch (dice(6)) {
      case 0:
      case 1:
        tally.count(client.try_call<std::int64_t>(context, method, value), 2 * value, interfere);
        break;
      case 2: {
        const std::string text(dice(4) == 0 ? 200000 : 100, static_cast<char>('a' + i % 26));
        tally.count(client.try_call<std::string>(context, "Echo.Text", text), text, interfere);
        break;
      }
      case 3:
        futures.push_back(client.async<std::int64_t>(context, method, value));
        expected.push_back(2 * value);
        if (interfere && dice(3) == 0) futures.back().cancel();
        if (dice(2) == 0) source.cancel();
        break;
      case 4: {
        const auto result = client.try_call<int>(context, "Fail.Always", value);
        if (result.code() == StatusCode::aborted) {
          ++(result.error().cause() == std::to_string(value) ? tally.right : tally.wrong);
        } else {
          tally.count(result, 0, interfere);
        }
        break;
      }
      default:
        try {
          client.notify(context, method, value);
        } catch (const geerpc::Error& error) {
          tally.count(geerpc::Result<int>(error), 0, interfere);
        }
    }
    if (futures.size() > 20 || i + 1 == rounds) {
      for (std::size_t f = 0; f < futures.size(); ++f) {
        tally.count(futures[f].try_get(), expected[f], interfere);
      }
      futures.clear();
      expected.clear();
    }
  }
}

void run_all(geerpc::Client& client, int rounds, bool interfere, Tally& tally) {
  std::vector<std::thread> threads;
  for (unsigned t = 1; t <= 6; ++t) {
    threads.emplace_back([&, t] { play(client, t, rounds, interfere, tally); });
  }
  for (std::thread& thread : threads) thread.join();
}

geerpc::ClientOptions options_with(const geerpc::Codec& codec) {
  geerpc::ClientOptions options;
  options.codec = &codec;
  options.wait_for_ready = true;
  options.min_backoff = std::chrono::milliseconds(1);
  options.max_backoff = std::chrono::milliseconds(5);
  return options;
}

}  // namespace

TEST_CASE("thousands of calls of all kinds get exactly their own results") {
  for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
    geerpc::Address address(test::own_address());
    const auto server = start_server(address);
    geerpc::Client client(address, options_with(*codec));
    Tally tally;
    run_all(client, 200, false, tally);
    CHECK(tally.wrong == 0);
    CHECK(tally.failed == 0);
    CHECK(tally.right > 900);
    CHECK(server->connections() == 1);
    CHECK(test::eventually([&] { return server->calls_in_flight() == 0; }));
  }
}

TEST_CASE("deadlines and cancellations at random leave no wrong result and nothing behind") {
  for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
    geerpc::Address address(test::own_address());
    const auto server = start_server(address);
    geerpc::Client client(address, options_with(*codec));
    Tally tally;
    run_all(client, 200, true, tally);
    CHECK(tally.wrong == 0);
    CHECK(tally.right > 100);
    CHECK(client.call<std::int64_t>("Math.Twice", 21) == 42);
    CHECK(server->connections() == 1);
    CHECK(test::eventually([&] { return server->calls_in_flight() == 0; }));
  }
}

TEST_CASE("a server that stops and comes back again and again costs calls but gives no wrong one") {
  geerpc::Address address(test::own_address());
  auto server = start_server(address);
  geerpc::Client client(address, options_with(geerpc::msgpack_codec()));
  Tally tally;
  std::atomic<bool> done{false};
  std::thread callers([&] {
    run_all(client, 200, true, tally);
    done = true;
  });
  int restarts = 0;
  while (!done) {
    const int before = tally.right;
    test::eventually([&] { return done || tally.right > before + 50; });
    if (done) break;
    server->stop(std::chrono::milliseconds(restarts % 2 == 0 ? 0 : 50));
    server = start_server(address);
    ++restarts;
  }
  callers.join();
  CHECK(tally.wrong == 0);
  MESSAGE(restarts << " restarts, " << tally.right.load() << " results, " << tally.failed.load()
                   << " errors");
  CHECK(restarts > 0);
  CHECK(client.call<std::int64_t>("Math.Twice", 21) == 42);
}
