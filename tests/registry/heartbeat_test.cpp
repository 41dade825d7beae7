// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "../support/eventually.hpp"
#include "../support/own_host.hpp"
#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::Heartbeat;
using geerpc::HeartbeatOptions;
using geerpc::Registry;
using geerpc::RegistryServer;

namespace {

HeartbeatOptions every(std::chrono::milliseconds period) {
  HeartbeatOptions options;
  options.period = period;
  return options;
}

std::string listed(Registry& registry) {
  std::string text;
  for (const auto& server : registry.list().servers) text += server.address.str() + " ";
  return text;
}

// Counts what it is asked, and fails if told so.
struct Counting : Registry {
  std::atomic<int> puts{0}, removes{0};
  std::atomic<bool> broken{false};

  std::optional<std::chrono::milliseconds> put(const geerpc::ServerInfo& server,
                                               const geerpc::Context& context = {}) override {
    ++puts;
    if (broken) throw geerpc::Error(geerpc::StatusCode::unavailable, "broken");
    return Registry::put(server, context);
  }
  void remove(const Address& address, const geerpc::Context& context = {}) override {
    ++removes;
    Registry::remove(address, context);
  }
};

// Looks like a Server to the heartbeat.
struct Accepting {
  std::atomic<bool> accepts{true};
  bool accepting() const { return accepts; }
};

}  // namespace

TEST_SUITE("heartbeat") {
  TEST_CASE("registers while it lives") {
    Registry registry;
    {
      Heartbeat beat(registry, "tcp@127.0.0.1:1");
      CHECK(beat.wait_registered(test::kPatience));
      CHECK(beat.registered());
      CHECK(listed(registry) == "tcp@127.0.0.1:1 ");
    }
    CHECK(listed(registry) == "");
  }

  TEST_CASE("registers over HTTP, and with several registries at once") {
    Registry a, b, c;
    RegistryServer server_a(a), server_b(b);
    server_a.listen("127.0.0.1:0");
    server_b.listen("127.0.0.1:0");
    {
      HeartbeatOptions options;
      options.services = {"Foo"};
      Heartbeat beat({server_a.url(), server_b.url(), c}, "tcp@127.0.0.1:1", options);
      REQUIRE(beat.wait_registered(test::kPatience));
      CHECK(a.list().servers[0].services == std::vector<std::string>{"Foo"});
      CHECK(a.size() + b.size() + c.size() == 3);
      CHECK(beat.status().size() == 3);
      CHECK(beat.status()[0].registry == server_a.url());
      CHECK(beat.status()[0].advertised == Address("tcp@127.0.0.1:1"));
    }
    CHECK(a.size() + b.size() + c.size() == 0);
  }

  TEST_CASE("beats again and again") {
    Counting registry;
    Heartbeat beat(registry, "tcp@127.0.0.1:1", every(10ms));
    CHECK(test::eventually([&] { return registry.puts >= 5; }));
    CHECK(beat.status()[0].beats >= 4);
  }

  TEST_CASE("takes its period from the TTL that the registry names") {
    geerpc::RegistryOptions options;
    options.ttl = 60ms;
    Registry registry(options);
    RegistryServer server(registry);
    server.listen("127.0.0.1:0");
    Heartbeat beat(server.url(), "tcp@127.0.0.1:1");
    CHECK(test::eventually([&] { return beat.status()[0].beats >= 5; }));
  }

  TEST_CASE("takes the longest durations for what they mean") {
    Registry registry;
    RegistryServer server(registry);
    server.listen("127.0.0.1:0");
    HeartbeatOptions options = every((std::chrono::milliseconds::max)());
    options.request_timeout = options.first_beat_wait = options.period;
    Heartbeat beat(server.url(), "tcp@127.0.0.1:1", options);
    CHECK(beat.registered());
    CHECK(beat.status()[0].failures == 0);
    geerpc::HttpRegistryOptions no_limit;
    no_limit.timeout = (std::chrono::milliseconds::max)();
    CHECK(geerpc::HttpRegistry(server.url(), no_limit).list().servers.size() == 1);
  }

  TEST_CASE("goes on after failures, says so, and registers when it can") {
    Counting registry;
    registry.broken = true;
    HeartbeatOptions options = every(20ms);
    options.first_beat_wait = 0ms;
    Heartbeat beat(registry, "tcp@127.0.0.1:1", options);
    CHECK(test::eventually([&] { return beat.status()[0].failures >= 3; }));
    CHECK_FALSE(beat.registered());
    CHECK(beat.status()[0].last_error == "broken");
    registry.broken = false;
    CHECK(beat.wait_registered(test::kPatience));
    CHECK(listed(registry) == "tcp@127.0.0.1:1 ");
  }

  TEST_CASE("registers again when the registry was away or was restarted") {
    auto registry = std::make_unique<Registry>();
    auto server = std::make_unique<RegistryServer>(*registry);
    const auto port = server->listen(test::own_host() + ":0");
    Heartbeat beat(server->url(), "tcp@127.0.0.1:1", every(20ms));
    REQUIRE(beat.wait_registered(test::kPatience));
    server.reset();
    CHECK(test::eventually([&] { return !beat.registered(); }));
    registry = std::make_unique<Registry>();
    server = std::make_unique<RegistryServer>(*registry);
    server->listen(test::own_host() + ":" + std::to_string(port));
    CHECK(test::eventually([&] { return registry->size() == 1; }));
  }

  TEST_CASE("takes 404 and 500 for failures") {
    for (const int status : {404, 500, 405}) {
      geerpc::detail::HttpServer fake(
          [status](const httplib::Request&, httplib::Response& response) {
            response.status = status;
          });
      const auto port = fake.listen("http@127.0.0.1:0").port();
      Heartbeat beat("http://127.0.0.1:" + std::to_string(port), "tcp@127.0.0.1:1");
      CHECK(test::eventually([&] { return beat.status()[0].failures != 0; }));
      CHECK_FALSE(beat.registered());
      CHECK(beat.status()[0].last_error.find(std::to_string(status)) != std::string::npos);
    }
  }

  TEST_CASE("is not held up by a registry that accepts and stays silent") {
    test::RawListener silent;
    Registry healthy;
    HeartbeatOptions options;
    options.request_timeout = 60s;
    const auto begin = test::Clock::now();
    {
      Heartbeat beat({"http://127.0.0.1:" + std::to_string(silent.port()), healthy},
                     "tcp@127.0.0.1:1", options);
      CHECK(test::eventually([&] { return healthy.size() == 1; }));
      CHECK_FALSE(beat.registered());
    }
    // Half a second for the first beat, a second at most for saying goodbye.
    CHECK(test::Clock::now() - begin < 30s);
    CHECK(healthy.size() == 0);
  }

  TEST_CASE("beats only while its server accepts") {
    Registry registry;
    Accepting server;
    Heartbeat beat(registry, server, "tcp@127.0.0.1:1", every(10ms));
    CHECK(test::eventually([&] { return registry.size() == 1; }));
    server.accepts = false;
    CHECK(test::eventually([&] { return registry.size() == 0; }));
    CHECK_FALSE(beat.registered());
    server.accepts = true;
    CHECK(test::eventually([&] { return registry.size() == 1; }));
  }

  TEST_CASE("never sends a wildcard address") {
    Registry registry;
    RegistryServer server(registry);
    server.listen("127.0.0.1:0");
    {
      Heartbeat a(server.url(), "tcp@[::]:1"), b(server.url(), "http@0.0.0.0:2"),
          c(registry, "tcp@:3"), d(registry, "tcp@0.0.0.0:4");
      for (Heartbeat* beat : {&a, &b, &c, &d}) REQUIRE(beat->wait_registered(test::kPatience));
      CHECK(listed(registry) ==
            "http@127.0.0.1:2 tcp@127.0.0.1:1 tcp@127.0.0.1:3 tcp@127.0.0.1:4 ");
    }
    HeartbeatOptions options;
    options.advertise = "tcp@10.1.2.3:7";
    Heartbeat e(registry, "tcp@[::]:1", options);
    REQUIRE(e.wait_registered(test::kPatience));
    CHECK(listed(registry) == "tcp@10.1.2.3:7 ");
  }

  TEST_CASE("refuses what nobody can dial, and malformed URLs") {
    Registry registry;
    CHECK_THROWS_AS(Heartbeat(registry, Address()), geerpc::Error);
    CHECK_THROWS_AS(Heartbeat(registry, "tcp@127.0.0.1:0"), geerpc::Error);
    CHECK_THROWS_AS(Heartbeat("127.0.0.1:9999", "tcp@127.0.0.1:1"), geerpc::Error);
    HeartbeatOptions options;
    options.advertise = "tcp@[::]:1";
    CHECK_THROWS_AS(Heartbeat(registry, "tcp@127.0.0.1:1", options), geerpc::Error);
  }

  TEST_CASE("stops once, and can be moved") {
    Counting registry;
    Heartbeat first(registry, "tcp@127.0.0.1:1");
    Heartbeat second(std::move(first));
    REQUIRE(second.wait_registered(test::kPatience));
    CHECK(registry.size() == 1);
    second.stop();
    second.stop();
    CHECK(registry.size() == 0);
    CHECK(registry.removes == 1);
    CHECK_FALSE(second.registered());
  }

  TEST_CASE("may be asked and stopped by other threads while it stops") {
    // Takes its time to say goodbye.
    struct Leaving : Registry {
      std::atomic<bool> leaving{false}, may_leave{false};
      void remove(const Address& address, const geerpc::Context& context = {}) override {
        leaving = true;
        CHECK(test::eventually([&] { return may_leave.load(); }));
        Registry::remove(address, context);
      }
    };
    Registry first;
    Leaving second;
    Heartbeat beat({first, second}, "tcp@127.0.0.1:1");
    REQUIRE(beat.wait_registered(test::kPatience));
    std::thread stopper([&] { beat.stop(); });
    CHECK(test::eventually([&] { return second.leaving.load() && first.size() == 0; }));
    std::thread waiter([&] { CHECK_FALSE(beat.wait_registered(test::kPatience)); });
    std::thread another([&] { beat.stop(); });
    for (int i = 0; i < 1000; ++i) {
      CHECK_FALSE(beat.registered());
      CHECK(beat.status().size() == 2);
    }
    second.may_leave = true;
    for (std::thread* thread : {&stopper, &waiter, &another}) thread->join();
    CHECK(second.size() == 0);
    CHECK(beat.status()[0].beats > 0);
  }
}
