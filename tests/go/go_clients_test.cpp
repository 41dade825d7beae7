// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Go programs as clients of our server.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <string>

#include "peer.hpp"

namespace {

using namespace go_peer;

// Has a Go client do its part against a C++ server.
void check_client(const std::string& part, const std::string& protocol, const std::string& scheme) {
  CAPTURE(part);
  CAPTURE(protocol);
  CAPTURE(scheme);
  const Transport transport;
  CppServer server(transport.address(scheme));
  Peer peer({part, protocol, server.address});
  CHECK(peer.read_line(kPatience) == "ok");
  CHECK(peer.wait() == 0);
  CHECK(test::eventually([&] { return server.server.connections() == 0; }));
}

void check_clients(const std::string& protocol) {
  for (const std::string& scheme : kSchemes) check_client("check", protocol, scheme);
}

const test::ChildFunction serve_cpp("serve_cpp", [](const std::vector<std::string>& arguments) {
  CppServer server(arguments.at(0));
  std::cout << server.address << std::endl;
  return until_input_ends();
});

}  // namespace

TEST_CASE("Go's net/rpc clients call us over TCP, unix sockets and CONNECT") {
  check_clients("netrpc");
}

TEST_CASE("Go's net/rpc/jsonrpc clients call us over TCP, unix sockets and CONNECT") {
  check_clients("jsonrpc");
}

TEST_CASE("Go's GeeRPC clients call us in gob over TCP, unix sockets and CONNECT") {
  check_clients("geerpc-gob");
}

TEST_CASE("Go's GeeRPC clients call us in JSON over TCP, unix sockets and CONNECT") {
  check_clients("geerpc-json");
}

TEST_CASE("Go's GeeRPC clients limit the time of our handlers") {
  for (const std::string& scheme : kSchemes) {
    check_client("timeout", "geerpc-gob", scheme);
    check_client("timeout", "geerpc-json", scheme);
  }
}

TEST_CASE("a Go client that is killed takes nothing with it") {
  for_each_way([](const std::string& protocol, const std::string& scheme) {
    const Transport transport;
    CppServer server(transport.address(scheme));
    Peer bystander({"many", protocol, server.address});
    Peer victim({"forever", protocol, server.address});
    CHECK(victim.read_line(kPatience) == "connected");
    CHECK(test::eventually([&] { return server.server.calls_in_flight() >= 4; }));
    victim.kill();
    CHECK(bystander.read_line(kPatience) == "ok");
    CHECK(bystander.wait() == 0);
    check_client("types", protocol, scheme);
  });
}

TEST_CASE("Go clients hear of it when our server is killed") {
  for_each_way([](const std::string& protocol, const std::string& scheme) {
    const Transport transport;
    test::Child server("serve_cpp", {transport.address(scheme)});
    Peer peer({"until-ended", protocol, server.read_line(kPatience)});
    CHECK(peer.read_line(kPatience) == "connected");
    server.kill();
    CHECK(peer.read_line(kPatience) == "ok");
    CHECK(peer.wait() == 0);
  });
}
