// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Two processes, of which one is killed or stopped in the middle.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "../client/gate.hpp"
#include "../support/child.hpp"

namespace {

using geerpc::StatusCode;

// Serves at the address given, says where, and ends with its input.
const test::ChildFunction serve("e2e.serve", [](const std::vector<std::string>& arguments) {
  test::GateServer server(arguments.at(0).c_str());
  std::cout << server.address.str() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "wait") {
      std::cout << (server.gate->wait_for_waiting(4) ? "waiting" : "nobody came") << std::endl;
    }
  }
  return 0;
});

// Calls what never answers.
const test::ChildFunction call("e2e.call", [](const std::vector<std::string>& arguments) {
  geerpc::Client client(arguments.at(0));
  client.call<int>("Gate.Pass", 1);
  return 0;
});

}  // namespace

TEST_CASE("calls in flight end at once when the server's process is killed") {
  test::Child server("e2e.serve", {"tcp@127.0.0.1:0"});
  const std::string address = server.read_line();
  geerpc::Client client(address);
  std::vector<std::thread> callers;
  const auto check = [](const geerpc::Result<int>& result) {
    CHECK(result.code() == StatusCode::unavailable);
    if (!result.ok()) CHECK(result.error().may_have_run());
  };
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&] { check(client.try_call<int>("Gate.Pass", 1)); });
  }
  auto first = client.async<int>("Gate.Pass", 1);
  auto second = client.async<int>("Gate.Pass", 1);
  server.write_line("wait");
  REQUIRE(server.read_line() == "waiting");
  server.kill();
  for (std::thread& caller : callers) caller.join();
  check(first.try_get());
  check(second.try_get());
  const auto gone = client.try_call<int>("Math.Add", 1, 2);
  CHECK(gone.code() == StatusCode::unavailable);
  if (!gone.ok()) CHECK_FALSE(gone.error().may_have_run());

  test::Child next("e2e.serve", {address});
  REQUIRE(next.read_line() == address);
  CHECK(test::eventually([&] { return client.try_call<int>("Math.Add", 1, 2).ok(); }));
}

TEST_CASE("a server's process that is stopped costs callers their deadline and no more") {
  test::Child server("e2e.serve", {"tcp@127.0.0.1:0"});
  geerpc::Client client(server.read_line());
  CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  server.signal(SIGSTOP);
  siginfo_t stopped;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(server.pid()), &stopped, WSTOPPED) == 0);
  const auto soon = geerpc::Context::with_timeout(std::chrono::milliseconds(50));
  CHECK(client.try_call<int>(soon, "Math.Add", 1, 2).code() == StatusCode::deadline_exceeded);
  auto patient = client.async<int>("Math.Add", 3, 4);
  server.signal(SIGCONT);
  CHECK(patient.get() == 7);
  CHECK(client.call<int>("Math.Add", 5, 6) == 11);
}

TEST_CASE("handlers are cancelled when their client's process is killed") {
  test::GateServer server;
  test::Child client("e2e.call", {server.address.str()});
  REQUIRE(server.gate->wait_for_waiting(1));
  client.kill();
  CHECK(server.gate->wait_for_cancelled(1));
  CHECK(test::eventually([&] { return server.server.connections() == 0; }));
  CHECK(test::eventually([&] { return server.server.calls_in_flight() == 0; }));
}
