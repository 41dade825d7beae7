// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Bare sockets, in the form that suits each kind of work best.

#include <harness/harness.hpp>

#include "multiplexed.hpp"
#include "plain.hpp"

int main(int argc, char** argv) {
  const std::string kind = bench::Arguments(argc, argv).word(1);
  if (kind.rfind("shared", 0) == 0) return bench::client_main<raw::Demultiplexer>(argc, argv);
  if (kind.rfind("pipe", 0) == 0) return bench::client_main<raw::Pipeline>(argc, argv);
  return bench::client_main<raw::Plain>(argc, argv);
}
