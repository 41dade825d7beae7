// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The end of a server, whoever calls for it and whatever goes on then.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../support/own_host.hpp"
#include "../support/temp_dir.hpp"
#include "serving.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::CancelReason;
using geerpc::Client;
using geerpc::Context;
using geerpc::Error;
using geerpc::Future;
using geerpc::Server;
using geerpc::ServerOptions;
using geerpc::StatusCode;
using test::Args;
using test::eventually;
using test::Foo;
using test::frame;
using test::json_reply;
using test::json_request;
using test::kFrameOption;
using test::kJsonOption;
using test::kSumFrame;
using test::kSumReply;
using test::RawSocket;
using test::Serving;

namespace stop_test {

// Is encoded when the gate opens.
struct SlowToEncode {
  std::shared_ptr<test::Gate> gate;
};
inline void to_json(nlohmann::json& to, const SlowToEncode& from) {
  from.gate->pass();
  to = 1;
}
inline void from_json(const nlohmann::json&, SlowToEncode&) {}

}  // namespace stop_test

namespace {

// Calls stop(drain) in a thread of its own.
class Stopping {
 public:
  Stopping(Server& server, std::chrono::nanoseconds drain)
      : thread_([this, &server, drain] {
          const auto begin = test::Clock::now();
          left_behind_ = server.stop(drain);
          took_ = test::Clock::now() - begin;
        }) {}
  ~Stopping() {
    if (thread_.joinable()) thread_.join();
  }
  std::size_t left_behind() {
    thread_.join();
    return left_behind_;
  }
  std::chrono::nanoseconds took() const { return took_; }

 private:
  std::size_t left_behind_ = 0;
  std::chrono::nanoseconds took_{0};
  std::thread thread_;
};

bool refuses_connections(const Address& address) {
  try {
    RawSocket peer(address.str());
    return false;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::connection_refused;
  }
}

}  // namespace

TEST_SUITE("server stop") {
  TEST_CASE("running calls end and reply, further ones are refused, nobody new is let in") {
    Serving serving({}, test::own_address());
    Client client(serving.address);
    auto slow = client.async<bool>("Wait.Gate");
    REQUIRE(serving.gate.wait_for(1));
    CHECK(serving.server.accepting());
    Stopping stopping(serving.server, 60s);
    geerpc::Result<int> refused = Error(StatusCode::ok, "");
    REQUIRE(eventually([&] {
      refused = client.try_call<int>("Foo.Sum", Args{1, 2});
      return !refused.ok();
    }));
    CHECK(refused.code() == StatusCode::unavailable);
    CHECK(refused.error().cause() == "rpc server: shutting down");
    CHECK_FALSE(refused.error().may_have_run());
    CHECK_FALSE(serving.server.accepting());
    CHECK(refuses_connections(serving.address));
    CHECK_FALSE(slow.ready());
    serving.gate.open();
    CHECK(slow.get());
    CHECK(stopping.left_behind() == 0);
    CHECK(serving.server.connections() == 0);
  }

  TEST_CASE("calls that outlast the drain time are cancelled, and may still reply") {
    Serving serving;
    serving.server.add("See.Draining", [](const Context& context) {
      while (!context.cancelled()) context.sleep_for(60s);
      return context.draining();
    });
    Client client(serving.address);
    auto waiting = client.async<void>("Wait.Cancel");
    auto draining = client.async<bool>("See.Draining");
    REQUIRE(eventually([&] { return serving.server.calls_in_flight() == 2; }));
    REQUIRE(eventually([&] { return serving.waiting == 1; }));
    CHECK(serving.server.stop(10ms) == 0);
    CHECK(serving.reason == CancelReason::server_stopping);
    CHECK(waiting.try_get().ok());
    CHECK(draining.get());
  }

  TEST_CASE("a handler may stop its server, and its reply still arrives") {
    Server server;
    server.add("Server.Stop", [&] { return static_cast<int>(server.stop()); });
    Client client(server.listen("tcp@127.0.0.1:0"));
    auto reply = client.async<int>("Server.Stop");
    server.run();  // until that is done
    CHECK(reply.get() == 0);
    CHECK(server.connections() == 0);
    CHECK(server.stop() == 0);
  }

  TEST_CASE("a handler may destroy its server") {
    auto server = std::make_unique<Server>();
    const Address address = [&] {
      server->add("Server.Destroy", [&] {
        server.reset();
        return 7;
      });
      return server->listen(test::own_address());
    }();
    const std::size_t threads = test::running_threads();
    {
      Client client(address);
      CHECK(client.call<int>("Server.Destroy") == 7);
    }
    CHECK(eventually([&] { return test::running_threads() < threads; }));
    CHECK(refuses_connections(address));
  }

  TEST_CASE("stop is the same for all who call it, however often") {
    Serving serving;
    REQUIRE(serving.serves_others());
    {
      std::vector<std::unique_ptr<Stopping>> all;
      for (int i = 0; i < 4; ++i) all.push_back(std::make_unique<Stopping>(serving.server, 1s));
      for (auto& one : all) CHECK(one->left_behind() == 0);
    }
    CHECK(serving.server.stop() == 0);
    CHECK(serving.server.connections() == 0);
    Server never_listened;
    CHECK(never_listened.stop() == 0);
  }

  TEST_CASE("handlers that do not return are left behind, and counted") {
    const auto gate = std::make_shared<test::Gate>();
    const auto read = std::make_shared<std::atomic<int>>(0);
    const std::size_t threads = test::running_threads();
    {
      ServerOptions options;
      options.max_calls_per_connection = 2;
      Server server(options);
      server.add("Gate.Pass", [gate] { gate->pass(); });
      // Its argument lives in the connection's input.
      server.add("Gate.Read", [gate, read](std::string_view text) {
        gate->pass();
        if (text == std::string(5000, 'x')) ++*read;
      });
      // Leaves its place to another when the server has begun to end its threads.
      server.add("Wait.Leave", [](const Context& context) {
        while (!context.cancelled()) context.sleep_for(60s);
        std::this_thread::sleep_for(2200ms);
      });
      Client client(server.listen("tcp@127.0.0.1:0"));
      Client second(server.addresses().front());
      auto never = client.async<void>("Gate.Pass");
      auto leaving = second.async<void>("Wait.Leave");
      REQUIRE(eventually([&] { return server.calls_in_flight() == 2; }));
      auto reading = second.async<void>("Gate.Read", std::string(5000, 'x'));
      REQUIRE(gate->wait_for(2));
      Stopping stopping(server, 0ms);
      CHECK(stopping.left_behind() == 2);
      CHECK(stopping.took() < 20s);
      CHECK(server.stop() == 2);
      CHECK(never.try_get().code() == StatusCode::unavailable);
      CHECK(reading.try_get().error().may_have_run());
    }
    gate->open();  // the server is gone; its handlers may still return
    CHECK(eventually([&] { return test::running_threads() <= threads; }));
    CHECK(*read == 1);
  }

  TEST_CASE("a result that takes for ever to encode is left behind like a handler") {
    const auto gate = std::make_shared<test::Gate>();
    const std::size_t threads = test::running_threads();
    Server server;
    server.add("Slow.Encode", [gate] { return stop_test::SlowToEncode{gate}; });
    RawSocket peer(server.listen("tcp@127.0.0.1:0").str());
    peer.send_all(kFrameOption + frame(std::string("\x93\x00\x01\xabSlow.Encode\xc0", 16)));
    REQUIRE(gate->wait_for(1));
    Stopping stopping(server, 0s);
    CHECK(peer.wait_closed());  // before the result is there
    CHECK(stopping.left_behind() == 1);
    gate->open();
    CHECK(eventually([&] { return test::running_threads() <= threads; }));
  }

  TEST_CASE("connections on which nothing happens do not delay the end") {
    Serving serving;
    REQUIRE(serving.serves_others());
    RawSocket nothing(serving.address.str()), half(serving.address.str()),
        idle(serving.address.str()), json(serving.address.str()), part(serving.address.str());
    half.send_all(kJsonOption.substr(0, 20));
    idle.send_all(kFrameOption + kSumFrame);
    CHECK(idle.recv_exact(kSumReply.size()) == kSumReply);
    json.send_all(kJsonOption);
    part.send_all(kFrameOption + kSumFrame.substr(0, 7));
    REQUIRE(serving.only_connections(6));
    Stopping stopping(serving.server, 60s);
    CHECK(stopping.left_behind() == 0);
    CHECK(stopping.took() < 30s);
    CHECK(idle.recv_all() == frame(std::string("\x92\x05\x01", 3)));  // goaway: one request read
    CHECK(part.recv_all() == frame(std::string("\x92\x05\x00", 3)));
    CHECK(json.recv_all().empty());
    CHECK(half.wait_closed());
    CHECK(nothing.wait_closed());
  }

  TEST_CASE("a peer that does not read its replies does not delay the end for long") {
    Serving serving;
    RawSocket peer(serving.address.str(), 4096);
    peer.send_all(kFrameOption);
    for (int i = 0; i < 3; ++i) {
      peer.send_all(frame(std::string("\x93\x00\x01\xaa", 4) + "Echo.Bytes" +
                          std::string("\xce\x01\x00\x00\x00", 5)));
    }
    REQUIRE(eventually([&] { return serving.calls("Echo.Bytes") > 0; }));
    Stopping stopping(serving.server, 100ms);
    CHECK(stopping.left_behind() == 0);
    CHECK(stopping.took() < 20s);
  }

  TEST_CASE("a peer that reads slowly and goes on sending gets every reply, and the goodbye") {
    Serving serving;
    RawSocket peer(serving.address.str(), 4096);
    constexpr std::size_t kSize = 20000;  // more than the peer's buffer, less than the server's
    peer.send_all(kFrameOption);
    peer.send_all(frame(std::string("\x93\x00\x01\xaa", 4) + "Echo.Bytes" +
                        std::string("\xce\x00\x00\x4e\x20", 5)));
    REQUIRE(eventually([&] { return serving.calls("Echo.Bytes") == 1; }));
    REQUIRE(eventually([&] { return serving.server.calls_in_flight() == 0; }));
    Stopping stopping(serving.server, 0ms);
    constexpr std::size_t kReply = 4 + 3 + 3 + kSize;
    const std::string goodbye("\x00\x00\x00\x03\x92\x05", 6);
    std::string received;
    int requests = 1;
    while (received.find(goodbye, (std::min)(received.size(), kReply)) == std::string::npos) {
      if (++requests < 128) peer.try_send_all(kSumFrame);  // the goodbye's number has one byte
      const std::string more = peer.recv_some(2000);       // throws if the connection is reset
      REQUIRE(!more.empty());
      received += more;
    }
    CHECK(stopping.left_behind() == 0);
    CHECK(received.substr(0, 7) == std::string("\x00\x00\x4e\x26\x92\x01\x01", 7));
  }

  TEST_CASE("another server may take the port at once, and clients find it") {
    auto first = std::make_unique<Serving>(ServerOptions{}, test::own_address());
    const Address address = first->address;
    Client client(address);
    CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
    first.reset();  // the destructor stops it
    CHECK(refuses_connections(address));
    CHECK(client.try_call<int>("Foo.Sum", Args{1, 2}).code() == StatusCode::unavailable);
    Serving second({}, address);
    CHECK(second.address == address);
    CHECK(eventually([&] { return client.try_call<int>("Foo.Sum", Args{1, 2}).ok(); }));
  }

  TEST_CASE("a server listens on any number of addresses, until it was stopped") {
    test::TempDir dir;
    Server server;
    CHECK_FALSE(server.accepting());
    server.add(Foo{});
    std::vector<Address> addresses;
    for (const std::string& address :
         {std::string("tcp@127.0.0.1:0"), std::string("tcp@:0"), std::string("tcp@localhost:0"),
          std::string("http@127.0.0.1:0"), "unix@" + dir.file("socket"),
          "unix@@geerpc-test-" + std::to_string(::getpid())}) {
      CAPTURE(address);
      addresses.push_back(server.listen(address));
      Client client(addresses.back());
      CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
    }
    CHECK(server.addresses() == addresses);
    CHECK(server.accepting());
    try {
      server.listen(addresses.front());
      FAIL("the address is taken");
    } catch (const Error& error) {
      CHECK(error.code() == StatusCode::unavailable);
      CHECK(error.cause() == "listen on " + addresses.front().str() + ": address already in use");
    }
    CHECK(server.stop() == 0);
    CHECK_FALSE(server.accepting());
    CHECK(server.addresses().empty());
    for (const Address& address : addresses) {
      CAPTURE(address.str());
      Client client(address);
      CHECK(client.try_call<int>("Foo.Sum", Args{1, 2}).code() == StatusCode::unavailable);
    }
    try {
      server.listen("tcp@127.0.0.1:0");
      FAIL("the server was stopped");
    } catch (const Error& error) {
      CHECK(error.code() == StatusCode::failed_precondition);
    }
  }
}
