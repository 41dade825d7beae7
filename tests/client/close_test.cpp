// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// close() and the destructor: final, from anywhere, whatever the client is busy with.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gate.hpp"
#include "scripted_server.hpp"

namespace {

using geerpc::StatusCode;

template <class T>
void check_closed(const geerpc::Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  CHECK(result.code() == StatusCode::cancelled);
  CHECK(result.error().cause() == "the client was closed");
}

}  // namespace

TEST_CASE("close wakes all who wait, and every later call fails") {
  test::GateServer server;
  geerpc::Client client(server.address);
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] { check_closed(client.try_call<int>("Gate.Pass", 1)); });
  }
  auto future = client.async<int>("Gate.Pass", 1);
  std::promise<StatusCode> code;
  client.async<int>("Gate.Pass", 1).then([&](geerpc::Result<int> result) {
    code.set_value(result.code());
  });
  REQUIRE(server.gate->wait_for_waiting(5));
  CHECK_FALSE(client.closed());
  client.close();
  CHECK(client.closed());
  CHECK(future.ready());
  check_closed(future.try_get());
  CHECK(code.get_future().get() == StatusCode::cancelled);
  for (std::thread& caller : callers) caller.join();
  CHECK(server.gate->wait_for_cancelled(5));  // their handlers heard of it

  client.close();
  check_closed(client.try_call<int>("Math.Add", 1, 2));
  check_closed(client.async<int>("Math.Add", 1, 2).try_get());
  CHECK_THROWS_AS(client.notify("Math.Add", 1, 2), geerpc::Error);
  CHECK_FALSE(client.try_call<int>("Math.Add", 1, 2).error().may_have_run());
  bool called = false;
  client.async<int>("Math.Add", 1, 2).then([&](geerpc::Result<int> result) {
    called = true;
    CHECK(result.code() == StatusCode::cancelled);
  });
  CHECK(called);
}

TEST_CASE("several threads may close at once") {
  for (int round = 0; round < 20; ++round) {
    test::GateServer server;
    geerpc::Client client(server.address);
    auto future = client.async<int>("Gate.Pass", 1);
    std::vector<std::thread> closers;
    for (int i = 0; i < 3; ++i) closers.emplace_back([&] { client.close(); });
    for (std::thread& closer : closers) closer.join();
    check_closed(future.try_get());
  }
}

TEST_CASE("close ends a dial, a wait for the next attempt and a wait for CONNECT") {
  test::RawListener silent;
  {
    geerpc::Client client("http@127.0.0.1:" + std::to_string(silent.port()));
    std::thread caller([&] { CHECK(client.try_call<int>("A.B").code() == StatusCode::cancelled); });
    auto future = client.async<int>("A.B");
    const test::RawSocket held = silent.accept();
    client.close();
    caller.join();
    CHECK(future.try_get().code() == StatusCode::cancelled);
  }
  const std::string address = silent.address();
  silent.close();
  geerpc::ClientOptions options;
  options.wait_for_ready = true;
  options.min_backoff = options.max_backoff = std::chrono::hours(1);
  geerpc::Client client(address, options);
  auto future = client.async<int>("A.B");
  std::thread caller([&] { check_closed(client.try_call<int>("A.B")); });
  CHECK_FALSE(future.wait_for(std::chrono::milliseconds(20)));
  client.close();
  caller.join();
  check_closed(future.try_get());
}

TEST_CASE("close ends calls that are being sent, or wait for room") {
  test::ScriptedServer server;
  geerpc::ClientOptions options;
  options.max_queued_bytes = 1000;
  geerpc::Client client(server.address(), options);
  const std::string much(16u << 20, 'x');
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back(
        [&] { CHECK(client.try_call<int>("A.B", much).code() == StatusCode::cancelled); });
  }
  test::Peer peer = server.accept();
  CHECK_FALSE(peer.socket.silent_for(test::kPatience));
  client.close();
  for (std::thread& caller : callers) caller.join();
}

TEST_CASE("a callback may close the client") {
  test::GateServer server;
  geerpc::Client client(server.address);
  auto held = client.async<int>("Gate.Pass", 1);
  std::promise<void> closed;
  client.async<int>("Math.Add", 1, 2).then([&](geerpc::Result<int> result) {
    CHECK(result.value() == 3);
    client.close();
    closed.set_value();
  });
  closed.get_future().get();
  check_closed(held.try_get());
}

TEST_CASE("a callback may destroy the client, with calls and callbacks outstanding") {
  test::GateServer server;
  auto client = std::make_unique<geerpc::Client>(server.address);
  auto held = client->async<int>("Gate.Pass", 1);
  std::promise<StatusCode> other;
  client->async<int>("Gate.Pass", 2).then([&](geerpc::Result<int> result) {
    other.set_value(result.code());
  });
  REQUIRE(server.gate->wait_for_waiting(2));
  std::promise<void> destroyed;
  auto trigger = client->async<int>("Math.Add", 1, 2);
  trigger.then([&](geerpc::Result<int>) {
    client.reset();
    destroyed.set_value();
  });
  destroyed.get_future().get();
  check_closed(held.try_get());
  CHECK(other.get_future().get() == StatusCode::cancelled);
}

TEST_CASE("callbacks have run when the destructor returns, and futures outlive the client") {
  test::GateServer server;
  std::atomic<int> ran{0};
  geerpc::Future<int> future;
  {
    geerpc::Client client(server.address);
    future = client.async<int>("Gate.Pass", 1);
    for (int i = 0; i < 10; ++i) {
      client.async<int>("Gate.Pass", i).then([&](geerpc::Result<int>) { ++ran; });
    }
  }
  CHECK(ran == 10);
  check_closed(future.try_get());
  CHECK(test::eventually([&] { return server.server.connections() == 0; }));
}

TEST_CASE("closing at any moment gives each call its result or the cancellation") {
  for (int round = 0; round < 30; ++round) {
    test::GateServer server;
    geerpc::Client client(server.address);
    std::vector<std::thread> callers;
    std::atomic<bool> closed{false};
    for (int t = 0; t < 3; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; !closed || i == 0; ++i) {
          const auto result = t == 0 ? client.async<int>("Math.Add", i, t).try_get()
                                     : client.try_call<int>("Math.Add", i, t);
          if (result.ok()) {
            CHECK(result.value() == i + t);
          } else {
            CHECK(result.code() == StatusCode::cancelled);
          }
        }
      });
    }
    if (round % 2 == 0) client.try_call<void>("Math.Add", 1, 1).value();
    client.close();
    closed = true;
    for (std::thread& caller : callers) caller.join();
  }
}
