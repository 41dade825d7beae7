// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// serve_until_stdin_ends: how long a server program lives.

#ifndef BENCH_HARNESS_SERVER_MAIN_HPP
#define BENCH_HARNESS_SERVER_MAIN_HPP

#include <csignal>  // signal
#include <cstdio>   // fflush, getchar, printf

namespace bench {

// Tells the driver the port, and waits until it closes our standard input. Returns main's result.
inline int serve_until_stdin_ends(int port) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that ends early is no reason to die
  std::printf("%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace bench

#endif  // BENCH_HARNESS_SERVER_MAIN_HPP
