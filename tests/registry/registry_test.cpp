// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::Registry;
using geerpc::RegistryOptions;
using geerpc::ServerInfo;
using geerpc::StatusCode;

namespace {

// A registry whose time moves only when the test says so.
struct Timed {
  explicit Timed(std::chrono::milliseconds ttl = 5min, std::size_t max_servers = 100)
      : registry(options(ttl, max_servers)) {}

  RegistryOptions options(std::chrono::milliseconds ttl, std::size_t max_servers) {
    RegistryOptions options;
    options.ttl = ttl;
    options.max_servers = max_servers;
    options.clock = [this] { return now; };
    return options;
  }

  std::string listed() {
    std::string text;
    for (const ServerInfo& server : registry.list().servers) text += server.address.str() + " ";
    return text;
  }

  std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
  Registry registry;
};

template <class F>
StatusCode code_of(F f) {
  try {
    f();
    return StatusCode::ok;
  } catch (const geerpc::Error& error) {
    return error.code();
  }
}

}  // namespace

TEST_SUITE("registry") {
  TEST_CASE("lists servers sorted, each once") {
    Timed t;
    t.registry.put(Address("tcp@b:2"));
    t.registry.put(Address("tcp@a:1"));
    t.registry.put(Address("http@c:3"));
    t.registry.put(Address("tcp@b:2"));
    CHECK(t.listed() == "http@c:3 tcp@a:1 tcp@b:2 ");
  }

  TEST_CASE("forgets a server one TTL after its last heartbeat") {
    Timed t(10s);
    CHECK(t.registry.put(Address("tcp@a:1")) == 10s);
    t.now += 6s;
    t.registry.put(Address("tcp@b:2"));
    t.now += 3999ms;
    CHECK(t.listed() == "tcp@a:1 tcp@b:2 ");
    CHECK(t.registry.list().servers[0].age == 9999ms);
    t.now += 1ms;
    CHECK(t.listed() == "tcp@b:2 ");
    t.registry.put(Address("tcp@b:2"));  // beats
    t.now += 9s;
    CHECK(t.listed() == "tcp@b:2 ");
    t.now += 1s;
    CHECK(t.listed() == "");
  }

  TEST_CASE("never forgets with a TTL of zero") {
    Timed t(0s);
    CHECK(t.registry.put(Address("tcp@a:1")) == 0s);
    t.now += std::chrono::hours(24 * 365);
    CHECK(t.listed() == "tcp@a:1 ");
  }

  TEST_CASE("survives the longest TTL") {
    Timed t(std::chrono::milliseconds::max());
    t.registry.put(Address("tcp@a:1"));
    t.now += 1h;
    CHECK(t.listed() == "tcp@a:1 ");
  }

  TEST_CASE("forgets on request, and does not mind if there is nothing to forget") {
    Timed t;
    t.registry.put(Address("tcp@a:1"));
    t.registry.remove("tcp@b:2");
    t.registry.remove("tcp@a:1");
    t.registry.remove("tcp@a:1");
    CHECK(t.listed() == "");
  }

  TEST_CASE("holds a bounded number of servers, and forgets expired ones without being read") {
    Timed t(10s, 3);
    for (int i = 1; i <= 3; ++i) t.registry.put(Address("tcp@a:" + std::to_string(i)));
    CHECK(code_of([&] { t.registry.put(Address("tcp@a:4")); }) == StatusCode::resource_exhausted);
    t.registry.put(Address("tcp@a:3"));  // the old ones go on
    t.now += 11s;
    t.registry.put(Address("tcp@a:4"));
    CHECK(t.registry.size() == 1);
  }

  TEST_CASE("counts its revisions: for arrivals, departures, expiry and services, not for beats") {
    Timed t(10s);
    auto revision = [&] { return t.registry.list().revision; };
    const auto first = revision();
    t.registry.put(Address("tcp@a:1"));
    CHECK(revision() == first + 1);
    t.registry.put(Address("tcp@a:1"));
    CHECK(revision() == first + 1);
    t.registry.put({Address("tcp@a:1"), {"Foo"}});
    CHECK(revision() == first + 2);
    t.registry.remove("tcp@a:1");
    CHECK(revision() == first + 3);
    t.registry.remove("tcp@a:1");
    CHECK(revision() == first + 3);
    t.registry.put(Address("tcp@a:1"));
    t.now += 10s;
    CHECK(revision() == first + 5);
  }

  TEST_CASE("says who it is, how old it is and what its TTL is") {
    Timed a(7s), b;
    a.now += 3s;
    CHECK(a.registry.list().instance != b.registry.list().instance);
    CHECK(a.registry.list().uptime == 3s);
    CHECK(a.registry.list().ttl == 7s);
  }

  TEST_CASE("keeps the services of a server, sorted") {
    Timed t;
    t.registry.put({Address("tcp@a:1"), {"Foo", "Bar"}});
    const geerpc::ServerList list = t.registry.list();
    CHECK(list.servers[0].services == std::vector<std::string>{"Bar", "Foo"});
    CHECK(list.servers[0].may_offer("Foo"));
    CHECK_FALSE(list.servers[0].may_offer("Baz"));
    CHECK(ServerInfo(Address("tcp@a:1")).may_offer("Baz"));
  }

  TEST_CASE("refuses what nobody can dial, and names that would break a list") {
    Timed t;
    const auto put = [&](const ServerInfo& s) { return code_of([&] { t.registry.put(s); }); };
    CHECK(put(Address("tcp@a:0")) == StatusCode::invalid_argument);
    CHECK(put(Address()) == StatusCode::invalid_argument);
    CHECK(put({Address("tcp@a:1"), {"Foo,Bar"}}) == StatusCode::invalid_argument);
    CHECK(put({Address("tcp@a:1"), {""}}) == StatusCode::invalid_argument);
    CHECK(put({Address("tcp@a:1"), {"Foo\nX"}}) == StatusCode::invalid_argument);
    CHECK(put({Address("tcp@a:1"), std::vector<std::string>(257, "Foo")}) ==
          StatusCode::invalid_argument);
    CHECK(put(Address("unix@/tmp/s")) == StatusCode::ok);
    CHECK(put(Address("tcp@[::]:1")) == StatusCode::ok);  // as Go servers say it
    CHECK(t.registry.size() == 2);
  }

  TEST_CASE("refuses wildcards if it was told so") {
    RegistryOptions options;
    options.allow_wildcard = false;
    Registry registry(options);
    CHECK(code_of([&] { registry.put(Address("tcp@[::]:1")); }) == StatusCode::invalid_argument);
    CHECK(code_of([&] { registry.put(Address("tcp@:1")); }) == StatusCode::invalid_argument);
  }
}
