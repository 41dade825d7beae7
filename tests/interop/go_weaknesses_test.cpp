// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Weaknesses of Go's GeeRPC and net/rpc that a server or client in gob could share, and does not.
// Those that are about more than gob are tested where they belong, in server/, client/, cluster/,
// registry/ and go/.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../support/eventually.hpp"
#include "../support/raw_socket.hpp"
#include "recorded.hpp"
#include "services.hpp"

namespace {

using namespace interop;
using geerpc::StatusCode;

// What a request's header looks like.
struct HeaderLike {
  std::string ServiceMethod;
  std::uint64_t Seq = 0;
};
GEERPC_FIELDS(HeaderLike, ServiceMethod, Seq)

struct Serving {
  geerpc::Server server;
  geerpc::Address address;

  Serving() {
    add_services(server);
    server.add("Bad.Nothing", [] { return std::optional<Int>(); });
    server.add("Bad.Silent", []() -> Int { throw std::runtime_error(""); });
    address = server.listen("tcp@127.0.0.1:0");
  }
  std::uint64_t calls_of_sum() const {
    for (const auto& service : server.stats()) {
      for (const auto& method : service.methods) {
        if (service.name == "Foo" && method.name == "Sum") return method.calls;
      }
    }
    return 0;
  }
};

geerpc::ClientOptions options_for(geerpc::Protocol protocol) {
  geerpc::ClientOptions options;
  options.protocol = protocol;
  options.codec = &geerpc::gob_codec();
  return options;
}

// A server and a client of each protocol that has gob.
template <class Check>
void with_each_protocol(const Check& check) {
  for (const auto protocol : {geerpc::Protocol::geerpc, geerpc::Protocol::net_rpc}) {
    CAPTURE(protocol == geerpc::Protocol::net_rpc);
    Serving serving;
    geerpc::Client client(serving.address, options_for(protocol));
    check(serving, client);
  }
}

}  // namespace

TEST_CASE("the body of an unknown method is no request in gob either, however it looks") {
  with_each_protocol([](Serving& serving, geerpc::Client& client) {
    for (int i = 0; i < 2; ++i) {
      const auto unknown = client.try_call<Int>("Foo.Nope", HeaderLike{"Foo.Sum", 77});
      CHECK(unknown.code() == StatusCode::unimplemented);
      CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    }
    CHECK(serving.calls_of_sum() == 2);
  });
}

TEST_CASE("an error without a text is still an error in gob") {
  with_each_protocol([](Serving&, geerpc::Client& client) {
    const auto result = client.try_call<Int>("Bad.Silent");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().cause() == "failed without an error text");
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
  });
}

TEST_CASE("a request that has an error itself is answered without it") {
  Serving serving;
  {
    const Session session("tcp", "geerpc-gob");
    const auto& step = session.steps.at(1);
    const std::string plain(
        "\x0e\xff\x82\x01\x07"
        "Foo.Sum\x01\x01\x00",
        15);
    const std::string marked(
        "\x11\xff\x82\x01\x07"
        "Foo.Sum\x01\x01\x01\x01x\x00",
        18);
    std::string request = step.from_client;
    const std::size_t at = request.find(plain);
    REQUIRE(at != request.npos);
    request.replace(at, plain.size(), marked);
    test::RawSocket socket(serving.address.str());
    socket.send_all(session.steps.front().from_client + request);
    CHECK(socket.recv_exact(step.from_server.size()) == step.from_server);
  }
  const std::string reply = "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":1,\"Error\":\"\"}\n7\n";
  test::RawSocket socket(serving.address.str());
  socket.send_all(
      "{\"MagicNumber\":3927900,\"CodecType\":\"application/json\"}\n"
      "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":1,\"Error\":\"x\"}\n{\"Num1\":3,\"Num2\":4}\n");
  CHECK(socket.recv_exact(reply.size()) == reply);
}

TEST_CASE("a result that can't be encoded in gob is an error of its call, without a byte of it") {
  with_each_protocol([](Serving& serving, geerpc::Client& client) {
    for (int i = 0; i < 2; ++i) {
      const auto result = client.try_call<Int>("Bad.Nothing");
      REQUIRE_FALSE(result.ok());
      CHECK(result.error().cause() ==
            "rpc server: can't encode the result: gob: cannot encode nil pointer of type *int");
      CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    }
    CHECK(serving.server.connections() == 1);
  });
}

TEST_CASE("an argument that can't be encoded in gob is refused, and the next call is not hurt") {
  with_each_protocol([](Serving& serving, geerpc::Client& client) {
    for (int i = 0; i < 2; ++i) {
      const auto result = client.try_call<Int>("Foo.Sum", std::optional<Args>());
      REQUIRE_FALSE(result.ok());
      CHECK_FALSE(result.error().may_have_run());
      CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
    }
    CHECK(serving.server.connections() == 1);
    CHECK(serving.calls_of_sum() == 2);
  });
}

TEST_CASE("a reply of another type costs its own call only, not those that are in flight") {
  with_each_protocol([](Serving& serving, geerpc::Client& client) {
    auto slow = client.async<Int>("Foo.SleepMs", Args{300, 1});
    const auto result = client.try_call<std::string>("Foo.Sum", Args{3, 4});
    CHECK(result.code() == StatusCode::internal);
    CHECK(slow.get() == 301);
    CHECK(serving.server.connections() == 1);
  });
}

TEST_CASE("makes a new connection after a GeeRPC server did not know a method, and hangs up soon") {
  test::RawListener listener;
  const Session unknown("unknown-method", "geerpc-gob"), known("tcp", "geerpc-gob");
  std::thread server([&] {
    test::RawSocket first = listener.accept();
    first.recv_exact(512);
    first.recv_some();
    first.send_all(unknown.steps.at(1).from_server);  // and does not hang up yet
    test::RawSocket second = listener.accept();
    CHECK(first.wait_closed());
    second.recv_exact(512);
    second.recv_some();
    second.send_all(known.steps.at(1).from_server);
    second.wait_closed();
  });
  {
    geerpc::Client client(listener.address(), options_for(geerpc::Protocol::geerpc));
    const auto result = client.try_call<Int>("Foo.Nope", Args{3, 4});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().cause() == "rpc server: can't find method Nope");
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
  }
  server.join();
}
