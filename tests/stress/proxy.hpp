// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Proxy: stands between a client and its server and breaks their connections on purpose.

#ifndef GEERPC_TESTS_STRESS_PROXY_HPP
#define GEERPC_TESTS_STRESS_PROXY_HPP

#include <atomic>      // atomic
#include <functional>  // function
#include <string>      // string
#include <thread>      // thread
#include <utility>     // move
#include <vector>      // vector

#include "../support/raw_socket.hpp"

namespace test {

// Forwards both directions until a connection has used up its budget of bytes, then resets it on
// both sides, wherever in a message that is.
class Proxy {
 public:
  // `budget` gives each new connection's, in bytes. Called by one thread.
  Proxy(std::string server, std::function<std::size_t()> budget)
      : server_(std::move(server)), budget_(std::move(budget)), thread_([this] { accept_all(); }) {}
  ~Proxy() {
    ending_ = true;
    thread_.join();
  }

  const std::string& address() const noexcept { return listener_.address(); }
  int broken() const noexcept { return broken_; }

 private:
  static constexpr std::chrono::milliseconds kTick{10};  // how soon the end is noticed

  void accept_all() {
    std::vector<std::thread> threads;
    while (!ending_) {
      try {
        RawSocket client = listener_.accept(kTick);
        threads.emplace_back([this, budget = budget_(), peer = std::move(client)]() mutable {
          forward_all(std::move(peer), budget);
        });
      } catch (const std::exception&) {
        // Nobody came, or whoever did has gone again.
      }
    }
    for (std::thread& thread : threads) thread.join();
  }

  void forward_all(RawSocket client, std::size_t budget) {
    try {
      RawSocket server(server_);
      forward(client, server, budget);
      server.reset();
    } catch (const std::exception&) {
      // One of the two is gone: so is the other.
    }
    client.reset();
    ++broken_;
  }
  void forward(RawSocket& client, RawSocket& server, std::size_t budget) {
    try {
      while (!ending_ && budget != 0) {
        pollfd fds[2] = {{client.fd(), POLLIN, 0}, {server.fd(), POLLIN, 0}};
        if (::poll(fds, 2, static_cast<int>(kTick.count())) <= 0) continue;
        if (fds[0].revents != 0 && !pass(client, server, budget)) return;
        if (fds[1].revents != 0 && !pass(server, client, budget)) return;
      }
    } catch (const std::exception&) {
      // The same.
    }
  }
  // False at the end of the stream.
  static bool pass(RawSocket& from, RawSocket& to, std::size_t& budget) {
    const std::string bytes = from.recv_some(65536);
    const std::size_t n = bytes.size() < budget ? bytes.size() : budget;
    to.send_all(std::string_view(bytes).substr(0, n));
    budget -= n;
    return n != 0;
  }

  RawListener listener_;
  const std::string server_;
  const std::function<std::size_t()> budget_;
  std::atomic<bool> ending_{false};
  std::atomic<int> broken_{0};
  std::thread thread_;
};

}  // namespace test

#endif  // GEERPC_TESTS_STRESS_PROXY_HPP
