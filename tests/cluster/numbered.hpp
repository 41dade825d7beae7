// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Servers for the tests of XClient.

#ifndef GEERPC_TESTS_CLUSTER_NUMBERED_HPP
#define GEERPC_TESTS_CLUSTER_NUMBERED_HPP

#include <geerpc/geerpc.hpp>

#include <atomic>     // atomic
#include <chrono>     // milliseconds
#include <stdexcept>  // runtime_error
#include <string>     // to_string

#include "../support/own_host.hpp"
#include "../support/raw_socket.hpp"

namespace test {

struct Foo {
  int Sum(int a, int b) { return a + b; }
};
GEERPC_SERVICE(Foo, Sum)

// A server that says who it is.
class Numbered {
 public:
  explicit Numbered(int number, const geerpc::Address& at = own_address()) {
    server.add(Foo{});
    server.add("Who.Number", [this, number] {
      ++calls;
      return number;
    });
    server.add("Who.Wait", [this](const geerpc::Context& context, int milliseconds) {
      ++calls;
      ++waiting;
      context.sleep_for(std::chrono::milliseconds(milliseconds));
      --waiting;
      if (!context.cancelled()) return;
      ++cancelled;
      throw geerpc::Error(geerpc::StatusCode::unavailable, "cut short");
    });
    server.add("Who.Fail", [number](int who) {
      if (number == who) throw std::runtime_error("no, says " + std::to_string(number));
      return number;
    });
    address = server.listen(at);
  }

  std::atomic<int> calls{0}, waiting{0}, cancelled{0};
  geerpc::Address address;
  geerpc::Server server;
};

// An address that nobody listens on.
inline geerpc::Address dead_address() {
  return geerpc::Address(RawListener(own_address()).address());
}

}  // namespace test

#endif  // GEERPC_TESTS_CLUSTER_NUMBERED_HPP
