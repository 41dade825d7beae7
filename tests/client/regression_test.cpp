// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What reviews found: races between the reader of a reply and those who give its call up, callbacks
// that wait, connections that ended unnoticed.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "../support/own_host.hpp"
#include "gate.hpp"

using namespace std::chrono_literals;

namespace regression {

// Takes as long to decode as the test says.
struct SlowToDecode {
  int value = 0;
  static std::atomic<int> decoding;
  static std::atomic<bool> go_on;
};
inline std::atomic<int> SlowToDecode::decoding{0};
inline std::atomic<bool> SlowToDecode::go_on{false};

inline void to_json(nlohmann::json& to, const SlowToDecode& from) { to = from.value; }
inline void from_json(const nlohmann::json& from, SlowToDecode& to) {
  ++SlowToDecode::decoding;
  test::eventually([] { return SlowToDecode::go_on.load(); });
  to.value = from.get<int>();
}

}  // namespace regression

using regression::SlowToDecode;

TEST_CASE("a call that is given up or late while its reply is decoded is completed once") {
  for (const bool cancel : {true, false}) {
    CAPTURE(cancel);
    SlowToDecode::decoding = 0;
    SlowToDecode::go_on = false;
    test::GateServer server;
    server.server.add("Slow.Get", [](int value) { return value; });
    geerpc::Client client(server.address);
    geerpc::CancelSource source;
    geerpc::Context context;
    geerpc::Future<SlowToDecode> future;
    // Whoever reads decodes: this caller, or the background thread. Not the test, which must not
    // wait for a reply before the decoder may go on.
    std::thread reader([&] { CHECK(client.call<int>("Gate.Pass", 6) == 6); });
    // Again with more time, if the call is late before its reply comes.
    for (auto timeout = cancel ? 60000ms : 100ms; SlowToDecode::decoding == 0; timeout *= 2) {
      context = geerpc::Context::with_timeout(timeout);
      context.set_cancel(source.token());
      future = client.async<SlowToDecode>(context, "Slow.Get", 7);
      REQUIRE(test::eventually([&] { return SlowToDecode::decoding == 1 || context.done(); }, 60s));
    }
    if (cancel) source.cancel();
    // Not before the deadline has passed; then the decoder may go on.
    CHECK(test::eventually([&] { return cancel || context.done(); }));
    SlowToDecode::go_on = true;
    const auto result = future.try_get();
    CHECK((result.ok() || result.code() != geerpc::StatusCode::internal));
    server.gate->open();
    reader.join();
    CHECK(client.call<int>("Slow.Get", 8) == 8);
    CHECK(client.async<int>("Slow.Get", 9).get() == 9);
  }
}

TEST_CASE("a callback may wait for calls of the same client, and their deadlines hold meanwhile") {
  test::GateServer server;
  geerpc::Client client(server.address);
  std::promise<int> sum;
  std::promise<geerpc::StatusCode> late;
  client.async<int>("Math.Add", 1, 2).then([&](geerpc::Result<int> result) {
    sum.set_value(client.async<int>("Math.Add", result.value(), 3).get());
    late.set_value(
        client.async<int>(geerpc::Context::with_timeout(50ms), "Gate.Pass", 1).try_get().code());
  });
  auto first = sum.get_future();
  REQUIRE(first.wait_for(20s) == std::future_status::ready);
  CHECK(first.get() == 6);
  auto second = late.get_future();
  REQUIRE(second.wait_for(20s) == std::future_status::ready);
  CHECK(second.get() == geerpc::StatusCode::deadline_exceeded);
}

TEST_CASE("a client that was idle while its server was replaced notices before it sends") {
  std::optional<geerpc::Server> server(std::in_place);
  server->add("Math.Add", [](int a, int b) { return a + b; });
  const geerpc::Address address = server->listen(test::own_address());
  geerpc::Client client(address);
  CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  server.emplace();
  std::atomic<int> notified{0};
  server->add("Math.Add", [](int a, int b) { return a + b; });
  server->add("Math.Note", [&] { ++notified; });
  server->listen(address);
  // The client looks at a connection again after a second of silence.
  const auto silence = std::chrono::steady_clock::now() + 1100ms;
  CHECK(test::eventually([&] { return std::chrono::steady_clock::now() > silence; }));
  SUBCASE("for an asynchronous call") { CHECK(client.async<int>("Math.Add", 2, 3).get() == 5); }
  SUBCASE("for a notification") {
    client.notify("Math.Note");
    CHECK(test::eventually([&] { return notified == 1; }));
  }
}

TEST_CASE("the longest durations are no limit, the shortest deadlines have passed") {
  geerpc::ServerOptions options;
  options.receive_timeout = options.idle_timeout = options.write_timeout =
      options.handshake_timeout = std::chrono::nanoseconds::max();
  geerpc::Server server(options);
  server.add("Text.Echo", [](const std::string& text) { return text; });
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));
  const std::string large(1 << 20, 'x');
  CHECK(client.call<std::string>("Text.Echo", large) == large);
  const auto past = geerpc::Context::with_deadline(std::chrono::steady_clock::time_point::min());
  CHECK(client.try_call<std::string>(past, "Text.Echo", "x").code() ==
        geerpc::StatusCode::deadline_exceeded);
  const auto shortest = geerpc::Context::with_timeout(std::chrono::nanoseconds::min());
  CHECK(client.async<std::string>(shortest, "Text.Echo", "x").try_get().code() ==
        geerpc::StatusCode::deadline_exceeded);
}

TEST_CASE("a client that may queue less than what opens a connection still calls") {
  geerpc::Server server;
  server.add("Text.Echo", [](const std::string& text) { return text; });
  const geerpc::Address address = server.listen("tcp@127.0.0.1:0");
  for (const std::size_t most : {std::size_t{0}, std::size_t{10}}) {
    geerpc::ClientOptions options;
    options.max_queued_bytes = most;
    options.call_timeout = 5s;
    geerpc::Client client(address, options);
    CHECK(client.call<std::string>("Text.Echo", "sync") == "sync");
    std::vector<geerpc::Future<std::string>> futures;
    for (int i = 0; i < 100; ++i) {
      futures.push_back(client.async<std::string>("Text.Echo", std::to_string(i)));
    }
    for (int i = 0; i < 100; ++i)
      CHECK(futures[static_cast<std::size_t>(i)].get() == std::to_string(i));
    geerpc::Client other(address, options);
    CHECK(other.async<std::string>("Text.Echo", "async").get() == "async");
  }
}
