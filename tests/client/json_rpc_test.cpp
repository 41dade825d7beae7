// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The client in JSON-RPC, against our server and against one that speaks it in literal bytes.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "../support/raw_socket.hpp"
#include "gate.hpp"

using namespace std::chrono_literals;
using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Context;
using geerpc::Error;
using geerpc::Protocol;
using geerpc::StatusCode;
using test::GateServer;

namespace {

struct Pair {
  int a = 0, b = 0;
};
GEERPC_FIELDS(Pair, a, b)

struct Summer {
  int Sum(const Pair& pair) { return pair.a + pair.b; }
};
GEERPC_SERVICE(Summer, Sum)

ClientOptions speaking(Protocol protocol) {
  ClientOptions options;
  options.protocol = protocol;
  return options;
}

template <class F>
void with_both(F test) {
  for (const Protocol protocol : {Protocol::json_rpc_1, Protocol::json_rpc_2}) {
    CAPTURE(protocol.name());
    test(speaking(protocol));
  }
}

template <class F>
Error error_of(F call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return {StatusCode::ok, ""};
}

}  // namespace

TEST_SUITE("JSON-RPC client") {
  TEST_CASE("every form of call works") {
    GateServer serving;
    serving.server.add(Summer{});
    std::atomic<int> heard{0};
    serving.server.add("Echo.Text", [](std::string text) { return text; });
    serving.server.add("Math.Nothing", [] {});
    serving.server.add("Say.This", [&](int n) { heard += n; });
    with_both([&](const ClientOptions& options) {
      Client client(serving.address, options);
      CHECK(client.call<int>("Summer.Sum", Pair{3, 4}) == 7);
      CHECK(client.call<&Summer::Sum>({3, 4}) == 7);
      CHECK(client.call<int>("Math.Add", 3, 4) == 7);
      CHECK_NOTHROW(client.call<void>("Math.Nothing"));
      CHECK(client.call<std::string>("Echo.Text", "h\xc3\xa9\n") == "h\xc3\xa9\n");
      const std::string large(300000, 'x');
      CHECK(client.call<std::string>("Echo.Text", large) == large);
      std::vector<geerpc::Future<int>> futures;
      for (int i = 0; i < 500; ++i) futures.push_back(client.async<int>("Math.Add", i, 1));
      for (int i = 0; i < 500; ++i) CHECK(futures[static_cast<std::size_t>(i)].get() == i + 1);
      heard = 0;
      client.notify("Say.This", 5);
      CHECK(client.call<int>("Math.Add", 1, 1) == 2);
      CHECK(test::eventually([&] { return heard == 5; }));
    });
  }

  TEST_CASE("a slow call does not hold up the others of its connection") {
    with_both([&](const ClientOptions& options) {
      GateServer serving;
      serving.server.add(Summer{});
      Client client(serving.address, options);
      std::vector<geerpc::Future<int>> slow;
      for (int i = 0; i < 5; ++i) slow.push_back(client.async<int>("Gate.Pass", i));
      CHECK(serving.gate->wait_for_arrived(5));
      CHECK(client.call<int>("Summer.Sum", Pair{3, 4}) == 7);
      serving.gate->open();
      for (int i = 0; i < 5; ++i) CHECK(slow[static_cast<std::size_t>(i)].get() == i);
    });
  }

  TEST_CASE("errors arrive with their texts, and in 2.0 with their codes") {
    GateServer serving;
    serving.server.add(Summer{});
    serving.server.add("Fail.Now", []() -> int { throw std::runtime_error("100% sure"); });
    serving.server.add("Fail.Code",
                       []() -> int { throw Error(StatusCode::permission_denied, "no"); });
    with_both([&](const ClientOptions& options) {
      const bool two = options.protocol == Protocol::json_rpc_2;
      Client client(serving.address, options);
      const Error failed = error_of([&] { client.call<int>("Fail.Now"); });
      CHECK(failed.cause() == "100% sure");
      CHECK(failed.code() == StatusCode::unknown);
      CHECK(failed.may_have_run());
      CHECK(error_of([&] { client.call<int>("Fail.Code"); }).code() ==
            (two ? StatusCode::permission_denied : StatusCode::unknown));
      const Error missing = error_of([&] { client.call<int>("Summer.Nope"); });
      CHECK(missing.cause() == "rpc: can't find method Summer.Nope");
      CHECK(missing.code() == StatusCode::unimplemented);
      CHECK(missing.may_have_run() == !two);
      const Error mismatch = error_of([&] { client.call<int>("Summer.Sum", "text"); });
      CHECK(mismatch.cause() == "expected an object, found a string at byte 0");
      CHECK(mismatch.code() == (two ? StatusCode::invalid_argument : StatusCode::unknown));
      const Error wrong = error_of([&] { client.call<std::string>("Summer.Sum", Pair{}); });
      CHECK(wrong.code() == StatusCode::internal);
      CHECK(client.call<int>("Summer.Sum", Pair{3, 4}) == 7);
    });
  }

  TEST_CASE("deadlines are kept although the server never hears of them") {
    GateServer serving;
    serving.server.add(Summer{});
    with_both([&](const ClientOptions& options) {
      Client client(serving.address, options);
      const Error late = error_of(
          [&] { client.call<int>(Context::with_timeout(50ms * test::kSlowdown), "Gate.Pass", 1); });
      CHECK(late.code() == StatusCode::deadline_exceeded);
      CHECK(client.call<int>("Summer.Sum", Pair{3, 4}) == 7);
    });
  }

  TEST_CASE("it goes through HTTP CONNECT and through an XClient, too") {
    GateServer serving;
    serving.server.add(Summer{});
    with_both([&](const ClientOptions& options) {
      Client client(geerpc::Address("http@127.0.0.1:0").with_port(serving.address.port()), options);
      CHECK(client.call<int>("Summer.Sum", Pair{3, 4}) == 7);
      geerpc::XClientOptions xoptions;
      xoptions.client = options;
      geerpc::XClient cluster(geerpc::StaticDiscovery({serving.address}),
                              geerpc::SelectMode::random, xoptions);
      CHECK(cluster.call<int>("Summer.Sum", Pair{3, 4}) == 7);
    });
  }

  TEST_CASE("a server that says it can't read us fails the calls with its words") {
    test::RawListener listener;
    std::thread server([&] {
      test::RawSocket peer = listener.accept();
      peer.recv_until("\n");
      peer.send_all(
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"what?\"}}\n");
      peer.wait_closed();
    });
    Client client(listener.address(), speaking(Protocol::json_rpc_2));
    const Error error = error_of([&] { client.call<int>("Summer.Sum", Pair{}); });
    CHECK(error.code() == StatusCode::invalid_argument);
    CHECK(error.cause() == "what?");
    client.close();
    server.join();
  }

  TEST_CASE("answers to nobody and requests of the server are ignored, nonsense ends it") {
    test::RawListener listener;
    std::thread server([&] {
      test::RawSocket peer = listener.accept();
      peer.recv_until("\n");
      peer.send_all(
          "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":1}\n"
          "{\"jsonrpc\":\"2.0\",\"id\":\"0\",\"result\":1}\n"
          "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":0,\"result\":1}"
          "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\n"
          " {\"jsonrpc\":\"2.0\",\"id\":0,\"result\":7}");
      peer.recv_until("\n");
      peer.send_all("{\"jsonrpc\":\"2.0\",\"id\":1}\n");
      peer.recv_until("\n");
      peer.send_all("{\"jsonrpc\":]");
      peer.wait_closed();
    });
    Client client(listener.address(), speaking(Protocol::json_rpc_2));
    CHECK(client.call<int>("Summer.Sum", Pair{}) == 7);
    const Error empty = error_of([&] { client.call<void>("Summer.Sum", Pair{}); });
    CHECK(empty.code() == StatusCode::data_loss);
    CHECK(empty.cause() == "the reply has neither a result nor an error");
    CHECK(error_of([&] { client.call<int>("Summer.Sum", Pair{}); }).code() ==
          StatusCode::data_loss);
    client.close();
    server.join();
  }
}
