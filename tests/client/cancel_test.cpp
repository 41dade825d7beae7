// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Cancellation, in every phase of a call.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <string>
#include <thread>
#include <vector>

#include "gate.hpp"
#include "scripted_server.hpp"

using namespace std::chrono_literals;

namespace {

using geerpc::CancelSource;
using geerpc::Context;
using geerpc::StatusCode;

// Makes the call in a thread, cancels it once `busy` says so, and checks that it ends at once.
template <class Call, class Busy>
geerpc::Error check_cancel(Call call, Busy busy) {
  CancelSource source;
  std::optional<geerpc::Error> error;
  std::thread caller([&] {
    const auto result = call(Context::with_cancel(source.token()));
    CHECK(result.code() == StatusCode::cancelled);
    if (!result.ok()) error = result.error();
  });
  busy();
  const auto start = test::Clock::now();
  source.cancel();
  caller.join();
  CHECK(test::Clock::now() - start < test::kPatience / 2);
  REQUIRE(error);
  return *error;
}

// True while the socket's peer has sent something that is not taken, i.e. it is at it.
void wait_until_sending(test::Peer& peer) { CHECK_FALSE(peer.socket.silent_for(test::kPatience)); }

}  // namespace

TEST_CASE("a waiting call can be cancelled, and its handler hears of it") {
  test::GateServer server;
  geerpc::Client client(server.address);
  const geerpc::Error error = check_cancel(
      [&](const Context& context) { return client.try_call<int>(context, "Gate.Pass", 1); },
      [&] { CHECK(server.gate->wait_for_arrived(1)); });
  CHECK(error.may_have_run());
  CHECK(error.cause() == "rpc client: call failed: context canceled");
  CHECK(server.gate->wait_for_cancelled(1));
  check_cancel(
      [&](const Context& context) { return client.async<int>(context, "Gate.Pass", 1).try_get(); },
      [&] { CHECK(server.gate->wait_for_arrived(2)); });
  CHECK(server.gate->wait_for_cancelled(2));
  CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  CHECK(server.server.connections() == 1);
}

TEST_CASE("a call can be cancelled while another caller reads") {
  test::GateServer server;
  geerpc::Client client(server.address);
  std::thread reader([&] { CHECK(client.call<int>("Gate.Pass", 7) == 7); });
  CHECK(server.gate->wait_for_arrived(1));
  check_cancel(
      [&](const Context& context) { return client.try_call<int>(context, "Gate.Pass", 1); },
      [&] { CHECK(server.gate->wait_for_arrived(2)); });
  server.gate->open();
  reader.join();
}

TEST_CASE("who waits for a future hears of its cancellation, though the server never answers") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::optional<test::Peer> peer;
  std::string arguments;
  SUBCASE("while it reads") { arguments = "x"; }
  SUBCASE("while it sends") { arguments.assign(32u << 20, 'x'); }
  check_cancel(
      [&](const Context& context) {
        return client.async<int>(context, "A.B", arguments).try_get();
      },
      [&] {
        peer.emplace(server.accept());
        wait_until_sending(*peer);
        // By the time that this one has given up, the other one has long been waiting.
        CHECK(client.try_call<int>(test::within(300ms), "C.D").code() ==
              StatusCode::deadline_exceeded);
      });
}

TEST_CASE("a future can be cancelled, before and after its result is there") {
  test::GateServer server;
  geerpc::Client client(server.address);
  auto future = client.async<int>("Gate.Pass", 1);
  REQUIRE(server.gate->wait_for_arrived(1));
  future.cancel();
  CHECK(future.try_get().code() == StatusCode::cancelled);
  CHECK(server.gate->wait_for_cancelled(1));
  auto ready = client.async<int>("Math.Add", 1, 2);
  REQUIRE(ready.wait_for(test::kPatience));
  ready.cancel();
  CHECK(ready.get() == 3);
  auto at_once = client.async<int>("Gate.Pass", 1);
  at_once.cancel();
  CHECK(at_once.try_get().code() == StatusCode::cancelled);
}

TEST_CASE("a call that is cancelled already is not sent") {
  test::GateServer server;
  geerpc::Client client(server.address);
  CancelSource source;
  source.cancel();
  const Context cancelled = Context::with_cancel(source.token());
  for (int round = 0; round < 2; ++round) {  // without a connection, and with one
    const auto result = client.try_call<int>(cancelled, "Gate.Pass", 1);
    CHECK(result.code() == StatusCode::cancelled);
    if (!result.ok()) CHECK_FALSE(result.error().may_have_run());
    const auto later = client.async<int>(cancelled, "Gate.Pass", 1).try_get();
    CHECK(later.code() == StatusCode::cancelled);
    if (!later.ok()) CHECK_FALSE(later.error().may_have_run());
    CHECK_THROWS_AS(client.notify(cancelled, "Gate.Pass", 1), geerpc::Error);
    CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  }
  CHECK(server.gate->arrived() == 0);
}

TEST_CASE("a call can be cancelled while it connects") {
  test::RawListener silent;
  const std::string address = "http@127.0.0.1:" + std::to_string(silent.port());
  {
    geerpc::Client client(address);
    std::optional<test::RawSocket> held;
    const geerpc::Error error =
        check_cancel([&](const Context& context) { return client.try_call<int>(context, "A.B"); },
                     [&] { held.emplace(silent.accept()); });
    CHECK_FALSE(error.may_have_run());
  }
  {
    geerpc::Client client(address);
    std::optional<test::RawSocket> held;
    const geerpc::Error error = check_cancel(
        [&](const Context& context) { return client.async<int>(context, "A.B").try_get(); },
        [&] { held.emplace(silent.accept()); });
    CHECK_FALSE(error.may_have_run());
  }
}

TEST_CASE("a call can be cancelled while another one connects for it") {
  test::RawListener silent;
  geerpc::Client client("http@127.0.0.1:" + std::to_string(silent.port()));
  std::thread dialler([&] { CHECK(client.try_call<int>("A.B").code() == StatusCode::cancelled); });
  const test::RawSocket held = silent.accept();
  check_cancel([&](const Context& context) { return client.try_call<int>(context, "C.D"); }, [] {});
  client.close();
  dialler.join();
}

TEST_CASE("a call can be cancelled while it waits for a server that is not there") {
  test::RawListener listener;
  const std::string address = listener.address();
  listener.close();
  geerpc::ClientOptions options;
  options.wait_for_ready = true;
  options.min_backoff = options.max_backoff = std::chrono::hours(1);
  geerpc::Client client(address, options);
  check_cancel([&](const Context& context) { return client.try_call<int>(context, "A.B"); }, [] {});
  check_cancel([&](const Context& context) { return client.async<int>(context, "A.B").try_get(); },
               [] {});
}

TEST_CASE("a call can be cancelled while it is sent") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  const std::string much(32u << 20, 'x');
  std::optional<test::Peer> peer;
  const geerpc::Error error = check_cancel(
      [&](const Context& context) { return client.try_call<int>(context, "A.B", much); },
      [&] {
        peer.emplace(server.accept());
        wait_until_sending(*peer);
      });
  CHECK(error.may_have_run());
  // What was begun is sent to its end, for the sake of those behind it.
  auto next = client.async<int>("C.D");
  CHECK(peer->read_request().rest.size() > much.size());
  peer->reply(peer->read_request().seq, 2);
  CHECK(next.get() == 2);
}

TEST_CASE("what a cancelled call has begun to send is sent to its end, though nobody else calls") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  const std::string much(32u << 20, 'x');
  std::optional<test::Peer> peer;
  check_cancel([&](const Context& context) { return client.try_call<int>(context, "A.B", much); },
               [&] {
                 peer.emplace(server.accept());
                 wait_until_sending(*peer);
               });
  CHECK(peer->read_request().rest.size() > much.size());
}

TEST_CASE("a call can be cancelled while it waits for room in the queue") {
  test::ScriptedServer server;
  geerpc::ClientOptions options;
  options.max_queued_bytes = 1000;
  geerpc::Client client(server.address(), options);
  const std::string much(16u << 20, 'x');
  std::vector<std::thread> senders;
  for (int i = 0; i < 2; ++i) {  // one that is being sent, one that is queued
    senders.emplace_back(
        [&] { CHECK(client.try_call<int>("A.B", much).code() == StatusCode::cancelled); });
  }
  test::Peer peer = server.accept();
  wait_until_sending(peer);
  check_cancel([&](const Context& context) { return client.try_call<int>(context, "C.D", much); },
               [] {});
  client.close();
  for (std::thread& sender : senders) sender.join();
}

TEST_CASE("a notification can be cancelled while it is sent, or waits for room") {
  test::ScriptedServer server;
  geerpc::ClientOptions options;
  options.max_queued_bytes = 1000;
  geerpc::Client client(server.address(), options);
  const std::string much(16u << 20, 'x');
  const auto notify = [&](const Context& context) -> geerpc::Result<void> {
    try {
      client.notify(context, "A.B", much);
      return {};
    } catch (const geerpc::Error& error) {
      return error;
    }
  };
  CancelSource source;
  std::thread sender([&] {
    CHECK(notify(Context::with_cancel(source.token())).ok());  // what was begun is sent by others
  });
  test::Peer peer = server.accept();
  wait_until_sending(peer);
  const auto start = test::Clock::now();
  source.cancel();
  sender.join();
  CHECK(test::Clock::now() - start < test::kPatience / 2);
  auto queued = client.async<int>("A.B", much);  // behind what is being sent
  const geerpc::Error error = check_cancel(notify, [&] {
    // By the time that this one has given up, the other one has long been waiting.
    CHECK(client.try_call<int>(test::within(100ms), "C.D").code() == StatusCode::deadline_exceeded);
  });
  CHECK_FALSE(error.may_have_run());
}

TEST_CASE("one source cancels many calls, and only those that carry its token") {
  test::GateServer server;
  geerpc::Client client(server.address);
  CancelSource source;
  const Context context = Context::with_cancel(source.token());
  std::vector<geerpc::Future<int>> cancelled;
  for (int i = 0; i < 20; ++i) cancelled.push_back(client.async<int>(context, "Gate.Pass", i));
  auto other = client.async<int>("Gate.Pass", 7);
  REQUIRE(server.gate->wait_for_arrived(21));
  source.cancel();
  for (auto& future : cancelled) CHECK(future.try_get().code() == StatusCode::cancelled);
  CHECK(server.gate->wait_for_cancelled(20));
  CHECK_FALSE(other.ready());
  server.gate->open();
  CHECK(other.get() == 7);
}

TEST_CASE("cancelling at any moment gives the result or the cancellation, never anything else") {
  test::GateServer server;
  geerpc::Client client(server.address);
  int results = 0;
  for (int i = 0; i < 300; ++i) {
    CancelSource source;
    std::thread canceller([&] { source.cancel(); });
    const auto result =
        i % 2 == 0
            ? client.try_call<int>(Context::with_cancel(source.token()), "Math.Add", i, 1)
            : client.async<int>(Context::with_cancel(source.token()), "Math.Add", i, 1).try_get();
    canceller.join();
    if (result.ok()) {
      ++results;
      CHECK(result.value() == i + 1);
    } else {
      CHECK(result.code() == StatusCode::cancelled);
    }
  }
  MESSAGE(results << " of 300 calls were faster than their cancellation");
  CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  CHECK(server.server.connections() == 1);
}
