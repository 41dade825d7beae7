// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// geerpc with its defaults.
//
//   geerpc-server [methods=N] [structs=1]
//
// N further methods are registered, which nobody calls. With structs=1 Add takes its numbers in one
// struct, as methods in Go have it.

#include <chrono>       // milliseconds
#include <cstdint>      // int32_t
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <thread>       // sleep_for

#include <geerpc/core.hpp>
#include <harness/harness.hpp>

namespace {

struct Numbers {
  std::int32_t A = 0, B = 0;
};
GEERPC_FIELDS(Numbers, A, B)

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  geerpc::Server server;
  if (arguments.option("structs", 0) != 0) {
    server.add("Bench.Add", [](const Numbers& numbers) { return numbers.A + numbers.B; });
  } else {
    server.add("Bench.Add", [](std::int32_t a, std::int32_t b) { return a + b; });
  }
  server.add("Bench.Echo", [](std::string_view text) { return text; });
  server.add("Bench.Sleep", [](std::int32_t milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
  });
  for (std::size_t i = 0; i < arguments.option("methods", 0); ++i) {
    server.add("Bench.Method" + std::to_string(i), [](std::int32_t n) { return n; });
  }
  return bench::serve_until_stdin_ends(server.listen("tcp@127.0.0.1:0").port());
}
