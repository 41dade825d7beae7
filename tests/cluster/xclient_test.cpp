// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
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
using test::Foo;
using test::Numbered;

namespace {

// Always the first candidate; remembers what it was asked.
struct First : geerpc::Selector {
  std::size_t select(const geerpc::Selection& selection) override {
    const std::lock_guard<std::mutex> lock(mutex);
    method = selection.method;
    asked.push_back(selection.candidates.size());
    return 0;
  }
  std::mutex mutex;
  std::string method;
  std::vector<std::size_t> asked;
};

// Gives only one server, whatever the list says.
struct Only : geerpc::Selector {
  explicit Only(Address a) : address(std::move(a)) {}
  std::size_t select(const geerpc::Selection& selection) override {
    for (std::size_t i = 0; i < selection.candidates.size(); ++i) {
      if (selection.candidates[i]->address == address) return i;
    }
    return 0;
  }
  Address address;
};

// Goes to and fro between lists that are made already, and may keep one who asks waiting.
struct Switched : geerpc::Discovery {
  static std::shared_ptr<const geerpc::ServerList> listing(const Address& address) {
    geerpc::ServerList list;
    list.servers = {address};
    return std::make_shared<geerpc::ServerList>(std::move(list));
  }
  std::shared_ptr<const geerpc::ServerList> servers(const Context& context = {}) override {
    const auto list = std::atomic_load(&current);
    if (context.metadata().count("slow") != 0) {
      ++slow;
      CHECK(test::eventually([&] { return go_on.load(); }));
    }
    return list;
  }
  geerpc::DiscoveryStatus status() const override { return {}; }
  std::shared_ptr<const geerpc::ServerList> current;
  std::atomic<int> slow{0};
  std::atomic<bool> go_on{false};
};

}  // namespace

TEST_SUITE("xclient") {
  TEST_CASE("spreads calls over the servers") {
    Numbered one(1), two(2), three(3);
    XClient cluster({one.address, two.address, three.address}, SelectMode::round_robin);
    for (int i = 0; i < 30; ++i) cluster.call<int>("Who.Number");
    CHECK(one.calls == 10);
    CHECK(two.calls == 10);
    CHECK(three.calls == 10);
    CHECK(one.server.connections() == 1);

    XClient random({one.address, two.address, three.address});
    std::set<int> seen;
    for (int i = 0; i < 200; ++i) seen.insert(random.call<int>("Who.Number"));
    CHECK(seen.size() == 3);
  }

  TEST_CASE("calls by name and by method, with and without a context") {
    Numbered one(1);
    XClient cluster({one.address});
    CHECK(cluster.call<int>("Foo.Sum", 1, 2) == 3);
    CHECK(cluster.call<int>(Context::with_timeout(5s), "Foo.Sum", 1, 2) == 3);
    CHECK(cluster.call<&Foo::Sum>(1, 2) == 3);
    CHECK(cluster.call<&Foo::Sum>(Context::with_timeout(5s), 1, 2) == 3);
    CHECK(cluster.try_call<int>("Foo.Sum", 1, 2).value() == 3);
    CHECK(cluster.try_call<int>("Foo.Nothing").code() == StatusCode::unimplemented);
  }

  TEST_CASE("takes a selector of the program's own, and tells it the method") {
    Numbered one(1), two(2);
    const auto first = std::make_shared<First>();
    XClient cluster({one.address, two.address}, first);
    cluster.call<int>("Who.Number");
    CHECK(first->method == "Who.Number");
    CHECK(first->asked == std::vector<std::size_t>{2});
    CHECK_THROWS_AS(XClient({one.address}, std::shared_ptr<First>()), geerpc::Error);
  }

  TEST_CASE("goes to another server when one can't be reached, and skips that one then") {
    Numbered alive(1);
    const Address dead = dead_address();
    const auto first = std::make_shared<First>();
    // The list is sorted: make sure that the dead one would come first.
    StaticDiscovery servers(std::vector<Address>{alive.address, dead});
    XClient cluster(servers, std::make_unique<Only>(dead));
    for (int i = 0; i < 20; ++i) CHECK(cluster.call<int>("Who.Number") == 1);

    XClient watched(servers, first);
    for (int i = 0; i < 20; ++i) CHECK(watched.call<int>("Who.Number") == 1);
    // Once the dead one was met, it is no candidate any more.
    const auto with_both = std::count(first->asked.begin(), first->asked.end(), std::size_t{2});
    CHECK((with_both <= 1 || alive.address < dead));
  }

  TEST_CASE("skips a server for ever, if that is asked for") {
    Numbered alive(1);
    const Address dead = dead_address();
    // It is the only candidate of the first call.
    StaticDiscovery servers{dead};
    XClientOptions options;
    options.min_skip = options.max_skip = (std::chrono::milliseconds::max)();
    const auto first = std::make_shared<First>();
    XClient cluster(servers, first, options);
    CHECK(cluster.try_call<int>("Who.Number").code() == StatusCode::unavailable);
    servers.update({alive.address, dead});
    for (int i = 0; i < 20; ++i) CHECK(cluster.call<int>("Who.Number") == 1);
    CHECK(first->asked == std::vector<std::size_t>(21, 1));
  }

  TEST_CASE("goes to another server when one accepts but never answers the CONNECT") {
    Numbered alive(1);
    test::RawListener listener;
    const Address silent = Address("http" + listener.address().substr(3));
    XClientOptions options;
    options.client.connect_timeout = 200ms;
    XClient cluster({alive.address, silent}, std::make_unique<Only>(silent), options);
    CHECK(cluster.call<int>(Context::with_timeout(test::kPatience), "Who.Number") == 1);
  }

  TEST_CASE("a server that takes long to connect to holds up only those who call it") {
    Numbered alive(1);
    test::RawListener listener;
    const Address silent = Address("http" + listener.address().substr(3));
    // Foo is what the silent one is asked for.
    struct ByService : geerpc::Selector {
      explicit ByService(Address a) : silent(std::move(a)) {}
      std::size_t select(const geerpc::Selection& selection) override {
        const bool wanted = selection.method.substr(0, 4) == "Foo.";
        const bool first = selection.candidates.at(0)->address == silent;
        return first == wanted ? 0 : 1;
      }
      Address silent;
    };
    XClientOptions options;
    options.client.connect_timeout = 10 * test::kPatience;
    XClient cluster({alive.address, silent}, std::make_unique<ByService>(silent), options);
    std::atomic<bool> ended{false};
    std::thread caller([&] {
      const auto result =
          cluster.try_call<int>(Context::with_timeout(10 * test::kPatience), "Foo.Sum", 1, 2);
      CHECK(result.code() == StatusCode::cancelled);
      ended = true;
    });
    test::RawSocket connecting = listener.accept();
    CHECK_FALSE(connecting.recv_until("\n").empty());  // its CONNECT, which nobody answers
    for (int i = 0; i < 100; ++i) CHECK(cluster.call<int>("Who.Number") == 1);
    CHECK_FALSE(ended);
    cluster.close();
    caller.join();
  }

  TEST_CASE("does not repeat a call that may have run") {
    auto one = std::make_unique<Numbered>(1);
    Numbered two(2);
    XClient cluster({one->address, two.address}, std::make_unique<Only>(one->address));
    std::thread caller([&] {
      const auto result = cluster.try_call<void>("Who.Wait", 60000);
      REQUIRE(result.code() == StatusCode::unavailable);
      CHECK(result.error().may_have_run());
      CHECK(result.error().address() == one->address.str());
    });
    CHECK(test::eventually([&] { return one->waiting == 1; }));
    one->server.stop(0s);
    caller.join();
    CHECK(two.calls == 0);
  }

  TEST_CASE("uses a server again that was away") {
    auto one = std::make_unique<Numbered>(1);
    const Address address = one->address;
    Numbered two(2);
    XClientOptions options;
    options.min_skip = 20ms;
    options.max_skip = 50ms;
    XClient cluster({address, two.address}, std::make_unique<Only>(address), options);
    CHECK(cluster.call<int>("Who.Number") == 1);
    one.reset();
    for (int i = 0; i < 5; ++i) CHECK(cluster.call<int>("Who.Number") == 2);
    one = std::make_unique<Numbered>(1, address);
    CHECK(test::eventually([&] { return cluster.call<int>("Who.Number") == 1; }));
  }

  TEST_CASE("tries a server that it skips if there is no other one") {
    const Address address = dead_address();
    XClient cluster({address});
    CHECK(cluster.try_call<int>("Who.Number").code() == StatusCode::unavailable);
    Numbered late(1, address);
    CHECK(test::eventually([&] { return cluster.try_call<int>("Who.Number").ok(); }));
  }

  TEST_CASE("fails with the last server's error when all of them are away") {
    XClient cluster({dead_address(), dead_address()});
    const auto result = cluster.try_call<int>("Who.Number");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code() == StatusCode::unavailable);
    CHECK_FALSE(result.error().may_have_run());
    CHECK(std::string(result.error().what()).find("connection refused") != std::string::npos);
    CHECK(result.error().method() == "Who.Number");
  }

  TEST_CASE("says that there are no servers") {
    XClient cluster(StaticDiscovery{});
    for (const auto& result :
         {cluster.try_call<int>("Foo.Sum", 1, 2), cluster.try_broadcast<int>("Foo.Sum", 1, 2)}) {
      REQUIRE_FALSE(result.ok());
      CHECK(result.error().code() == StatusCode::unavailable);
      CHECK(result.error().cause() == "rpc discovery: no available servers");
    }
    CHECK_THROWS_AS(cluster.broadcast_all<int>("Foo.Sum", 1, 2), geerpc::Error);
  }

  TEST_CASE("follows its discovery and closes the connections of vanished servers") {
    Numbered one(1), two(2);
    StaticDiscovery servers{one.address, two.address};
    XClient cluster(servers, SelectMode::round_robin);
    for (int i = 0; i < 4; ++i) cluster.call<int>("Who.Number");
    CHECK(one.server.connections() == 1);
    servers.update({two.address});
    for (int i = 0; i < 4; ++i) CHECK(cluster.call<int>("Who.Number") == 2);
    CHECK(test::eventually([&] { return one.server.connections() == 0; }));
    servers.update({one.address});
    CHECK(cluster.call<int>("Who.Number") == 1);
  }

  TEST_CASE("follows its discovery back to a list that it had before") {
    Numbered one(1), two(2);
    const auto blue = Switched::listing(one.address), green = Switched::listing(two.address);
    const auto servers = std::make_shared<Switched>();
    XClient cluster(servers);
    for (int i = 0; i < 3; ++i) {
      std::atomic_store(&servers->current, blue);
      CHECK(cluster.call<int>("Who.Number") == 1);
      std::atomic_store(&servers->current, green);
      CHECK(cluster.call<int>("Who.Number") == 2);
    }
  }

  TEST_CASE("a caller that was slow does not bring an older list back") {
    Numbered one(1), two(2);
    const auto servers = std::make_shared<Switched>();
    servers->current = Switched::listing(one.address);
    XClient cluster(servers);
    CHECK(cluster.call<int>("Who.Number") == 1);
    std::thread caller([&] {
      const Context slow = Context::with_timeout(60s).set_metadata({{"slow", ""}});
      CHECK(cluster.call<int>(slow, "Who.Number") == 2);
    });
    CHECK(test::eventually([&] { return servers->slow == 1; }));
    std::atomic_store(&servers->current, Switched::listing(two.address));
    CHECK(cluster.call<int>("Who.Number") == 2);
    servers->go_on = true;
    caller.join();
    CHECK(cluster.call<int>("Who.Number") == 2);
  }

  TEST_CASE("lets calls end on a server that vanishes meanwhile") {
    Numbered one(1), two(2);
    StaticDiscovery servers{one.address};
    XClient cluster(servers);
    std::thread caller([&] { CHECK(cluster.try_call<void>("Who.Wait", 200).ok()); });
    CHECK(test::eventually([&] { return one.waiting == 1; }));
    servers.update({two.address});
    CHECK(cluster.call<int>("Who.Number") == 2);
    caller.join();
    CHECK(test::eventually([&] { return one.server.connections() == 0; }));
  }

  TEST_CASE("sends a call only to servers that offer the service, as far as they say") {
    Numbered one(1), two(2), three(3);
    StaticDiscovery servers(std::vector<geerpc::ServerInfo>{
        {one.address, {"Foo"}}, {two.address, {"Foo", "Who"}}, {three.address}});
    XClient cluster(servers, SelectMode::round_robin);
    for (int i = 0; i < 10; ++i) cluster.call<int>("Who.Number");
    CHECK(one.calls == 0);
    CHECK(two.calls == 5);
    CHECK(three.calls == 5);
    CHECK(cluster.broadcast_all<int>("Who.Number").size() == 2);
  }

  TEST_CASE("has one deadline for everything, discovery included") {
    test::RawListener silent_registry;
    XClient lost(
        geerpc::RegistryDiscovery("http://127.0.0.1:" + std::to_string(silent_registry.port())));
    CHECK(lost.try_call<int>(Context::with_timeout(50ms), "Foo.Sum", 1, 2).code() ==
          StatusCode::deadline_exceeded);

    Numbered one(1);
    XClient cluster({one.address});
    CHECK(cluster.try_call<void>(Context::with_timeout(50ms), "Who.Wait", 60000).code() ==
          StatusCode::deadline_exceeded);
    CHECK(cluster.call<int>("Who.Number") == 1);
  }

  TEST_CASE("closes for good, and wakes everyone") {
    Numbered one(1), two(2);
    StaticDiscovery servers{one.address};
    XClient cluster(servers);
    std::thread caller(
        [&] { CHECK(cluster.try_call<void>("Who.Wait", 60000).code() == StatusCode::cancelled); });
    std::thread broadcaster([&] {
      CHECK(cluster.try_broadcast<void>("Who.Wait", 60000).code() == StatusCode::cancelled);
    });
    CHECK(test::eventually([&] { return one.waiting == 2; }));
    servers.update({two.address});  // also those who call a server that has vanished
    cluster.call<int>("Who.Number");
    cluster.close();
    caller.join();
    broadcaster.join();
    CHECK(cluster.closed());
    CHECK(cluster.try_call<int>("Who.Number").code() == StatusCode::cancelled);
    CHECK(cluster.try_broadcast<int>("Who.Number").code() == StatusCode::cancelled);
    cluster.close();
  }

  TEST_CASE("may be used by many threads while the list changes") {
    Numbered one(1), two(2), three(3);
    StaticDiscovery servers{one.address, two.address};
    XClient cluster(servers);
    std::atomic<bool> stop{false};
    std::atomic<int> failures{0}, good{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&, i] {
        while (!stop) {
          const bool ok = i % 2 == 0 ? cluster.try_call<int>("Who.Number").ok()
                                     : cluster.try_broadcast<int>("Foo.Sum", 1, 2).ok();
          ++(ok ? good : failures);
        }
      });
    }
    for (int i = 0; i < 100; ++i) {
      const int before = good;
      servers.update(i % 2 == 0 ? std::vector<Address>{two.address, three.address}
                                : std::vector<Address>{one.address, two.address});
      CHECK(test::eventually([&] { return good > before; }));
    }
    stop = true;
    for (std::thread& caller : callers) caller.join();
    CHECK(failures == 0);
  }
}
