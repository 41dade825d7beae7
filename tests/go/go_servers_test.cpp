// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Go programs as servers of our client.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "peer.hpp"

namespace {

using namespace go_peer;
using geerpc::Context;
using geerpc::StatusCode;

// A Go server and a C++ client.
struct GoServer {
  Transport transport;
  std::string protocol;
  Peer peer;
  geerpc::Client client;

  explicit GoServer(const std::string& of_protocol, const std::string& scheme = "tcp")
      : protocol(of_protocol),
        peer({"serve", protocol, transport.address(scheme)}),
        client(peer.read_line(kPatience), options_for(protocol)) {}

  // Those that it has accepted so far.
  Int connections() { return client.call<Int>("Peer.Connections"); }
};

// Calls `check` with a Go server for each protocol, and each way to reach it.
template <class Check>
void with_each_server(const Check& check) {
  for_each_way([&](const std::string& protocol, const std::string& scheme) {
    GoServer go(protocol, scheme);
    check(go);
  });
}

template <class T>
void check_echo(geerpc::Client& client, const char* method, const T& value) {
  CAPTURE(method);
  CHECK(text_of(client.call<T>(method, value)) == text_of(value));
}

void check_types(geerpc::Client& client, bool json) {
  for (int i = 0; i < 2; ++i) {
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    CHECK(client.call<Int>("Foo.Sum", Args{}) == 0);
    for (const std::string& text : {std::string(), std::string("héllo, 世界 🌍"),
                                    std::string("a\0b", 3), std::string(100000, 'x')}) {
      check_echo(client, "Echo.String", text);
    }
    for (const Int n : {Int{0}, Int{-1}, Int{63}, Int{-64}, Int{-65}, Int{1} << 40,
                        (std::numeric_limits<Int>::min)(), (std::numeric_limits<Int>::max)()}) {
      check_echo(client, "Echo.Int", n);
    }
    check_echo(client, "Echo.Uint", (std::numeric_limits<std::uint64_t>::max)());
    for (const double f : {0.0, 17.0, -2.25, 0.1, 5e-324, 1.7976931348623157e308}) {
      check_echo(client, "Echo.Float", f);
    }
    check_echo(client, "Echo.Bool", true);
    check_echo(client, "Echo.Bytes", Bytes{0, 128, 255});
    check_echo(client, "Echo.Ints", Ints{1, 0, -1});
    check_echo(client, "Echo.Array", std::array<Int, 3>{1, 0, -1});
    check_echo(client, "Echo.Map", std::map<std::string, Int>{{"a", 1}, {"b", 0}});
    check_echo(client, "Echo.Items", std::vector<Item>{{"a", 1, {"x"}}, {"b", 0, {}}});
    check_echo(client, "Echo.Empty", std::monostate());
    check_echo(client, "Echo.Time", Time(std::chrono::nanoseconds(1577934245000000006)));
    check_echo(client, "Echo.Time", (Time::min)());
    check_echo(client, "Echo.Duration", std::chrono::nanoseconds(1500ms));
    if (json) continue;  // nil and empty are told apart there, which C++ containers do not
    check_echo(client, "Echo.Everything", everything());
    check_echo(client, "Echo.Everything", Everything{});
    const auto args = client.call<Args>("Echo.Stranger", Args{5, 6});
    CHECK(args.Num1 + args.Num2 == 11);
  }
}

void check_errors(geerpc::Client& client, const std::string& protocol) {
  const auto error_of = [&](const char* method, const auto& argument) {
    const auto result = client.try_call<Int>(method, argument);
    REQUIRE_FALSE(result.ok());
    return result.error();
  };
  const bool net_rpc = is_net_rpc(protocol);
  for (int i = 0; i < 2; ++i) {
    CHECK(error_of("Foo.Fail", Args{3, 4}).cause() == "foo failed: 3,4");
    CHECK(error_of("Foo.Fail", Args{3, 4}).code() == StatusCode::unknown);
    CHECK(error_of("Foo.Percent", "sure").cause() == "100% sure");
    const geerpc::Error no_method = error_of("Foo.Nope", Args{3, 4});
    CHECK(no_method.cause() ==
          (net_rpc ? "rpc: can't find method Foo.Nope" : "rpc server: can't find method Nope"));
    CHECK(no_method.code() == StatusCode::unimplemented);
    // Replies of JSON-RPC do not name the method, so that the text could be a handler's.
    CHECK(no_method.may_have_run() == (protocol == "jsonrpc"));
    // A GeeRPC server may have hung up; the next call connects anew, or nothing of it ran.
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    const geerpc::Error no_service = error_of("Nope.Sum", Args{3, 4});
    CHECK(no_service.cause() ==
          (net_rpc ? "rpc: can't find service Nope.Sum" : "rpc server: can't find service Nope"));
    CHECK(no_service.code() == StatusCode::not_found);
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    CHECK(error_of("Foo.Sum", "text").cause() ==
          (is_json(protocol)
               ? "json: cannot unmarshal string into Go value of type main.Args"
               : "gob: type mismatch in decoder: want struct type main.Args; got non-struct"));
    const auto result = client.try_call<std::string>("Foo.Sum", Args{3, 4});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code() == StatusCode::internal);
    if (!is_json(protocol)) {
      CHECK(result.error().cause() ==
            "reading body gob: decoding into local type *string, received remote type int");
    }
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
  }
}

void check_many(geerpc::Client& client) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (Int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (Int i = 0; i < 1000; ++i) {
        bool good = false;
        if (i % 4 == 0) {
          const std::string text =
              std::to_string(t) + std::string(static_cast<std::size_t>(i), 'y');
          good = client.call<std::string>("Echo.String", text) == text;
        } else if (i % 4 == 1) {
          good = client.call<Ints>("Echo.Ints", Ints{t, i}) == Ints{t, i};
        } else {
          good = client.call<Int>("Foo.Sum", Args{t, i}) == t + i;
        }
        if (!good) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

void check_slow_and_fast(geerpc::Client& client) {
  std::vector<geerpc::Future<Int>> slow;
  for (Int i = 0; i < 4; ++i) slow.push_back(client.async<Int>("Foo.SleepMs", Args{700 + i, 1}));
  for (Int i = 0; i < 200; ++i) CHECK(client.call<Int>("Foo.Sum", Args{i, 1}) == i + 1);
  for (auto& call : slow) CHECK_FALSE(call.ready());
  for (Int i = 0; i < 4; ++i) CHECK(slow[static_cast<std::size_t>(i)].get() == 701 + i);
  // Who gives up disturbs nobody, and the late reply is dropped.
  const auto late = client.try_call<Int>(Context::with_timeout(20ms), "Foo.SleepMs", Args{200, 0});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code() == StatusCode::deadline_exceeded);
  CHECK(client.call<Int>("Foo.SleepMs", Args{300, 0}) == 300);
  CHECK(client.call<Int>("Foo.Sum", Args{1, 2}) == 3);
}

}  // namespace

TEST_CASE("we call Go's servers over TCP, unix sockets and CONNECT: all types") {
  with_each_server([](GoServer& go) {
    check_types(go.client, is_json(go.protocol));
    CHECK(go.connections() == 1);
  });
}

TEST_CASE("we call Go's servers over TCP, unix sockets and CONNECT: all errors") {
  with_each_server([](GoServer& go) { check_errors(go.client, go.protocol); });
}

TEST_CASE("a connection to a Go server is used again after an error") {
  with_each_server([](GoServer& go) {
    for (int i = 0; i < 3; ++i) {
      CHECK_FALSE(go.client.try_call<Int>("Foo.Fail", Args{3, 4}).ok());
      CHECK_FALSE(go.client.try_call<Int>("Foo.Sum", "no struct").ok());
      CHECK_FALSE(go.client.try_call<std::string>("Foo.Sum", Args{3, 4}).ok());  // no such result
      CHECK(go.client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    }
    CHECK(go.connections() == 1);
    // GeeRPC's server hangs up after a method that it does not know, in gob at least.
    if (!is_net_rpc(go.protocol)) return;
    CHECK_FALSE(go.client.try_call<Int>("Foo.Nope", Args{3, 4}).ok());
    CHECK_FALSE(go.client.try_call<Int>("Nope.Sum", Args{3, 4}).ok());
    CHECK(go.connections() == 1);
  });
}

TEST_CASE("16 threads of ours share a connection to a Go server") {
  with_each_server([](GoServer& go) {
    check_many(go.client);
    CHECK(go.connections() == 1);
  });
}

TEST_CASE("fast calls overtake slow ones on a connection to a Go server") {
  with_each_server([](GoServer& go) {
    check_slow_and_fast(go.client);
    CHECK(go.connections() == 1);
  });
}

TEST_CASE("a Go server tells us that its handler took too long") {
  with_each_server([](GoServer& go) {
    if (is_net_rpc(go.protocol)) return;  // which have no such thing
    geerpc::ClientOptions options = options_for(go.protocol);
    options.handle_timeout = 100ms;
    geerpc::Client hurried(go.client.address(), options);
    const auto result = hurried.try_call<Int>("Foo.SleepMs", Args{400, 0});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().cause() == "rpc server: request handle timeout: expect within 100ms");
    CHECK(result.error().code() == StatusCode::deadline_exceeded);
    CHECK(hurried.call<Int>("Foo.Sum", Args{3, 4}) == 7);
  });
}

TEST_CASE("200 fresh connections to a Go GeeRPC server lose no first request") {
  for (const std::string protocol : {"geerpc-gob", "geerpc-json"}) {
    CAPTURE(protocol);
    GoServer go(protocol);
    for (Int i = 0; i < 200; ++i) {
      geerpc::Client fresh(go.client.address(), options_for(protocol));
      const auto result =
          fresh.try_call<Int>(Context::with_timeout(5s * test::kSlowdown), "Foo.Sum", Args{i, 1});
      REQUIRE(result.ok());
      CHECK(result.value() == i + 1);
    }
  }
}

TEST_CASE("we hear of it when a Go server is killed, and find the next one at its place") {
  for_each_way([](const std::string& protocol, const std::string& scheme) {
    const Transport transport;
    auto first = std::make_unique<Peer>(
        std::vector<std::string>{"serve", protocol, transport.address(scheme)});
    const std::string address = first->read_line(kPatience);
    geerpc::ClientOptions options = options_for(protocol);
    options.wait_for_ready = true;
    geerpc::Client client(address, options);
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    auto slow = client.async<Int>("Foo.SleepMs", Args{60000, 0});
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    first.reset();  // kill -9
    const auto lost = slow.try_get();
    REQUIRE_FALSE(lost.ok());
    CHECK(lost.error().code() == StatusCode::unavailable);
    CHECK(lost.error().may_have_run());
    if (scheme == "unix") ::unlink(address.substr(5).c_str());  // as Go does not
    Peer second({"serve", protocol, address});
    CHECK(second.read_line(kPatience) == address);
    CHECK(client.call<Int>("Foo.Sum", Args{5, 6}) == 11);
  });
}
