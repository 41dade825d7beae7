// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Benchmark client: Apache Thrift. Usage: as bench::client_main says, with the server's mode.

#include <harness/harness.hpp>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TSocket.h>

#include <cstdint>  // int32_t
#include <memory>   // make_shared, shared_ptr
#include <mutex>    // lock_guard, mutex
#include <string>   // string

#include "Bench.h"
#include "transport.hpp"

namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TSocket;

std::shared_ptr<TBinaryProtocol> connect(int port, const std::string& mode) {
  const auto socket = std::make_shared<TSocket>("127.0.0.1", port);
  socket->setNoDelay(true);
  const std::shared_ptr<bench_thrift::Transport> transport = bench_thrift::wrap(socket, mode);
  transport->open();
  return std::make_shared<TBinaryProtocol>(transport);
}

// The plain client: one thread at a time.
class Connection {
 public:
  static constexpr bool kShared = false;

  Connection(int port, const std::string& mode) : client_(connect(port, mode)) {}

  std::int32_t add(std::int32_t a, std::int32_t b) { return client_.Add(a, b); }
  std::string echo(const std::string& text) {
    std::string reply;
    client_.Echo(reply, text);
    return reply;
  }
  std::int32_t sleep(std::int32_t milliseconds) { return client_.Sleep(milliseconds); }

  // Thrift has no futures, but a server answers in order, and the generated client has the halves
  // of a call: so one thread can have several calls in flight if it takes their replies in order
  // (and if they fit the sockets' buffers).
  struct Reply {
    bench_thrift::BenchClient* client;
    std::string get() {
      std::string reply;
      client->recv_Echo(reply);
      return reply;
    }
  };
  Reply echo_future(const std::string& text) {
    client_.send_Echo(text);
    return Reply{&client_};
  }

 private:
  bench_thrift::BenchClient client_;
};

// What several threads can use: a mutex around each whole call. (The client that Thrift generates
// for this purpose, BenchConcurrentClient, releases its lock while it waits, and yet made fewer
// calls per second: the server answers a connection's calls one after the other anyway.)
class SharedConnection : private Connection {
 public:
  static constexpr bool kShared = true;

  using Connection::Connection;

  std::int32_t add(std::int32_t a, std::int32_t b) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Connection::add(a, b);
  }
  std::string echo(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Connection::echo(text);
  }
  std::int32_t sleep(std::int32_t milliseconds) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Connection::sleep(milliseconds);
  }

 private:
  std::mutex mutex_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const std::string work = arguments.word(1).substr(0, arguments.word(1).find(':'));
  if (work == "slow") {
    // Not even with the halves of a call: the fast reply would come after the slow one.
    return bench::detail::unsupported("a connection's calls are answered one after the other");
  }
  if (work == "shared") return bench::client_main<SharedConnection>(argc, argv);
  return bench::client_main<Connection>(argc, argv);
}
