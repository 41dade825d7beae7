// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What can be published, and under which names.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "serving.hpp"

using geerpc::Address;
using geerpc::Client;
using geerpc::Context;
using geerpc::Error;
using geerpc::Server;
using geerpc::StatusCode;
using test::Args;
using test::Foo;

namespace {

struct Counter {
  int Add(int n) { return total += n; }
  int Total() const { return total; }
  void Reset() { total = 0; }
  const std::string& Name() const { return name; }
  bool Asked(const Context& context, int) const { return !context.peer().empty(); }
  std::atomic<int> total{0};
  std::string name = "counter";
};
GEERPC_SERVICE(Counter, Add, Total, Reset, Name, Asked)

int twice(int n) { return 2 * n; }
int eight(int a, int b, int c, int d, int e, int f, int g, int h) {
  return a + b + c + d + e + f + g + h;
}

// The error that `add` throws.
template <class F>
Error refused(F add) {
  try {
    add();
  } catch (const Error& error) {
    return error;
  }
  FAIL("was not refused");
  return Error(StatusCode::ok, "");
}

}  // namespace

TEST_SUITE("server add") {
  TEST_CASE("an object's methods are published: const or not, with a result or without") {
    Server server;
    const auto counter = std::make_shared<Counter>();
    server.add(counter);
    Client client(server.listen("tcp@127.0.0.1:0"));
    CHECK(client.call<int>("Counter.Add", 3) == 3);
    CHECK(client.call<&Counter::Add>(4) == 7);
    CHECK(client.call<int>("Counter.Total") == 7);
    CHECK(counter->total == 7);  // the object is shared, not copied
    client.call<void>("Counter.Reset");
    CHECK(counter->total == 0);
    CHECK(client.call<std::string>("Counter.Name") == "counter");
    CHECK(client.call<bool>("Counter.Asked", 1));
  }

  TEST_CASE("one object, and another, under other names") {
    Server server;
    const auto counter = std::make_shared<Counter>();
    server.add("one", counter);
    server.add("two.three", counter);
    server.add("other", std::make_shared<Counter>());
    server.add("Foo2", Foo{});
    server.add(Foo{});
    Client client(server.listen("tcp@127.0.0.1:0"));
    CHECK(client.call<int>("one.Add", 3) == 3);
    CHECK(client.call<int>("two.three.Add", 3) == 6);
    CHECK(client.call<int>("other.Add", 3) == 3);
    CHECK(client.call<int>("Foo2.Sum", Args{1, 2}) == 3);
    CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
    CHECK(client.try_call<int>("Counter.Add", 3).code() == StatusCode::not_found);
  }

  TEST_CASE("lambdas and functions of none to eight arguments") {
    Server server;
    server.add("F.none", [] { return 7; });
    server.add("F.nothing", [] {});
    server.add("F.twice", twice);
    server.add("F.pointer", &twice);
    server.add("F.eight", eight);
    server.add("F.context", [](const Context& context, std::string a, double b) {
      return a + (context.peer().empty() ? "?" : "!") + std::to_string(static_cast<int>(b));
    });
    server.add("F.mutable", [n = 0](const std::vector<int>& v) mutable {
      n += static_cast<int>(v.size());
      return n;
    });
    server.add("F.optional", [](std::optional<int> n) { return n.has_value(); });
    Client client(server.listen("tcp@127.0.0.1:0"));
    CHECK(client.call<int>("F.none") == 7);
    client.call<void>("F.nothing");
    CHECK(client.call<int>("F.twice", 4) == 8);
    CHECK(client.call<int>("F.pointer", 5) == 10);
    CHECK(client.call<int>("F.eight", 1, 2, 3, 4, 5, 6, 7, 8) == 36);
    CHECK(client.call<std::string>("F.context", "a", 2.0) == "a!2");
    CHECK(client.call<int>("F.mutable", std::vector<int>{1, 2}) == 2);
    CHECK(client.call<int>("F.mutable", std::vector<int>{1, 2}) == 4);
    CHECK(client.call<bool>("F.optional", 1));
    // Too few, too many, or of the wrong type.
    CHECK(client.try_call<int>("F.eight", 1, 2, 3).code() == StatusCode::invalid_argument);
    CHECK(client.try_call<int>("F.eight", 1, 2, 3, 4, 5, 6, 7, 8, 9).code() ==
          StatusCode::invalid_argument);
    CHECK(client.try_call<int>("F.twice", "x").code() == StatusCode::invalid_argument);
    CHECK(server.stats()[0].methods.size() == 8);
  }

  TEST_CASE("a name that is taken, or is none, is refused with the reason") {
    Server server;
    server.add(Foo{});
    server.add("Math.Add", [](int a, int b) { return a + b; });
    const auto text = [](const Error& error, StatusCode code) {
      CHECK(error.code() == code);
      return error.cause();
    };
    CHECK(text(refused([&] { server.add(Foo{}); }), StatusCode::already_exists) ==
          "rpc: service already defined: Foo");
    CHECK(text(refused([&] { server.add("Math", Foo{}); }), StatusCode::already_exists) ==
          "rpc: service already defined: Math");
    CHECK(text(refused([&] { server.add("Foo.Sum", [] {}); }), StatusCode::already_exists) ==
          "rpc: method already defined: Foo.Sum");
    CHECK(text(refused([&] { server.add("Math.Add", [] {}); }), StatusCode::already_exists) ==
          "rpc: method already defined: Math.Add");
    CHECK(text(refused([&] { server.add("", Foo{}); }), StatusCode::invalid_argument) ==
          "rpc: the service's name is empty");
    for (const char* name : {"", "Add", ".Add", "Math.", "."}) {
      CHECK(text(refused([&] { server.add(name, [] {}); }), StatusCode::invalid_argument) ==
            "rpc: '" + std::string(name) + "' is not of the form Service.Method");
    }
    CHECK(text(refused([&] { server.add(std::shared_ptr<Foo>()); }),
               StatusCode::invalid_argument) == "rpc: the object is null");
    server.add("Math.Sub", [](int a, int b) { return a - b; });  // one more method: fine
    Client client(server.listen("tcp@127.0.0.1:0"));
    CHECK(client.call<int>("Math.Add", 5, 2) == 7);
    CHECK(client.call<int>("Math.Sub", 5, 2) == 3);
    CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
  }

  TEST_CASE("methods can be added while calls run") {
    Server server;
    server.add(Foo{});
    const Address address = server.listen("tcp@127.0.0.1:0");
    std::atomic<bool> stop{false};
    std::atomic<int> failed{0};
    std::thread caller([&] {
      Client client(address);
      while (!stop) {
        if (!client.try_call<int>("Foo.Sum", Args{1, 2}).ok()) ++failed;
      }
    });
    Client client(address);
    for (int i = 0; i < 50; ++i) {
      const std::string name = "New.M" + std::to_string(i);
      CHECK(client.try_call<int>(name).code() ==
            (i == 0 ? StatusCode::not_found : StatusCode::unimplemented));
      server.add(name, [i] { return i; });
      CHECK(client.call<int>(name) == i);
    }
    stop = true;
    caller.join();
    CHECK(failed == 0);
  }
}
