// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The two ends of the tests in this folder: processes made from peer/, and our own.

#ifndef GEERPC_TESTS_GO_PEER_HPP
#define GEERPC_TESTS_GO_PEER_HPP

#include <chrono>    // seconds
#include <iostream>  // cin, cout
#include <string>    // string
#include <vector>    // vector

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include "../support/child.hpp"
#include "../support/eventually.hpp"
#include "../support/temp_dir.hpp"
#include "services.hpp"

namespace go_peer {

using namespace std::chrono_literals;

inline constexpr auto kPatience = 40s * test::kSlowdown;

// GeeRPC's protocol in both codecs, and those of Go's net/rpc and net/rpc/jsonrpc.
inline const std::vector<std::string> kProtocols{"netrpc", "jsonrpc", "geerpc-gob", "geerpc-json"};
inline const std::vector<std::string> kSchemes{"tcp", "unix", "http"};

inline bool is_json(const std::string& protocol) {
  return protocol == "geerpc-json" || protocol == "jsonrpc";
}
inline bool is_net_rpc(const std::string& protocol) {
  return protocol == "netrpc" || protocol == "jsonrpc";
}

// The Go program at one of its tasks, which peer/main.go lists.
struct Peer : test::Process {
  explicit Peer(std::vector<std::string> task) : Process(GEERPC_GO_PEER, with_name(task)) {}

  static std::vector<std::string> with_name(std::vector<std::string> task) {
    task.insert(task.begin(), "peer");
    return task;
  }
};

// Where to listen.
struct Transport {
  test::TempDir directory;
  std::string address(const std::string& scheme) const {
    return scheme == "unix" ? "unix@" + directory.path() + "/socket" : scheme + "@127.0.0.1:0";
  }
};

struct CppServer {
  geerpc::Server server{options()};
  std::string address;

  // An http@ address is one of TCP until somebody sends CONNECT.
  explicit CppServer(const std::string& at = "tcp@127.0.0.1:0") {
    add_services(server);
    const bool is_http = at.substr(0, 4) == "http";
    address = server.listen(is_http ? "tcp" + at.substr(4) : at).str();
    if (is_http) address = "http" + address.substr(3);
  }
  static geerpc::ServerOptions options() {
    geerpc::ServerOptions options;
    options.drain_timeout = 100ms;  // for handlers whose clients were killed, which nobody can know
    return options;
  }
};

// Calls `check` for each protocol and each way to reach a server.
template <class Check>
void for_each_way(const Check& check) {
  for (const std::string& protocol : kProtocols) {
    for (const std::string& scheme : kSchemes) {
      CAPTURE(protocol);
      CAPTURE(scheme);
      check(protocol, scheme);
    }
  }
}

inline geerpc::ClientOptions options_for(const std::string& protocol) {
  geerpc::ClientOptions options;
  if (protocol == "netrpc") options.protocol = geerpc::Protocol::net_rpc;
  if (protocol == "jsonrpc") options.protocol = geerpc::Protocol::json_rpc_1;
  options.codec = is_json(protocol) ? &geerpc::json_codec() : &geerpc::gob_codec();
  return options;
}

// For children: until the parent says so, or is gone.
inline int until_input_ends() {
  for (std::string line; std::getline(std::cin, line);) {
  }
  return 0;
}

}  // namespace go_peer

#endif  // GEERPC_TESTS_GO_PEER_HPP
