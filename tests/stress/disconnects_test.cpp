// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Connections that end under load: servers stop and come back on the same port, and a proxy resets
// connections in the middle of messages. Every call ends; what an error says of it is true; and
// nothing is left behind.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "../support/own_host.hpp"
#include "holdings.hpp"
#include "load.hpp"
#include "proxy.hpp"

using namespace std::chrono_literals;
using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Context;
using geerpc::Future;
using geerpc::Result;
using geerpc::Server;
using geerpc::StatusCode;
using test::Dice;
using test::Tally;

namespace {

constexpr unsigned kThreads = 6;
constexpr std::size_t kTokens = 4000;  // per thread

// How often each call ran, whichever server it ran on.
class Ledger {
 public:
  void ran(std::int64_t token) { ++runs_.at(static_cast<std::size_t>(token)); }
  int runs(std::int64_t token) const { return runs_.at(static_cast<std::size_t>(token)); }

 private:
  std::vector<std::atomic<int>> runs_ = std::vector<std::atomic<int>>(kThreads * kTokens);
};

void add_methods(Server& server, Ledger& ledger) {
  server.add("Line.Twice", [&ledger](std::int64_t token) {
    ledger.ran(token);
    return 2 * token;
  });
  server.add("Line.Late", [&ledger](const Context& context, std::int64_t token) {
    ledger.ran(token);
    context.sleep_for(std::chrono::microseconds(token * 7919 % 5000));
    return 2 * token;
  });
  server.add("Line.Text", [&ledger](std::int64_t token, const std::string& text) {
    ledger.ran(token);
    return text;
  });
}

// One thread's calls. They go on until `enough` says so, or the tokens are used up.
class Caller {
 public:
  Caller(Client& client, Tally& tally, const Ledger& ledger, unsigned who)
      : client_(client),
        tally_(tally),
        ledger_(ledger),
        dice_(who),
        next_(static_cast<std::int64_t>(who * kTokens)),
        end_(next_ + static_cast<std::int64_t>(kTokens)) {}

  template <class Enough>
  void run(Enough enough) {
    std::vector<std::pair<std::int64_t, Future<std::int64_t>>> window;
    while (next_ < end_ && !enough()) {
      const std::int64_t token = next_++;
      Context context;
      if (dice_.one_in(4)) context.set_timeout(std::chrono::microseconds(dice_(5000)));
      const char* const method = dice_.one_in(6) ? "Line.Late" : "Line.Twice";
      switch (dice_(4)) {
        case 0:
          judge(token, client_.try_call<std::int64_t>(context, method, token), 2 * token);
          break;
        case 1: {
          const std::string text = test::text_of(token, dice_.one_in(3) ? 40000 : 300);
          judge(token, client_.try_call<std::string>(context, "Line.Text", token, text), text);
          break;
        }
        default:
          window.emplace_back(token, client_.async<std::int64_t>(context, method, token));
          if (dice_.one_in(10)) window.back().second.cancel();
      }
      if (window.size() > dice_(16)) collect(window);
    }
    collect(window);
  }

 private:
  void collect(std::vector<std::pair<std::int64_t, Future<std::int64_t>>>& window) {
    for (auto& [token, future] : window) judge(token, future.try_get(), 2 * token);
    window.clear();
  }

  template <class T>
  void judge(std::int64_t token, const Result<T>& result, const T& expected) {
    tally_.count(result, expected,
                 {StatusCode::unavailable, StatusCode::cancelled, StatusCode::deadline_exceeded});
    const int runs = ledger_.runs(token);
    if (runs > 1) tally_.complaints.add("a call ran twice");
    if (result.ok() && runs == 0) tally_.complaints.add("a call has a result and never ran");
    if (!result.ok() && !result.error().may_have_run() && runs != 0) {
      tally_.complaints.add(std::string("it ran, in spite of: ") + result.error().what());
    }
  }

  Client& client_;
  Tally& tally_;
  const Ledger& ledger_;
  Dice dice_;
  std::int64_t next_;
  const std::int64_t end_;
};

ClientOptions patient_or_not(bool patient) {
  ClientOptions options;
  options.wait_for_ready = patient;
  options.min_backoff = 1ms;
  options.max_backoff = 5ms;
  return options;
}

}  // namespace

TEST_CASE("a server that stops and starts anew under load costs calls, but no call its end") {
  GEERPC_SHOW_SEED();
  const test::Holdings before;
  for (const bool patient : {true, false}) {
    CAPTURE(patient);
    Ledger ledger;
    Tally tally;
    std::atomic<bool> enough{false};
    int restarts = 0;
    {
      geerpc::Address address(test::own_address());
      const auto start = [&] {
        auto server = std::make_unique<Server>();
        add_methods(*server, ledger);
        address = server->listen(address);
        return server;
      };
      std::unique_ptr<Server> server = start();
      Client client(address, patient_or_not(patient));
      std::thread callers([&] {
        test::in_threads(kThreads, tally.complaints, [&](unsigned who) {
          Caller(client, tally, ledger, who).run([&] { return enough.load(); });
        });
        enough = true;
      });
      Dice dice(1000);
      while (restarts < 20 && !enough) {
        const int goal = tally.right + static_cast<int>(dice(150));
        test::eventually([&] { return enough || tally.right > goal; });
        server->stop(std::chrono::milliseconds(dice(2) * dice(10)));
        if (dice.one_in(2)) dice.dawdle(3000);  // a time without a server
        server = start();
        ++restarts;
      }
      enough = true;
      callers.join();
      const auto served = [&] { return client.try_call<std::int64_t>("Line.Twice", 0).ok(); };
      CHECK(test::eventually(served));
      CHECK(test::eventually([&] { return server->calls_in_flight() == 0; }));
    }
    CHECK(tally.complaints.text() == "");
    CHECK(restarts > 3);
    CHECK(tally.right > 50);
  }
  CHECK(before.as_before());
}

TEST_CASE("connections that are reset in the middle of messages end their calls, and truthfully") {
  GEERPC_SHOW_SEED();
  const test::Holdings before;
  for (const bool patient : {true, false}) {
    CAPTURE(patient);
    Ledger ledger;
    Tally tally;
    int broken = 0;
    {
      Server server;
      add_methods(server, ledger);
      Dice dice(2000);
      test::Proxy proxy(server.listen("tcp@127.0.0.1:0").str(), [&dice]() -> std::size_t {
        return dice.one_in(4) ? 1 + dice(200) : 1 + dice(400000);
      });
      Client client(proxy.address(), patient_or_not(patient));
      test::in_threads(kThreads, tally.complaints, [&](unsigned who) {
        Caller(client, tally, ledger, who).run([&] { return proxy.broken() >= 40; });
      });
      broken = proxy.broken();
      client.close();
      CHECK(test::eventually([&] { return server.connections() == 0; }));
      CHECK(test::eventually([&] { return server.calls_in_flight() == 0; }));
    }
    CHECK(tally.complaints.text() == "");
    CHECK(broken >= 20);
    CHECK(tally.right > 50);
    CHECK(tally.failed > 0);
  }
  CHECK(before.as_before());
}
