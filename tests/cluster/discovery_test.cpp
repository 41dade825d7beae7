// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "../support/eventually.hpp"
#include "../support/own_host.hpp"
#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::Context;
using geerpc::Discovery;
using geerpc::Registry;
using geerpc::RegistryDiscovery;
using geerpc::RegistryDiscoveryOptions;
using geerpc::RegistryServer;
using geerpc::StaticDiscovery;
using geerpc::StatusCode;

namespace {

RegistryDiscoveryOptions every(std::chrono::milliseconds period) {
  RegistryDiscoveryOptions options;
  options.refresh_period = period;
  return options;
}

std::string listed(Discovery& discovery) {
  std::string text;
  const auto list = discovery.servers();
  for (const auto& server : list->servers) text += server.address.str() + " ";
  return text;
}

bool becomes(Discovery& discovery, const std::string& text) {
  return test::eventually([&] { return listed(discovery) == text; });
}

// A registry whose HTTP answer the test changes.
struct Scripted {
  Scripted()
      : server([this](const httplib::Request&, httplib::Response& to) {
          const std::lock_guard<std::mutex> lock(mutex);
          ++asked;
          to = response;
        }),
        url("http://127.0.0.1:" + std::to_string(server.listen("http@127.0.0.1:0").port())) {}

  void answer(int status, const char* servers, const std::string& body = "") {
    httplib::Response next;
    next.status = status;
    if (servers != nullptr) next.set_header("X-Geerpc-Servers", servers);
    if (!body.empty()) next.set_content(body, "application/json");
    const std::lock_guard<std::mutex> lock(mutex);
    response = next;
    asked = 0;
  }
  bool wait_asked(int times) {
    return test::eventually([&] {
      const std::lock_guard<std::mutex> lock(mutex);
      return asked >= times;
    });
  }

  std::mutex mutex;
  httplib::Response response;
  int asked = 0;
  geerpc::detail::HttpServer server;
  std::string url;
};

}  // namespace

TEST_SUITE("static discovery") {
  TEST_CASE("gives its list, sorted, each server once") {
    StaticDiscovery servers{"tcp@b:2", "tcp@a:1", "tcp@b:2"};
    CHECK(listed(servers) == "tcp@a:1 tcp@b:2 ");
    CHECK_FALSE(servers.status().stale);
  }

  TEST_CASE("can be updated through any of its copies; snapshots stay as they are") {
    StaticDiscovery servers{"tcp@a:1"};
    StaticDiscovery copy = servers;
    const auto before = copy.servers();
    servers.update({"tcp@b:2"});
    CHECK(listed(copy) == "tcp@b:2 ");
    CHECK(before->servers[0].address == Address("tcp@a:1"));
    CHECK(copy.servers()->revision == before->revision + 1);
  }

  TEST_CASE("refuses malformed addresses") {
    CHECK_THROWS_AS((StaticDiscovery{"a:1"}), geerpc::Error);
  }
}

TEST_SUITE("registry discovery") {
  TEST_CASE("gives the list of an in-process registry, and follows it") {
    Registry registry;
    registry.put(Address("tcp@a:1"));
    RegistryDiscovery discovery(registry, every(10ms));
    CHECK(listed(discovery) == "tcp@a:1 ");
    registry.put(Address("tcp@b:2"));
    CHECK(becomes(discovery, "tcp@a:1 tcp@b:2 "));
    registry.remove("tcp@a:1");
    CHECK(becomes(discovery, "tcp@b:2 "));
    registry.remove("tcp@b:2");
    CHECK(becomes(discovery, ""));
  }

  TEST_CASE("gives the list of a registry over HTTP, and refreshes early when asked to") {
    Registry registry;
    RegistryServer server(registry);
    server.listen("127.0.0.1:0");
    RegistryDiscovery discovery(server.url());
    CHECK(listed(discovery) == "");
    registry.put(Address("tcp@a:1"));
    discovery.refresh();  // the period is 10 s
    const auto begin = test::Clock::now();
    CHECK(becomes(discovery, "tcp@a:1 "));
    CHECK(test::Clock::now() - begin < 5s);
  }

  TEST_CASE("takes the longest durations for what they mean") {
    Registry registry;
    registry.put(Address("tcp@a:1"));
    RegistryServer server(registry);
    server.listen("127.0.0.1:0");
    RegistryDiscoveryOptions options = every((std::chrono::milliseconds::max)());
    options.request_timeout = (std::chrono::milliseconds::max)();
    RegistryDiscovery discovery(server.url(), options);
    CHECK(listed(discovery) == "tcp@a:1 ");
  }

  TEST_CASE("keeps the last good list while the registry fails, and says so") {
    Scripted registry;
    registry.answer(200, "tcp@a:1,tcp@b:2");
    RegistryDiscovery discovery(registry.url, every(10ms));
    CHECK(listed(discovery) == "tcp@a:1 tcp@b:2 ");
    CHECK_FALSE(discovery.status().stale);
    struct {
      int status;
      const char* servers;
      const char* body;
    } const failures[] = {{404, nullptr, ""},  {500, "tcp@c:3", ""}, {200, nullptr, ""},
                          {200, "x,y,z", ""},  {200, nullptr, "{"},  {200, nullptr, "[[[[[[[[[[["},
                          {302, "tcp@c:3", ""}};
    for (const auto& failure : failures) {
      registry.answer(failure.status, failure.servers, failure.body);
      REQUIRE(registry.wait_asked(2));
      CHECK(listed(discovery) == "tcp@a:1 tcp@b:2 ");
      CHECK(discovery.status().stale);
      CHECK_FALSE(discovery.status().last_error.empty());
    }
    registry.server.stop();
    CHECK(test::eventually(
        [&] { return discovery.status().last_error.find("refused") != std::string::npos; }));
    CHECK(listed(discovery) == "tcp@a:1 tcp@b:2 ");
    CHECK(discovery.status().age > 0ns);
  }

  TEST_CASE("follows the registry again when it comes back") {
    auto registry = std::make_unique<Registry>();
    auto server = std::make_unique<RegistryServer>(*registry);
    registry->put(Address("tcp@a:1"));
    const auto port = server->listen(test::own_host() + ":0");
    RegistryDiscovery discovery(server->url(), every(10ms));
    CHECK(listed(discovery) == "tcp@a:1 ");
    server.reset();
    CHECK(test::eventually([&] { return discovery.status().stale; }));

    // The new one has not heard of a:1 yet, and is younger than its TTL.
    geerpc::RegistryOptions options;
    std::atomic<int> hours{0};
    const auto start = std::chrono::steady_clock::now();
    options.clock = [&] { return start + std::chrono::hours(hours); };
    registry = std::make_unique<Registry>(options);
    registry->put(Address("tcp@b:2"));
    server = std::make_unique<RegistryServer>(*registry);
    server->listen(test::own_host() + ":" + std::to_string(port));
    CHECK(becomes(discovery, "tcp@a:1 tcp@b:2 "));
    CHECK_FALSE(discovery.status().stale);
    registry->put(Address("tcp@c:3"));
    CHECK(becomes(discovery, "tcp@a:1 tcp@b:2 tcp@c:3 "));
    registry->remove("tcp@c:3");
    CHECK(becomes(discovery, "tcp@a:1 tcp@b:2 "));
    // Now it is old enough to be believed.
    hours = 1;
    registry->put(Address("tcp@b:2"));
    CHECK(becomes(discovery, "tcp@b:2 "));
  }

  TEST_CASE("does not believe an empty Go registry at once") {
    Scripted registry;
    registry.answer(200, "tcp@a:1");
    RegistryDiscovery discovery(registry.url, every(10ms));
    CHECK(listed(discovery) == "tcp@a:1 ");
    registry.answer(200, "");
    REQUIRE(registry.wait_asked(3));
    CHECK(listed(discovery) == "tcp@a:1 ");
    registry.answer(200, "tcp@b:2");
    CHECK(becomes(discovery, "tcp@b:2 "));
  }

  TEST_CASE("fails with the reason when there has been no list") {
    const int port = test::RawListener(test::own_address()).port();
    const std::string address = test::own_host() + ":" + std::to_string(port);
    RegistryDiscovery discovery("http://" + address, every(10ms));
    try {
      discovery.servers();
      FAIL("there is a list");
    } catch (const geerpc::Error& error) {
      CHECK(error.code() == StatusCode::unavailable);
      CHECK_FALSE(error.may_have_run());
      CHECK(std::string(error.what()).find("connection refused") != std::string::npos);
    }
    // It need not be there first.
    Registry registry;
    registry.put(Address("tcp@a:1"));
    RegistryServer server(registry);
    server.listen(address);
    CHECK(test::eventually([&] {
      try {
        return listed(discovery) == "tcp@a:1 ";
      } catch (const geerpc::Error&) {
        return false;
      }
    }));
  }

  TEST_CASE("waits for the first list no longer than the caller, and ends at once") {
    test::RawListener silent;
    const auto begin = test::Clock::now();
    {
      RegistryDiscoveryOptions options;
      options.request_timeout = 60s;
      RegistryDiscovery discovery("http://127.0.0.1:" + std::to_string(silent.port()), options);
      try {
        discovery.servers(Context::with_timeout(50ms));
        FAIL("there is a list");
      } catch (const geerpc::Error& error) {
        CHECK(error.code() == StatusCode::deadline_exceeded);
      }
      geerpc::CancelSource source;
      std::thread canceller([&] { source.cancel(); });
      try {
        discovery.servers(Context::with_cancel(source.token()));
        FAIL("there is a list");
      } catch (const geerpc::Error& error) {
        CHECK(error.code() == StatusCode::cancelled);
      }
      canceller.join();
    }
    CHECK(test::Clock::now() - begin < 30s);
  }

  TEST_CASE("asks once however many wait, and never faster than its backoff") {
    Scripted registry;
    registry.answer(500, nullptr);
    RegistryDiscovery discovery(registry.url);
    std::vector<std::thread> callers;
    std::atomic<int> failed{0};
    for (int i = 0; i < 8; ++i) {
      callers.emplace_back([&] {
        for (int n = 0; n < 100; ++n) {
          try {
            discovery.servers();
          } catch (const geerpc::Error&) {
            ++failed;
          }
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(failed == 800);
    const std::lock_guard<std::mutex> lock(registry.mutex);
    CHECK(registry.asked < 10);
  }
}
