// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What a server says about itself, in every protocol.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "serving.hpp"

using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Error;
using geerpc::Protocol;
using geerpc::StatusCode;
using nlohmann::json;
using test::Serving;

namespace {

// nlohmann/json sorts the keys.
const std::string kFoo =
    "{\"methods\":[{\"name\":\"Sum\",\"params\":[\"Args\"],\"result\":\"int\"}],\"name\":\"Foo\","
    "\"types\":[{\"fields\":[{\"name\":\"Num1\",\"type\":\"int\"},"
    "{\"name\":\"Num2\",\"type\":\"int\"}],\"name\":\"Args\"}]}";

}  // namespace

TEST_SUITE("introspection") {
  TEST_CASE("services and methods are listed with their types, in every protocol") {
    Serving serving;
    serving.server.add("Foo.Bar.Baz", [](int, std::vector<test::Args>) {});
    ClientOptions msgpack, plain_json, one, two;
    plain_json.codec = &geerpc::json_codec();
    one.protocol = Protocol::json_rpc_1;
    two.protocol = Protocol::json_rpc_2;
    for (const ClientOptions& options : {msgpack, plain_json, one, two}) {
      Client client(serving.address, options);
      CHECK(client.call<std::vector<std::string>>("geerpc.Services") ==
            std::vector<std::string>{"Echo", "Foo", "Foo.Bar", "Wait"});
      CHECK(client.call<json>("geerpc.Methods", "Foo") == json::parse(kFoo));
      const json wait = client.call<json>("geerpc.Methods", "Wait");
      CHECK(wait["methods"] ==
            json::parse("[{\"name\":\"Cancel\",\"params\":[],\"result\":\"void\"},"
                        "{\"name\":\"Gate\",\"params\":[],\"result\":\"bool\"}]"));
      CHECK(wait["types"].empty());
      CHECK_THROWS_WITH_AS(client.call<void>("geerpc.Methods", "Nope"),
                           doctest::Contains("rpc server: can't find service Nope"), Error);
    }
    CHECK(serving.server.describe().size() == 4);
    CHECK(serving.server.describe()[2].methods.at(0).signature() == "Baz(int, vector<Args>)");
  }

  TEST_CASE("in gob it is JSON text, as everything is that only nlohmann/json converts") {
    Serving serving;
    ClientOptions net_rpc, gob;
    net_rpc.protocol = Protocol::net_rpc;
    gob.codec = &geerpc::gob_codec();
    for (const ClientOptions& options : {net_rpc, gob}) {
      Client client(serving.address, options);
      const auto text = client.call<std::vector<std::uint8_t>>("geerpc.Methods", "Foo");
      CHECK(std::string(text.begin(), text.end()) == kFoo);
      CHECK(client.call<json>("geerpc.Services") == json({"Echo", "Foo", "Wait"}));
    }
  }

  TEST_CASE("it can be read with a text tool") {
    Serving serving;
    test::RawSocket peer(serving.address.str());
    peer.send_all(
        "{\"jsonrpc\":\"2.0\",\"method\":\"geerpc.Methods\",\"params\":[\"Foo\"],\"id\":1}");
    const std::string answer = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" + kFoo + "}\n";
    CHECK(peer.recv_until("\n") == answer);
  }

  TEST_CASE("it can be switched off, and its name stays reserved") {
    geerpc::ServerOptions options;
    options.introspection = false;
    Serving serving(options);
    Client client(serving.address);
    const auto result = client.try_call<std::vector<std::string>>("geerpc.Services");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code() == StatusCode::not_found);
    CHECK_THROWS_AS(serving.server.add("geerpc.Own", [] {}), Error);
    CHECK_THROWS_AS(serving.server.add("geerpc", test::Foo{}), Error);
    CHECK_NOTHROW(serving.server.add("geerpc.Own.Method", [] {}));
  }

  TEST_CASE("the counters are those of the services proper") {
    Serving serving;
    Client client(serving.address);
    client.call<std::vector<std::string>>("geerpc.Services");
    for (const auto& service : serving.server.stats()) CHECK(service.name != "geerpc");
  }
}
