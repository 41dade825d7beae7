// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The connection breaks: what becomes of the calls in flight, and of the next one.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "../support/own_host.hpp"
#include "gate.hpp"
#include "scripted_server.hpp"

namespace {

using geerpc::StatusCode;

void check_lost(const geerpc::Result<int>& result, bool may_have_run) {
  REQUIRE_FALSE(result.ok());
  CHECK(result.code() == StatusCode::unavailable);
  CHECK(result.error().may_have_run() == may_have_run);
}

}  // namespace

TEST_CASE("all calls in flight fail at once when the server closes, and may have run") {
  for (const bool hard : {false, true}) {
    test::ScriptedServer server;
    geerpc::Client client(server.address());
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] { check_lost(client.try_call<int>("A.B"), true); });
    }
    auto future = client.async<int>("A.B");
    test::Peer peer = server.accept();
    for (int i = 0; i < 4; ++i) peer.read_request();
    hard ? peer.socket.reset() : peer.socket.close();
    for (std::thread& caller : callers) caller.join();
    check_lost(future.try_get(), true);
  }
}

TEST_CASE("a goaway says which requests were read, and the others certainly did not run") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::vector<geerpc::Future<int>> futures;
  for (int i = 0; i < 4; ++i) futures.push_back(client.async<int>("A.B"));
  test::Peer peer = server.accept();
  for (int i = 0; i < 4; ++i) peer.read_request();
  peer.socket.send_all(test::goaway_frame(2));
  check_lost(futures[0].try_get(), true);
  check_lost(futures[1].try_get(), true);
  check_lost(futures[2].try_get(), false);
  check_lost(futures[3].try_get(), false);
}

TEST_CASE("a synchronous call that a goaway left unread is made again on a new connection") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::thread caller([&] { CHECK(client.call<int>("A.B") == 5); });
  test::Peer first = server.accept();
  first.read_request();
  first.socket.send_all(test::goaway_frame(0));
  test::Peer second = server.accept();
  second.reply(second.read_request().seq, 5);
  caller.join();
}

TEST_CASE("replies that came before a goaway still count") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  auto first = client.async<int>("A.B");
  auto second = client.async<int>("A.B");
  test::Peer peer = server.accept();
  const unsigned seq = peer.read_request().seq;
  peer.read_request();
  peer.socket.send_all(test::reply_frame(seq, 1) + test::goaway_frame(2));
  peer.socket.close();
  CHECK(first.get() == 1);
  check_lost(second.try_get(), true);
}

TEST_CASE("a refused option is the error of all calls, which never ran") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  auto first = client.async<int>("A.B");
  test::Peer peer = server.accept();
  peer.socket.send_all(test::error_frame(0, StatusCode::unimplemented, "no such codec", false));
  peer.socket.half_close();
  const auto result = first.try_get();
  CHECK(result.code() == StatusCode::unimplemented);
  CHECK(result.error().cause() == "no such codec");
  CHECK_FALSE(result.error().may_have_run());
}

TEST_CASE("a real server refuses a codec that it does not know, in words") {
  struct Unknown final : geerpc::Codec {
    std::string_view content_type() const override { return "application/unknown"; }
    void encode(const nlohmann::json& value, geerpc::Buffer& out) const override {
      out.append(value.dump());
    }
    nlohmann::json decode(std::string_view in, const geerpc::DecodeLimits&) const override {
      return nlohmann::json::parse(in);
    }
  } codec;
  test::GateServer server;
  geerpc::ClientOptions options;
  options.codec = &codec;
  geerpc::Client client(server.address, options);
  const auto result = client.try_call<int>("Math.Add", 1, 2);
  CHECK(result.code() == StatusCode::unimplemented);
  CHECK(result.error().cause() == "rpc server: invalid codec type application/unknown");
  CHECK_FALSE(result.error().may_have_run());
}

TEST_CASE("a connection that was closed while idle is replaced by the next call") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::thread caller([&] { CHECK(client.call<int>("A.B") == 1); });
  test::Peer first = server.accept();
  first.reply(first.read_request().seq, 1);
  caller.join();
  first.socket.send_all(test::goaway_frame(1));
  first.socket.close();
  auto next = std::thread([&] { CHECK(client.call<int>("A.B") == 2); });
  test::Peer second = server.accept();
  second.reply(second.read_request().seq, 2);
  next.join();
}

TEST_CASE("a server that is not there fails the call with its address and the reason") {
  test::RawListener listener(test::own_address());
  const std::string address = listener.address();
  listener.close();
  geerpc::Client client(address);
  for (const auto& result : {client.try_call<int>("A.B"), client.async<int>("A.B").try_get()}) {
    check_lost(result, false);
    const std::string what = result.error().what();
    CHECK(what.rfind("call A.B on " + address + ": ", 0) == 0);
    CHECK(what.find("connection refused") != std::string::npos);
  }
  CHECK_THROWS_AS(client.notify("A.B"), geerpc::Error);
}

TEST_CASE("attempts to connect are as rare as the backoff says, whoever asks") {
  test::RawListener listener;  // accepts, and breaks every CONNECT
  std::atomic<int> attempts{0};
  std::thread breaker([&] {
    try {
      for (;;) {
        test::RawSocket socket = listener.accept(std::chrono::milliseconds(200) * test::kSlowdown);
        ++attempts;
        socket.recv_until("\r\n\r\n");
        socket.send_all("HTTP/1.0 503 Busy\r\n\r\n");
      }
    } catch (const std::runtime_error&) {
    }
  });
  geerpc::ClientOptions options;
  options.wait_for_ready = true;
  options.min_backoff = std::chrono::milliseconds(40);
  options.max_backoff = std::chrono::milliseconds(80);
  geerpc::Client client("http@127.0.0.1:" + std::to_string(listener.port()), options);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      const auto result = client.try_call<int>(test::within(std::chrono::milliseconds(400)), "A.B");
      CHECK(result.code() == StatusCode::deadline_exceeded);
      CHECK_FALSE(result.error().may_have_run());
    });
  }
  for (std::thread& caller : callers) caller.join();
  breaker.join();
  CHECK(attempts >= 2);
  // The shortest pauses are 20, then 40 ms.
  CHECK(attempts <= 2 + 400 / 40);
}

TEST_CASE("a client that waits for the server may be started first") {
  std::string address;
  {
    test::RawListener reserved;
    address = reserved.address();
  }
  geerpc::ClientOptions options;
  options.wait_for_ready = true;
  geerpc::Client client(address, options);
  auto future = client.async<int>("Math.Add", 1, 2);
  std::thread caller([&] { CHECK(client.call<int>("Math.Add", 3, 4) == 7); });
  CHECK_FALSE(future.wait_for(std::chrono::milliseconds(30)));
  test::GateServer server(address.c_str());
  caller.join();
  CHECK(future.get() == 3);
}

TEST_CASE("calls go on when the server was restarted on the same port") {
  auto server = std::make_unique<test::GateServer>();
  const std::string address = server->address.str();
  geerpc::ClientOptions options;
  options.wait_for_ready = true;
  geerpc::Client client(address, options);
  for (int round = 0; round < 5; ++round) {
    CHECK(client.call<int>("Math.Add", round, 1) == round + 1);
    CHECK(client.async<int>("Math.Add", round, 2).get() == round + 2);
    auto held = client.async<int>("Gate.Pass", 1);
    REQUIRE(server->gate->wait_for_waiting(1));
    std::thread stopper([&] { server->server.stop(std::chrono::milliseconds(20)); });
    const auto result = held.try_get();  // the handler was told to stop
    if (!result.ok()) CHECK(result.error().may_have_run());
    stopper.join();
    server.reset();
    server = std::make_unique<test::GateServer>(address.c_str());
  }
}

TEST_CASE("a connection error while sending fails the call and keeps the server's last words") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  const std::string much(32u << 20, 'x');
  std::thread caller([&] {
    const auto result = client.try_call<int>("A.B", much);
    REQUIRE_FALSE(result.ok());
    CHECK(result.code() == StatusCode::unavailable);
  });
  test::Peer peer = server.accept();
  peer.socket.recv_exact(1000);
  peer.socket.reset();
  caller.join();
}

TEST_CASE("those who wait for room hear of it when the connection is lost") {
  test::ScriptedServer server;
  geerpc::ClientOptions options;
  options.max_queued_bytes = 1000;
  geerpc::Client client(server.address(), options);
  const std::string much(16u << 20, 'x');
  // Gives up in the middle, so that nobody is sending.
  CHECK(client.try_call<int>(test::within(std::chrono::milliseconds(30)), "A.B", much).code() ==
        StatusCode::deadline_exceeded);
  test::Peer peer = server.accept();
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back(
        [&] { CHECK(client.try_call<int>("A.B", much).code() == StatusCode::unavailable); });
  }
  const auto start = test::Clock::now();
  peer.socket.reset();
  server.close();
  for (std::thread& caller : callers) caller.join();
  CHECK(test::Clock::now() - start < test::kPatience);
}

TEST_CASE("a server that closes at any point of the conversation costs one call, not the client") {
  using Talk = std::function<void(test::Peer&)>;
  const std::vector<Talk> closes_after{
      [](test::Peer&) {},                                    // the connection
      [](test::Peer& peer) { peer.socket.recv_exact(10); },  // half the option
      [](test::Peer& peer) { peer.read_option(); },          // the option
      [](test::Peer& peer) {                                 // half a request
        peer.read_option();
        peer.socket.recv_exact(6);
      },
      [](test::Peer& peer) {  // half a reply
        peer.read_option();
        const unsigned seq = peer.read_request().seq;
        peer.socket.send_all(test::reply_frame(seq, 1).substr(0, 6));
      },
      [](test::Peer& peer) {  // the reply
        peer.read_option();
        peer.reply(peer.read_request().seq, 1);
      }};
  for (std::size_t state = 0; state < closes_after.size(); ++state) {
    for (const bool hard : {false, true}) {
      CAPTURE(state);
      CAPTURE(hard);
      test::ScriptedServer server;
      geerpc::Client client(server.address());
      auto future = client.async<int>("A.B");
      const bool answered = state + 1 == closes_after.size();
      {
        test::Peer peer = server.accept_silently();
        closes_after[state](peer);
        if (answered) REQUIRE(future.wait_for(test::kPatience));
        if (hard) peer.socket.reset();
      }
      std::thread serves_the_next([&] {
        test::Peer peer = server.accept();
        try {
          for (;;) peer.reply(peer.read_request().seq, 2);
        } catch (const std::exception&) {  // the client was closed
        }
      });
      const auto result = future.try_get();
      // A call that was not sent yet may have been, on the next connection.
      const bool may_be_repeated = state < 3;
      if (answered || (may_be_repeated && result.ok())) {
        CHECK(result.code() == StatusCode::ok);
      } else {
        CHECK(result.code() == StatusCode::unavailable);
      }
      CHECK(test::eventually([&] { return client.try_call<int>("A.B").ok(); }));
      client.close();
      serves_the_next.join();
    }
  }
}
