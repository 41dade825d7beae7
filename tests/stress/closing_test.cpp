// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Clients that are closed while requests of theirs are being sent, replies read and callbacks run.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <vector>

#include "holdings.hpp"
#include "load.hpp"

using namespace std::chrono_literals;
using geerpc::Client;
using geerpc::Context;
using geerpc::Future;
using geerpc::Result;
using geerpc::Server;
using geerpc::StatusCode;
using test::Dice;
using test::Tally;

TEST_CASE("clients that come and go in the middle of their calls leave nothing behind") {
  GEERPC_SHOW_SEED();
  const test::Holdings before;
  {
    Server server;
    server.add("Line.Twice", [](std::int64_t token) { return 2 * token; });
    server.add("Line.Late", [](const Context& context, std::int64_t token) {
      context.sleep_for(std::chrono::microseconds(token * 7919 % 5000));
      return 2 * token;
    });
    const auto address = server.listen("tcp@127.0.0.1:0");
    test::Complaints complaints;
    std::atomic<int> callbacks_due{0};
    test::in_threads(4, complaints, [&](unsigned who) {
      Dice dice(who);
      std::int64_t token = std::int64_t{who} * 1000;
      for (int round = 0; round < 40; ++round) {
        Client client(address);
        std::vector<Future<std::int64_t>> futures;
        for (unsigned i = dice(20); i > 0; --i) {
          const char* const method = dice.one_in(4) ? "Line.Late" : "Line.Twice";
          futures.push_back(client.async<std::int64_t>(method, token++));
          if (!dice.one_in(3)) continue;
          ++callbacks_due;
          futures.back().then([&](const Result<std::int64_t>&) { --callbacks_due; });
          futures.pop_back();
        }
        if (!futures.empty() && dice.one_in(2)) futures.back().wait_for(1ms);
        if (dice.one_in(2)) futures.clear();
        dice.dawdle(1000);
        client.close();
        for (Future<std::int64_t>& future : futures) {
          const auto result = future.try_get();
          if (!result.ok() && result.code() != StatusCode::cancelled) {
            complaints.add(result.error().what());
          }
        }
      }
    });
    CHECK(complaints.text() == "");
    CHECK(callbacks_due == 0);
    CHECK(test::eventually([&] { return server.connections() == 0; }));
    CHECK(test::eventually([&] { return server.calls_in_flight() == 0; }));
  }
  CHECK(before.as_before());
}

TEST_CASE("a client that is closed in the middle ends every call, and runs every callback") {
  GEERPC_SHOW_SEED();
  Server server;
  server.add("Wire.Now", [](std::int64_t token) { return 3 * token + 1; });
  server.add("Wire.Late", [](const Context& context, std::int64_t token) {
    context.sleep_for(std::chrono::microseconds(token * 7919 % 2500));
    return 3 * token + 1;
  });
  const auto address = server.listen("tcp@127.0.0.1:0");
  Tally tally;
  for (unsigned round = 0; round < 40; ++round) {
    Client client(address);
    std::atomic<int> due{0}, begun{0};
    test::in_threads(5, tally.complaints, [&](unsigned i) {
      Dice dice(round * 16 + i);
      if (i == 0) {  // after a part of the calls, here or there in their course
        const int enough = static_cast<int>(dice(60));
        while (begun < enough) std::this_thread::yield();
        return client.close();
      }
      for (int k = 0; k < 20; ++k) {
        const std::int64_t token = std::int64_t{round * 5 + i} * 100 + k;
        const char* const method = dice.one_in(3) ? "Wire.Late" : "Wire.Now";
        ++begun;
        if (dice.one_in(2)) {
          tally.count(client.try_call<std::int64_t>(method, token), 3 * token + 1,
                      {StatusCode::cancelled});
          continue;
        }
        auto future = client.async<std::int64_t>(method, token);
        if (dice.one_in(2)) {
          tally.count(future.try_get(), 3 * token + 1, {StatusCode::cancelled});
          continue;
        }
        ++due;
        future.then([&tally, &due, token](Result<std::int64_t> result) {
          tally.count(result, 3 * token + 1, {StatusCode::cancelled});
          --due;
        });
      }
    });
    client.close();
    REQUIRE(due == 0);
  }
  CHECK(tally.complaints.text() == "");
  CHECK(tally.all() == 40 * 4 * 20);
  CHECK(tally.right > 0);
  CHECK(tally.failed > 0);
}
