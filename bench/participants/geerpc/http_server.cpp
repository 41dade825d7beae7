// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// geerpc's JSON-RPC by HTTP POST, with its defaults.

#include <cstdint>      // int32_t
#include <string_view>  // string_view

#include <geerpc/geerpc.hpp>
#include <harness/server_main.hpp>

int main() {
  geerpc::Server server;
  server.add("Bench.Add", [](std::int32_t a, std::int32_t b) { return a + b; });
  server.add("Bench.Echo", [](std::string_view text) { return text; });
  geerpc::serve_http(server);
  return bench::serve_until_stdin_ends(server.listen("tcp@127.0.0.1:0").port());
}
