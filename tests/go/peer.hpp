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

struct CppServer {
  geerpc::Server server{options()};
  geerpc::Address address;

  explicit CppServer(const geerpc::Address& at = "tcp@127.0.0.1:0") {
    add_services(server);
    address = server.listen(at);
  }
  static geerpc::ServerOptions options() {
    geerpc::ServerOptions options;
    options.drain_timeout = 100ms;  // for handlers whose clients were killed, which nobody can know
    return options;
  }
};

// Where to listen.
struct Transport {
  test::TempDir directory;
  std::string address(const std::string& scheme) const {
    return scheme == "unix" ? "unix@" + directory.path() + "/socket" : scheme + "@127.0.0.1:0";
  }
};

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
