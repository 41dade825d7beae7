// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// What a consumer of geerpc::core builds.
#include <geerpc/core.hpp>

#ifdef CPPHTTPLIB_HTTPLIB_H
#error "the core must not bring cpp-httplib"
#endif

int main() {
  geerpc::Server server;
  server.add("Math.Add", [](int a, int b) { return a + b; });
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));
  return client.call<int>("Math.Add", 1, 2) == 3 ? 0 : 1;
}
