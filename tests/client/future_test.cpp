// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Future: waiting, callbacks, and what becomes of them.

#include <pthread.h>

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gate.hpp"
#include "scripted_server.hpp"

namespace {

// While it lives no thread can be started: there is no room for such a stack.
class NoThreads {
 public:
  NoThreads() {
    REQUIRE(::pthread_getattr_default_np(&before_) == 0);
    pthread_attr_t huge;
    ::pthread_attr_init(&huge);
    ::pthread_attr_setstacksize(&huge, std::size_t{1} << 52);
    REQUIRE(::pthread_setattr_default_np(&huge) == 0);
    ::pthread_attr_destroy(&huge);
    CHECK_THROWS(std::thread([] {}).join());
  }
  ~NoThreads() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

// A client that has a connection and its background thread, but no thread for callbacks.
struct Connected {
  test::ScriptedServer server;
  geerpc::Client client;
  std::optional<test::Peer> peer;

  Connected() : client(server.address(), options()) {
    auto future = client.async<int>("A.B");
    peer.emplace(server.accept());
    answer(1);
    CHECK(future.get() == 1);
  }
  static geerpc::ClientOptions options() {
    geerpc::ClientOptions options;
    options.call_timeout = test::kPatience / 4;
    return options;
  }
  void answer(unsigned result) { peer->reply(peer->read_request().seq, result); }
  // Calls twice; by then all earlier replies have been read and their callbacks posted.
  void call_twice() {
    for (unsigned result : {10u, 11u}) {
      auto future = client.async<unsigned>("A.B");
      answer(result);
      CHECK(future.get() == result);
    }
  }
};

}  // namespace

TEST_CASE("a future becomes ready when its reply comes, without anybody waiting") {
  test::GateServer server;
  geerpc::Client client(server.address);
  auto future = client.async<int>("Gate.Pass", 5);
  REQUIRE(server.gate->wait_for_waiting(1));
  CHECK(future.valid());
  CHECK_FALSE(future.ready());
  CHECK_FALSE(future.wait_for(std::chrono::milliseconds(5)));
  server.gate->open();
  CHECK(test::eventually([&] { return future.ready(); }));
  CHECK(future.wait_for(std::chrono::seconds(0)));
  CHECK(future.get() == 5);
  CHECK_FALSE(future.valid());
}

TEST_CASE("futures of one client become ready in any order") {
  test::GateServer server;
  geerpc::Client client(server.address);
  auto slow = client.async<int>("Gate.Pass", 1);
  auto quick = client.async<int>("Math.Add", 1, 2);
  CHECK(quick.get() == 3);
  CHECK_FALSE(slow.ready());
  server.gate->open();
  CHECK(slow.try_get().value() == 1);
}

TEST_CASE("a future's error is thrown by get and returned by try_get") {
  test::GateServer server;
  geerpc::Client client(server.address);
  CHECK_THROWS_AS(client.async<int>("Nope.Nope").get(), geerpc::Error);
  CHECK(client.async<int>("Nope.Nope").try_get().code() == geerpc::StatusCode::not_found);
  const auto result = client.async<int>("Nope.Nope").try_get();
  CHECK(std::string(result.error().what()) ==
        "call Nope.Nope on " + server.address.str() + ": rpc server: can't find service Nope");
}

TEST_CASE("callbacks get results and errors, also those that are there already") {
  test::GateServer server;
  geerpc::Client client(server.address);
  std::promise<int> value;
  client.async<int>("Math.Add", 1, 2).then([&](geerpc::Result<int> result) {
    value.set_value(result.value());
  });
  CHECK(value.get_future().get() == 3);

  std::promise<geerpc::StatusCode> code;
  client.async<int>("Nope.Nope").then([&](geerpc::Result<int> result) {
    code.set_value(result.code());
  });
  CHECK(code.get_future().get() == geerpc::StatusCode::not_found);

  auto ready = client.async<int>("Math.Add", 2, 3);
  REQUIRE(ready.wait_for(test::kPatience));
  std::promise<int> again;
  auto only_movable = std::make_unique<int>(10);
  ready.then([&again, extra = std::move(only_movable)](geerpc::Result<int> result) {
    again.set_value(result.value() + *extra);
  });
  CHECK_FALSE(ready.valid());
  CHECK(again.get_future().get() == 15);
}

TEST_CASE("a callback may call, synchronously and asynchronously") {
  test::GateServer server;
  geerpc::Client client(server.address);
  std::promise<int> done;
  client.async<int>("Math.Add", 1, 2).then([&](geerpc::Result<int> first) {
    const int second = client.call<int>("Math.Add", first.value(), 10);
    client.async<int>("Math.Add", second, 100).then([&](geerpc::Result<int> third) {
      done.set_value(third.value());
    });
  });
  CHECK(done.get_future().get() == 113);
}

TEST_CASE("callbacks wait until there can be a thread for them, and calls go on meanwhile") {
  Connected it;
  std::promise<geerpc::Result<int>> result;
  {
    const NoThreads none;
    it.client.async<int>("A.B").then(
        [&](geerpc::Result<int>) { result.set_value(it.client.try_call<int>("C.D")); });
    it.answer(2);
    it.call_twice();
  }
  it.answer(3);
  CHECK(result.get_future().get().value() == 3);
}

TEST_CASE("callbacks that no thread can be had for run when the client is closed") {
  Connected it;
  const NoThreads none;
  bool ran = false;
  it.client.async<int>("A.B").then([&](geerpc::Result<int> result) {
    ran = true;
    CHECK(result.value() == 2);
    it.client.close();
  });
  it.answer(2);
  it.call_twice();
  CHECK_FALSE(ran);
  it.client.close();
  CHECK(ran);
}

TEST_CASE("a thousand calls in flight on one connection all get their own results") {
  test::GateServer server;
  geerpc::Client client(server.address);
  std::vector<geerpc::Future<int>> futures;
  for (int i = 0; i < 1000; ++i) futures.push_back(client.async<int>("Math.Add", i, 1));
  for (int i = 0; i < 1000; ++i) CHECK(futures[static_cast<std::size_t>(i)].get() == i + 1);
  CHECK(server.server.connections() == 1);
}

TEST_CASE("a synchronous caller reads the replies of asynchronous calls as well") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  auto future = client.async<int>("A.B");
  test::Peer peer = server.accept();
  const unsigned async_seq = peer.read_request().seq;
  std::thread caller([&] { CHECK(client.call<int>("C.D") == 2); });
  const unsigned sync_seq = peer.read_request().seq;
  peer.reply(async_seq, 1);
  CHECK(future.get() == 1);
  peer.reply(sync_seq, 2);
  caller.join();
}

TEST_CASE("a future that was let go leaves its call running and harms nobody") {
  test::GateServer server;
  geerpc::Client client(server.address);
  { auto dropped = client.async<int>("Gate.Pass", 1); }
  REQUIRE(server.gate->wait_for_waiting(1));
  server.gate->open();
  CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  CHECK(test::eventually([&] { return server.server.calls_in_flight() == 0; }));
}

TEST_CASE("asynchronous calls are encoded and do not connect in the caller's thread") {
  test::RawListener silent;
  geerpc::Client client("http@127.0.0.1:" + std::to_string(silent.port()));
  std::string argument = "text";
  const auto start = test::Clock::now();
  auto future = client.async<int>(test::within(std::chrono::milliseconds(100)), "A.B", argument);
  CHECK(test::Clock::now() - start < test::kPatience / 2);
  argument.clear();
  const auto result = future.try_get();
  CHECK(result.code() == geerpc::StatusCode::deadline_exceeded);
  CHECK_FALSE(result.error().may_have_run());
}

TEST_CASE("asynchronous calls come back at once though the peer does not read") {
  test::ScriptedServer server;
  geerpc::ClientOptions options;
  options.max_queued_bytes = 1000;
  geerpc::Client client(server.address(), options);
  auto first = client.async<int>("A.B", std::string(16u << 20, 'x'));  // connects
  test::Peer peer = server.accept();
  const auto start = test::Clock::now();
  std::vector<geerpc::Future<int>> futures;
  for (int i = 0; i < 10; ++i) {
    futures.push_back(client.async<int>("A.B", std::string(1u << 20, 'x')));
  }
  auto hasty = client.async<int>(test::within(std::chrono::milliseconds(30)), "A.B");
  futures.back().cancel();
  CHECK(test::Clock::now() - start < test::kPatience / 2);
  CHECK(futures.back().try_get().code() == geerpc::StatusCode::cancelled);
  CHECK(hasty.try_get().code() == geerpc::StatusCode::deadline_exceeded);
  futures.pop_back();
  // Once the peer reads, all goes on.
  for (std::size_t i = 0; i < futures.size() + 1; ++i) peer.reply(peer.read_request().seq, 2);
  CHECK(first.get() == 2);
  for (auto& future : futures) CHECK(future.get() == 2);
}

TEST_CASE("asynchronous calls of one thread leave in their order, also while the client connects") {
  for (int round = 0; round < 400; ++round) {
    test::ScriptedServer server;
    geerpc::Client client(server.address());
    auto first = client.async<int>("A.B", 1);  // connects
    // The second one comes before, while and after the first one leaves.
    const auto then = test::Clock::now() + std::chrono::microseconds(round);
    while (test::Clock::now() < then) {
    }
    auto second = client.async<int>("A.B", 2);
    test::Peer peer = server.accept();
    for (const char argument : {'\x01', '\x02'}) {
      const test::Frame request = peer.read_request();
      CHECK(request.rest.back() == argument);
      peer.reply(request.seq, static_cast<unsigned>(argument));
    }
    CHECK(first.get() == 1);
    CHECK(second.get() == 2);
  }
}
