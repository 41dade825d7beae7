// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Deadlines: one for the whole call, whatever it is busy with, and nothing is left behind.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <filesystem>
#include <future>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gate.hpp"
#include "scripted_server.hpp"

namespace {

using geerpc::StatusCode;
using std::chrono::milliseconds;

constexpr milliseconds kShort{60};

// Checks that `call(context)` ends with its deadline, neither early nor much later.
template <class Call>
geerpc::Error check_deadline(Call call) {
  const auto start = test::Clock::now();
  const auto result = call(test::within(kShort));
  const auto took = test::Clock::now() - start;
  REQUIRE_FALSE(result.ok());
  CHECK(result.code() == StatusCode::deadline_exceeded);
  CHECK(took >= kShort - milliseconds(1));
  CHECK(took < test::kPatience / 2);
  return result.error();
}

}  // namespace

TEST_CASE("a deadline ends the wait for a reply, and the late reply harms nobody") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::thread caller([&] {
    const geerpc::Error error =
        check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B"); });
    CHECK(error.may_have_run());
    CHECK(std::string(error.what()) == "call A.B on " + server.address() +
                                           ": rpc client: call failed: context deadline exceeded");
  });
  test::Peer peer = server.accept();
  const unsigned late = peer.read_request().seq;
  caller.join();
  const test::Frame cancel = peer.read_frame();
  CHECK(cancel.kind == test::Frame::cancel);
  CHECK(cancel.seq == late);
  peer.reply(late, 1);
  auto next = client.async<int>("A.B");
  const unsigned seq = peer.read_request().seq;
  CHECK(seq != late);
  peer.reply(late, 1);  // once more
  peer.reply(seq, 2);
  CHECK(next.get() == 2);
}

TEST_CASE("the deadline of an asynchronous call is kept though nobody waits") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  const auto start = test::Clock::now();
  auto future = client.async<int>(test::within(kShort), "A.B");
  auto patient = client.async<int>("A.B");
  test::Peer peer = server.accept();
  const unsigned late = peer.read_request().seq;
  const unsigned in_time = peer.read_request().seq;
  CHECK(test::eventually([&] { return future.ready(); }));
  CHECK(test::Clock::now() - start >= kShort - milliseconds(1));
  CHECK(future.try_get().code() == StatusCode::deadline_exceeded);
  CHECK(peer.read_frame().kind == test::Frame::cancel);
  peer.reply(late, 1);
  peer.reply(in_time, 2);
  CHECK(patient.get() == 2);
}

TEST_CASE("a deadline is kept by a caller that waits while another one reads") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::thread reader([&] { CHECK(client.call<int>("A.B") == 1); });
  test::Peer peer = server.accept();
  const unsigned seq = peer.read_request().seq;
  check_deadline([&](const auto& context) { return client.try_call<int>(context, "C.D"); });
  peer.reply(seq, 1);
  reader.join();
}

TEST_CASE("a reader whose deadline passes leaves its role to others") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::thread impatient([&] {
    check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B"); });
  });
  test::Peer peer = server.accept();
  peer.read_request();
  std::thread patient([&] { CHECK(client.call<int>("C.D") == 2); });
  auto future = client.async<int>("E.F");
  const test::Frame first = peer.read_request();
  const test::Frame second = peer.read_request();
  impatient.join();
  peer.reply(first.seq, 2);
  peer.reply(second.seq, 2);
  patient.join();
  CHECK(future.get() == 2);
}

TEST_CASE("a deadline holds while half a reply is there, and the other half still fits") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  test::RawSocket* socket = nullptr;
  std::thread caller([&] {
    check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B"); });
  });
  test::Peer peer = server.accept();
  socket = &peer.socket;
  const std::string reply = test::reply_frame(peer.read_request().seq, 1);
  socket->send_all(reply.substr(0, 5));
  caller.join();
  auto next = client.async<int>("A.B");
  socket->send_all(reply.substr(5));
  peer.reply(peer.read_request().seq, 2);
  CHECK(next.get() == 2);
}

TEST_CASE("a deadline holds though the server never stops sending") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  std::atomic<bool> done{false};
  std::thread flood([&] {
    test::Peer peer = server.accept();
    std::string junk;
    for (int i = 0; i < 1000; ++i) junk += test::reply_frame(100, 1);
    while (!done && peer.socket.try_send_all(junk)) {
    }
  });
  check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B"); });
  check_deadline([&](const auto& context) { return client.async<int>(context, "A.B").try_get(); });
  done = true;
  client.close();
  flood.join();
}

TEST_CASE("a deadline covers the dial to a server that does not take the connection") {
  test::RawListener full("tcp@127.0.0.1:0", 0);
  const test::RawSocket filler(full.address());  // Linux takes one more than the backlog says
  geerpc::Client client(full.address());
  const geerpc::Error error =
      check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B"); });
  CHECK_FALSE(error.may_have_run());
  check_deadline([&](const auto& context) { return client.async<int>(context, "A.B").try_get(); });
}

TEST_CASE("a deadline covers CONNECT to a server that does not answer") {
  test::RawListener silent;
  geerpc::Client client("http@127.0.0.1:" + std::to_string(silent.port()));
  const geerpc::Error error =
      check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B"); });
  CHECK_FALSE(error.may_have_run());
}

TEST_CASE("an asynchronous call's deadline is kept while a more patient one connects") {
  std::optional<test::RawListener> listener(std::in_place);
  std::optional<test::RawSocket> held;
  std::string address = listener->address();
  geerpc::ClientOptions options;
  options.wait_for_ready = true;
  options.min_backoff = options.max_backoff = std::chrono::hours(1);
  const auto check = [&](geerpc::Client& client, const auto& connects) {
    auto patient = client.async<int>(geerpc::Context::with_timeout(test::kPatience), "A.B");
    connects();
    const geerpc::Error error = check_deadline(
        [&](const auto& context) { return client.async<int>(context, "A.B").try_get(); });
    CHECK_FALSE(error.may_have_run());
    std::promise<StatusCode> code;  // nobody waits for this one
    client.async<int>(test::within(kShort), "A.B").then([&](geerpc::Result<int> result) {
      code.set_value(result.code());
    });
    auto future = code.get_future();
    REQUIRE(future.wait_for(test::kPatience / 2) == std::future_status::ready);
    CHECK(future.get() == StatusCode::deadline_exceeded);
    CHECK_FALSE(patient.ready());
    client.close();
    CHECK(patient.try_get().code() == StatusCode::cancelled);
  };
  SUBCASE("which waits for the answer to CONNECT") {
    geerpc::Client client("http" + address.substr(3), options);
    check(client, [&] { held.emplace(listener->accept()); });
  }
  SUBCASE("which waits for the server to come back") {
    listener.reset();
    geerpc::Client client(address, options);
    check(client, [] {});
  }
}

TEST_CASE("calls that come and give up do not disturb the attempt to connect of those who stay") {
  test::RawListener listener;
  geerpc::Client client("http@127.0.0.1:" + std::to_string(listener.port()));
  auto patient = client.async<int>("A.B");
  test::Peer peer(listener.accept());
  for (int i = 0; i < 5; ++i) {
    auto cancelled = client.async<int>("C.D");
    cancelled.cancel();
    CHECK(cancelled.try_get().code() == StatusCode::cancelled);
    CHECK(client.async<int>(test::within(milliseconds(5)), "C.D").try_get().code() ==
          StatusCode::deadline_exceeded);
  }
  peer.socket.recv_until("\r\n\r\n");
  peer.socket.send_all("HTTP/1.0 200 Connected to Gee RPC\r\n\r\n");
  peer.read_option();
  peer.reply(peer.read_request().seq, 2);
  CHECK(patient.get() == 2);
  CHECK_THROWS_AS(listener.accept(milliseconds(0)), std::runtime_error);  // nobody came again
}

TEST_CASE("the connect timeout ends an attempt though the call could wait longer") {
  test::RawListener silent;
  geerpc::ClientOptions options;
  options.connect_timeout = kShort;
  geerpc::Client client("http@127.0.0.1:" + std::to_string(silent.port()), options);
  const auto start = test::Clock::now();
  const auto result = client.try_call<int>("A.B");
  REQUIRE_FALSE(result.ok());
  CHECK_FALSE(result.error().may_have_run());
  CHECK(test::Clock::now() - start < test::kPatience);
}

TEST_CASE("attempts to connect that took too long leave no thread and no descriptor behind") {
  const auto entries_of = [](const char* folder) {
    return std::distance(std::filesystem::directory_iterator(folder), {});
  };
  test::RawListener silent;
  geerpc::ClientOptions options;
  options.connect_timeout = milliseconds(5);
  options.min_backoff = options.max_backoff = milliseconds(1);
  geerpc::Client client("http@127.0.0.1:" + std::to_string(silent.port()), options);
  const auto attempts = [&](int number) {
    for (int i = 0; i < number; ++i) {
      CHECK_FALSE(client.try_call<int>("A.B").ok());
      CHECK_FALSE(client.async<int>("A.B").try_get().ok());
    }
  };
  attempts(1);  // the client's own thread is there now
  const auto threads = entries_of("/proc/self/task"), files = entries_of("/proc/self/fd");
  attempts(25);
  CHECK(test::eventually([&] { return entries_of("/proc/self/task") <= threads; }));
  CHECK(test::eventually([&] { return entries_of("/proc/self/fd") <= files; }));
}

TEST_CASE("one caller's short deadline does not fail another's dial") {
  test::RawListener listener;
  geerpc::Client client("http@127.0.0.1:" + std::to_string(listener.port()));
  std::thread patient;
  std::thread impatient([&] {
    check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B"); });
  });
  test::RawSocket first = listener.accept();
  patient = std::thread([&] { CHECK(client.call<int>("C.D") == 2); });
  impatient.join();
  test::Peer second(listener.accept());
  second.socket.recv_until("\r\n\r\n");
  second.socket.send_all("HTTP/1.0 200 Connected to Gee RPC\r\n\r\n");
  second.read_option();
  second.reply(second.read_request().seq, 2);
  patient.join();
}

TEST_CASE("a deadline covers sending to a peer that does not read") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  const std::string much(32u << 20, 'x');
  std::thread accepter;
  const geerpc::Error error = check_deadline(
      [&](const auto& context) { return client.try_call<int>(context, "A.B", much); });
  CHECK(error.may_have_run());
  check_deadline(
      [&](const auto& context) { return client.async<int>(context, "A.B", much).try_get(); });
}

TEST_CASE("a deadline covers the wait for room in the queue") {
  test::ScriptedServer server;
  geerpc::ClientOptions options;
  options.max_queued_bytes = 1000;
  geerpc::Client client(server.address(), options);
  const std::string much(32u << 20, 'x');
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      check_deadline(
          [&](const auto& context) { return client.try_call<int>(context, "A.B", much); });
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_CASE("what a caller in a hurry left half sent is sent by others once the peer reads") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  const std::string much(16u << 20, 'x');
  check_deadline([&](const auto& context) { return client.try_call<int>(context, "A.B", much); });
  std::thread patient([&] { CHECK(client.call<int>("C.D") == 2); });
  auto future = client.async<int>("E.F");
  test::Peer peer = server.accept();
  CHECK(peer.read_request().rest.size() > much.size());
  peer.reply(peer.read_request().seq, 2);
  peer.reply(peer.read_request().seq, 2);
  patient.join();
  CHECK(future.get() == 2);
}

TEST_CASE("a call whose deadline has passed is not sent, and does not connect") {
  test::GateServer server;
  geerpc::Client client(server.address);
  const auto past = geerpc::Context::with_deadline(test::Clock::now() - milliseconds(1));
  for (int round = 0; round < 2; ++round) {  // without a connection, and with one
    const auto result = client.try_call<int>(past, "Gate.Pass", 1);
    CHECK(result.code() == StatusCode::deadline_exceeded);
    CHECK_FALSE(result.error().may_have_run());
    CHECK(client.async<int>(past, "Gate.Pass", 1).try_get().code() ==
          StatusCode::deadline_exceeded);
    CHECK_THROWS_AS(client.notify(past, "Gate.Pass", 1), geerpc::Error);
    CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  }
  CHECK(server.gate->arrived() == 0);
}

TEST_CASE("calls without a deadline of their own have that of the options") {
  test::GateServer server;
  geerpc::ClientOptions options;
  options.call_timeout = kShort;
  geerpc::Client client(server.address, options);
  CHECK(client.try_call<int>("Gate.Pass", 1).code() == StatusCode::deadline_exceeded);
  CHECK(client.async<int>("Gate.Pass", 1).try_get().code() == StatusCode::deadline_exceeded);
}

TEST_CASE("a handler is cancelled when its call times out, and the connection goes on") {
  test::GateServer server;
  geerpc::Client client(server.address);
  for (int i = 1; i <= 3; ++i) {
    CHECK(client.try_call<int>(test::within(milliseconds(20)), "Gate.Pass", 1).code() ==
          StatusCode::deadline_exceeded);
    CHECK(client.call<int>("Math.Add", i, 2) == i + 2);
  }
  CHECK(server.gate->wait_for_waiting(0));
  CHECK(test::eventually([&] { return server.server.calls_in_flight() == 0; }));
  CHECK(server.server.connections() == 1);
}
