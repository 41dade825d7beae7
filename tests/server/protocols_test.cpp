// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Several protocols on one port.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "../support/temp_dir.hpp"
#include "server/serving.hpp"

using namespace std::chrono_literals;
using geerpc::Error;
using geerpc::Protocol;
using geerpc::StatusCode;
using test::Args;
using test::RawSocket;
using test::Serving;

namespace {

geerpc::ClientOptions speaking(Protocol protocol, const geerpc::Codec& codec) {
  geerpc::ClientOptions options;
  options.protocol = protocol;
  options.codec = &codec;
  options.call_timeout = 10s * test::kSlowdown;
  return options;
}
const std::vector<geerpc::ClientOptions>& all_ways() {
  static const std::vector<geerpc::ClientOptions> ways{
      speaking(Protocol::geerpc, geerpc::msgpack_codec()),
      speaking(Protocol::geerpc, geerpc::json_codec()),
      speaking(Protocol::geerpc, geerpc::gob_codec()),
      speaking(Protocol::net_rpc, geerpc::gob_codec()),
  };
  return ways;
}

// Foo.Sum({3, 4}) as Go's net/rpc client sends it first, and the answer 7.
const std::string kNetRpcCall(
    "\x2f\xff\x81\x03\x01\x01\x07Request\x01\xff\x82\x00\x01\x02\x01\x0dServiceMethod\x01\x0c\x00"
    "\x01\x03Seq\x01\x06\x00\x00\x00\x0c\xff\x82\x01\x07"
    "Foo.Sum\x00\x24\xff\x83\x03\x01\x01\x04"
    "Args\x01\xff\x84\x00\x01\x02\x01\x04Num1\x01\x04\x00\x01\x04Num2\x01\x04\x00\x00\x00\x07\xff"
    "\x84\x01\x06\x01\x08\x00",
    106);
const std::string kNetRpcReply(
    "\x3a\xff\x81\x03\x01\x01\x08Response\x01\xff\x82\x00\x01\x03\x01\x0dServiceMethod\x01\x0c\x00"
    "\x01\x03Seq\x01\x06\x00\x01\x05"
    "Error\x01\x0c\x00\x00\x00\x0c\xff\x82\x01\x07"
    "Foo.Sum\x00\x03\x04\x00\x0e",
    76);

std::string closed_after(const Serving& serving, const std::string& bytes) {
  RawSocket peer(serving.address.str());
  peer.send_all(bytes);
  return peer.recv_all();
}

}  // namespace

TEST_SUITE("protocols") {
  TEST_CASE("one port serves them all at once, over TCP and CONNECT") {
    Serving serving;
    const auto http = geerpc::Address("http@127.0.0.1:0").with_port(serving.address.port());
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (const geerpc::ClientOptions& options : all_ways()) {
      for (const geerpc::Address& address : {serving.address, http}) {
        threads.emplace_back([&wrong, &options, address] {
          geerpc::Client client(address, options);
          for (int i = 0; i < 300; ++i) {
            if (client.call<int>("Foo.Sum", Args{i, 1}) != i + 1) ++wrong;
          }
          if (client.call<std::string>("Echo.Bytes", 100000).size() != 100000) ++wrong;
          if (client.try_call<int>("Foo.Nope").error().code() != StatusCode::unimplemented) ++wrong;
          if (client.call<int>("Foo.Sum", Args{1, 2}) != 3) ++wrong;
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
  }

  TEST_CASE("a unix socket serves them, too") {
    const test::TempDir directory;
    Serving serving({}, "unix@" + directory.file("socket"));
    for (const geerpc::ClientOptions& options : all_ways()) {
      geerpc::Client client(serving.address, options);
      CHECK(client.call<int>("Foo.Sum", Args{3, 4}) == 7);
    }
  }

  TEST_CASE("net/rpc is known by its first two bytes, however they arrive") {
    Serving serving;
    RawSocket at_once(serving.address.str());
    at_once.send_all(kNetRpcCall);
    CHECK(at_once.recv_exact(kNetRpcReply.size()) == kNetRpcReply);
    RawSocket slowly(serving.address.str());
    for (const char byte : kNetRpcCall) slowly.send_all(std::string_view(&byte, 1));
    CHECK(slowly.recv_exact(kNetRpcReply.size()) == kNetRpcReply);
    slowly.half_close();
    CHECK(slowly.recv_all().empty());
  }

  TEST_CASE("what is switched off is closed at once, and served no less for that elsewhere") {
    geerpc::ServerOptions options;
    options.protocols.net_rpc = false;
    {
      Serving serving(options);
      CHECK(closed_after(serving, kNetRpcCall).empty());
      CHECK(closed_after(serving, "CONNECT /_goRPC_ HTTP/1.0\n\n").rfind("HTTP/1.0 404 ", 0) == 0);
      CHECK(serving.serves_others());
    }
    options.protocols.net_rpc = true;
    options.protocols.geerpc = false;
    {
      Serving serving(options);
      CHECK(closed_after(serving, test::kJsonOption).empty());
      CHECK(closed_after(serving, "CONNECT /_geeprc_ HTTP/1.0\n\n").rfind("HTTP/1.0 404 ", 0) == 0);
      geerpc::Client client(serving.address, all_ways().back());
      CHECK(client.call<int>("Foo.Sum", Args{3, 4}) == 7);
    }
  }

  TEST_CASE("the paths of CONNECT can be chosen, on both sides") {
    geerpc::ServerOptions options;
    options.net_rpc_paths = {"/foo", "/bar"};
    options.geerpc_paths = {"/gee"};
    Serving serving(options);
    const auto http = geerpc::Address("http@127.0.0.1:0").with_port(serving.address.port());
    RawSocket peer(serving.address.str());
    peer.send_all("CONNECT /bar HTTP/1.0\n\n");
    const std::string connected = "HTTP/1.0 200 Connected to Go RPC\r\n\r\n";
    CHECK(peer.recv_exact(connected.size()) == connected);
    CHECK(peer.silent_for(0ms));
    peer.send_all(kNetRpcCall);
    CHECK(peer.recv_exact(kNetRpcReply.size()) == kNetRpcReply);
    for (geerpc::ClientOptions client_options : all_ways()) {
      const bool net_rpc = client_options.protocol == Protocol::net_rpc;
      geerpc::Client lost(http, client_options);
      const auto refused = lost.try_call<int>("Foo.Sum", Args{3, 4});
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().cause().find("unexpected HTTP response: 404 Not Found") !=
            std::string::npos);
      client_options.connect_path = net_rpc ? "/foo" : "/gee";
      geerpc::Client client(http, client_options);
      CHECK(client.call<int>("Foo.Sum", Args{3, 4}) == 7);
    }
  }

  TEST_CASE("metadata, deadlines, codes and cancellation travel between C++ programs in gob") {
    Serving serving;
    serving.server.add("Context.Show", [](const geerpc::Context& context) {
      return context.metadata().at("trace") + (context.has_deadline() ? " deadline" : "");
    });
    serving.server.add("Context.Refuse",
                       []() -> int { throw Error(StatusCode::permission_denied, "no"); });
    geerpc::Client client(serving.address, speaking(Protocol::geerpc, geerpc::gob_codec()));
    geerpc::Context context = geerpc::Context::with_timeout(60s);
    context.set_metadata({{"trace", "7"}});
    CHECK(client.call<std::string>(context, "Context.Show") == "7 deadline");
    CHECK(client.try_call<int>("Context.Refuse").error().code() == StatusCode::permission_denied);
    const auto late = client.try_call<void>(geerpc::Context::with_timeout(20ms), "Wait.Cancel");
    CHECK(late.error().code() == StatusCode::deadline_exceeded);
    CHECK(test::eventually([&] { return serving.reason == geerpc::CancelReason::deadline; }));
    client.notify("Foo.Sum", Args{1, 2});
    CHECK(test::eventually([&] { return serving.calls("Foo.Sum") == 1; }));
    CHECK(client.call<int>("Foo.Sum", Args{3, 4}) == 7);
  }

  TEST_CASE("slow calls of a gob connection are handed over, and large ones come through") {
    for (const geerpc::ClientOptions& options : {all_ways()[2], all_ways()[3]}) {
      Serving serving;
      geerpc::Client client(serving.address, options);
      auto slow = client.async<bool>("Wait.Gate");
      CHECK(serving.gate.wait_for(1));
      for (int i = 0; i < 100; ++i) {
        const std::string text(static_cast<std::size_t>(i) * 1000, 'x');
        CHECK(client.call<std::string>("Echo.Text", text) == text);
      }
      serving.gate.open();
      CHECK(slow.get());
    }
  }

  TEST_CASE("a client that speaks nonsense in gob hurts nobody else") {
    Serving serving;
    const std::string option = "{\"MagicNumber\":3927900,\"CodecType\":\"application/gob\"}\n";
    const std::string definition = kNetRpcCall.substr(0, 48);
    for (const std::string& nonsense :
         {std::string("\x2f\xff\x81garbage that is no definition of anything at all"),
          std::string("\xf8\xff\xff\xff\xff\xff\xff\xff\xff"), definition + definition,
          definition + std::string("\x02\xff\x82", 3), definition + std::string("\0\0\0", 3),
          kNetRpcCall + std::string(1, '\0'), std::string("\xf7\xff"), std::string("\x05\x7f")}) {
      RawSocket net_rpc(serving.address.str());
      net_rpc.try_send_all(nonsense);
      net_rpc.half_close();
      CHECK_NOTHROW((void)net_rpc.recv_all());
      RawSocket geerpc(serving.address.str());
      geerpc.try_send_all(option + nonsense);
      geerpc.half_close();
      CHECK_NOTHROW((void)geerpc.recv_all());
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("a request whose body is missing or cut gets Go's words in JSON, too") {
    Serving serving;
    const std::string whole = test::json_request("Foo.Sum", 1, "{\"Num1\":3,\"Num2\":4}");
    const std::size_t header = whole.find('\n');
    for (std::size_t size = header; size + 1 < whole.size(); ++size) {
      CAPTURE(size);
      RawSocket peer(serving.address.str());
      peer.send_all(test::kJsonOption + whole.substr(0, size));
      peer.half_close();
      CHECK(peer.recv_all() ==
            test::json_error("Foo.Sum", 1, size <= header + 1 ? "EOF" : "unexpected EOF"));
    }
  }
}
