// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A client of MessagePack, and what its program must not hold: see docs/architecture.md, "What a
// program does not name".
//
// present: geerpc::v1::Client
// present: detail::FrameWire::read
// absent: detail::GobSchema
// absent: detail::GobPlanner
// absent: detail::GobWire
// absent: detail::GobStreamCodec
// absent: detail::JsonWire
// absent: detail::JsonRpc
// absent: ServerConnection

#include <geerpc/core.hpp>

int main() {
  geerpc::Client client("tcp@127.0.0.1:9999");
  return client.call<int>("Foo.Sum", 1, 2);
}
