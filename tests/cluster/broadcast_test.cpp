// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <algorithm>
#include <set>
#include <thread>

#include "../support/eventually.hpp"
#include "../support/raw_socket.hpp"
#include "numbered.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::Context;
using geerpc::SelectMode;
using geerpc::StaticDiscovery;
using geerpc::StatusCode;
using geerpc::XClient;
using geerpc::XClientOptions;
using test::dead_address;
using test::Numbered;

TEST_SUITE("broadcast") {
  TEST_CASE("calls all servers at once and gives one of the results") {
    Numbered one(1), two(2), three(3);
    XClient cluster({one.address, two.address, three.address});
    const int who = cluster.broadcast<int>("Who.Number");
    CHECK((who >= 1 && who <= 3));
    CHECK(one.calls + two.calls + three.calls == 3);
    std::thread caller([&] {
      CHECK(cluster.try_broadcast<void>("Who.Wait", 60000).code() == StatusCode::cancelled);
    });
    CHECK(test::eventually([&] { return one.waiting + two.waiting + three.waiting == 3; }));
    cluster.close();
    caller.join();
  }

  TEST_CASE("throws the first error with its server's address") {
    Numbered one(1), two(2), three(3);
    XClient cluster({one.address, two.address, three.address});
    const auto result = cluster.try_broadcast<int>("Who.Fail", 2);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().cause() == "no, says 2");
    CHECK(result.error().address() == two.address.str());
    CHECK_THROWS_AS(cluster.broadcast<int>("Who.Fail", 2), geerpc::Error);
  }

  TEST_CASE("cancels the other calls after the first error, on their servers too") {
    Numbered slow(1);
    XClient cluster({slow.address, dead_address()});
    const auto begin = test::Clock::now();
    const auto result = cluster.try_broadcast<void>("Who.Wait", 60000);
    CHECK(result.code() == StatusCode::unavailable);
    CHECK(test::Clock::now() - begin < 20s);
    CHECK(test::eventually([&] { return slow.waiting == 0; }));
  }

  TEST_CASE("gives each server's own result on request") {
    Numbered one(1), two(2);
    const Address dead = dead_address();
    XClient cluster({one.address, two.address, dead});
    const auto results = cluster.broadcast_all<int>("Who.Fail", 2);
    REQUIRE(results.size() == 3);
    int good = 0, failed = 0, unreachable = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& [address, result] = results[i];
      if (i != 0) CHECK(results[i - 1].address < address);
      if (address == one.address && result.ok() && result.value() == 1) ++good;
      if (address == two.address && result.code() == StatusCode::unknown) ++failed;
      if (address == dead && result.code() == StatusCode::unavailable) ++unreachable;
    }
    CHECK(good == 1);
    CHECK(failed == 1);
    CHECK(unreachable == 1);
  }

  TEST_CASE("ends at the deadline, and when its caller cancels it") {
    Numbered one(1), two(2);
    XClient cluster({one.address, two.address});
    CHECK(cluster.try_broadcast<void>(Context::with_timeout(100ms), "Who.Wait", 60000).code() ==
          StatusCode::deadline_exceeded);
    CHECK(test::eventually([&] { return one.waiting + two.waiting == 0; }));

    geerpc::CancelSource source;
    std::thread canceller([&] {
      test::eventually([&] { return one.waiting == 1 && two.waiting == 1; });
      source.cancel();
    });
    const auto results =
        cluster.broadcast_all<void>(Context::with_cancel(source.token()), "Who.Wait", 60000);
    canceller.join();
    for (const auto& answer : results) CHECK(answer.result.code() == StatusCode::cancelled);
  }

  TEST_CASE("has a bounded number of calls in flight, and is not held up by dead servers") {
    Numbered one(1);
    std::vector<Address> addresses{one.address};
    for (int i = 1; i <= 40; ++i) addresses.push_back("tcp@127.0.0.1:" + std::to_string(i));
    XClientOptions options;
    options.max_fan_out = 4;
    XClient cluster(StaticDiscovery(addresses), SelectMode::random, options);
    const auto results = cluster.broadcast_all<int>("Who.Number");
    CHECK(results.size() == 41);
    const auto good = std::count_if(results.begin(), results.end(),
                                    [](const auto& answer) { return answer.result.ok(); });
    CHECK(good == 1);
  }
}

TEST_SUITE("cluster") {
  TEST_CASE("registry, heartbeats, discovery and calls work together over HTTP") {
    geerpc::Registry registry;
    geerpc::RegistryServer http(registry);
    http.listen("127.0.0.1:0");
    Numbered one(1);
    auto two = std::make_unique<Numbered>(2);
    geerpc::Heartbeat first(http.url(), one.server, one.address);
    auto second = std::make_unique<geerpc::Heartbeat>(http.url(), two->server, two->address);
    REQUIRE(first.wait_registered(test::kPatience));
    REQUIRE(second->wait_registered(test::kPatience));

    XClient cluster(geerpc::RegistryDiscovery(http.url()), SelectMode::round_robin);
    std::set<int> seen;
    for (int i = 0; i < 4; ++i) seen.insert(cluster.call<int>("Who.Number"));
    CHECK(seen == std::set<int>{1, 2});
    CHECK(cluster.broadcast<int>("Foo.Sum", 1, 2) == 3);

    // A server that leaves in order is not missed.
    second.reset();
    two.reset();
    for (int i = 0; i < 10; ++i) CHECK(cluster.call<int>("Who.Number") == 1);

    // Nor is the registry, once the list is there.
    http.stop();
    for (int i = 0; i < 10; ++i) CHECK(cluster.call<int>("Who.Number") == 1);
  }
}
