// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Gate: a handler that waits until the test lets it go, so that calls can be held in flight.

#ifndef GEERPC_TESTS_CLIENT_GATE_HPP
#define GEERPC_TESTS_CLIENT_GATE_HPP

#include <condition_variable>  // condition_variable
#include <memory>              // make_shared
#include <mutex>               // mutex

#include <geerpc/geerpc.hpp>

#include "../support/eventually.hpp"

namespace test {

class Gate {
 public:
  // Waits for open(); returns its argument. Comes back early, with -1, when the call is cancelled.
  int pass(const geerpc::Context& context, int value) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++waiting_;
    ++arrived_;
    changed_.notify_all();
    while (!open_ && !context.cancelled()) changed_.wait_for(lock, std::chrono::milliseconds(2));
    --waiting_;
    if (!open_) ++cancelled_;
    changed_.notify_all();
    return open_ ? value : -1;
  }
  void open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // True once so many calls are in it, were ever in it, or were cancelled in it.
  bool wait_for_waiting(int n) {
    return wait([&] { return waiting_ == n; });
  }
  bool wait_for_arrived(int n) {
    return wait([&] { return arrived_ >= n; });
  }
  bool wait_for_cancelled(int n) {
    return wait([&] { return cancelled_ >= n; });
  }
  int arrived() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return arrived_;
  }

 private:
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0, arrived_ = 0, cancelled_ = 0;
};

// A server with "Gate.Pass" and "Math.Add".
struct GateServer {
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  geerpc::Server server;
  geerpc::Address address;

  explicit GateServer(const char* listen = "tcp@127.0.0.1:0", geerpc::ServerOptions options = {})
      : server(std::move(options)) {
    server.add("Gate.Pass", [gate = gate](const geerpc::Context& context, int value) {
      return gate->pass(context, value);
    });
    server.add("Math.Add", [](int a, int b) { return a + b; });
    address = server.listen(geerpc::Address(listen));
  }
  ~GateServer() { gate->open(); }
};

}  // namespace test

#endif  // GEERPC_TESTS_CLIENT_GATE_HPP
