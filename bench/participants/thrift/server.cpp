// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Benchmark server: Apache Thrift's TThreadedServer, which has a thread for each connection.
// Usage: thrift-server [buffered|buffered64k|framed]

#include <harness/harness.hpp>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TServerSocket.h>

#include <chrono>   // milliseconds
#include <cstdint>  // int32_t
#include <cstdio>   // fprintf
#include <future>   // promise
#include <memory>   // make_shared
#include <string>   // string
#include <thread>   // sleep_for, thread

#include "Bench.h"
#include "transport.hpp"

namespace {

class Handler : public bench_thrift::BenchIf {
 public:
  std::int32_t Add(std::int32_t a, std::int32_t b) override { return a + b; }
  void Echo(std::string& reply, const std::string& text) override { reply = text; }
  std::int32_t Sleep(std::int32_t milliseconds) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
  }
};

// Tells when the server listens: its port is not known before.
class Listening : public apache::thrift::server::TServerEventHandler {
 public:
  void preServe() override { listening_.set_value(); }
  void wait() { listening_.get_future().wait(); }

 private:
  std::promise<void> listening_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  try {
    const auto socket = std::make_shared<apache::thrift::transport::TServerSocket>("127.0.0.1", 0);
    apache::thrift::server::TThreadedServer server(
        std::make_shared<bench_thrift::BenchProcessor>(std::make_shared<Handler>()), socket,
        std::make_shared<bench_thrift::TransportFactory>(arguments.word(0)),
        std::make_shared<apache::thrift::protocol::TBinaryProtocolFactory>());
    const auto listening = std::make_shared<Listening>();
    server.setServerEventHandler(listening);

    std::thread serving([&server] { server.serve(); });
    listening->wait();
    const int result = bench::serve_until_stdin_ends(socket->getPort());
    server.stop();
    serving.join();
    return result;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
