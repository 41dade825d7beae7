// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Benchmark server: Cap'n Proto's EzRpcServer, whose one thread serves all connections.

#include <harness/harness.hpp>

#include <capnp/ez-rpc.h>
#include <kj/async-io.h>
#include <kj/timer.h>

#include <cstdint>    // int32_t
#include <cstdio>     // fprintf
#include <exception>  // exception
#include <future>     // promise
#include <thread>     // thread

#include "bench.capnp.h"

namespace {

class Service final : public bench_capnp::Bench::Server {
 public:
  // Only the server that owns the service has a timer.
  void set_timer(kj::Timer& timer) { timer_ = &timer; }

 private:
  kj::Promise<void> add(AddContext context) override {
    const auto numbers = context.getParams();
    context.getResults().setSum(numbers.getA() + numbers.getB());
    return kj::READY_NOW;
  }
  kj::Promise<void> echo(EchoContext context) override {
    const capnp::Data::Reader text = context.getParams().getText();
    // The size's hint lets the reply have one segment of memory.
    context.getResults(capnp::MessageSize{text.size() / sizeof(capnp::word) + 8, 0}).setReply(text);
    return kj::READY_NOW;
  }
  kj::Promise<void> sleep(SleepContext context) override {
    const std::int32_t milliseconds = context.getParams().getMilliseconds();
    return timer_->afterDelay(milliseconds * kj::MILLISECONDS)
        .then([context, milliseconds]() mutable {
          context.getResults().setMilliseconds(milliseconds);
        });
  }

  kj::Timer* timer_ = nullptr;
};

// How the main thread sees the server, which lives in an event loop's thread.
struct Running {
  unsigned port;
  kj::Own<kj::CrossThreadPromiseFulfiller<void>> stop;
};

void serve(std::promise<Running>& running) {
  auto service = kj::heap<Service>();
  Service& timed = *service;
  capnp::EzRpcServer server(kj::mv(service), "127.0.0.1:0");
  timed.set_timer(server.getIoProvider().getTimer());
  auto stop = kj::newPromiseAndCrossThreadFulfiller<void>();
  const unsigned port = server.getPort().wait(server.getWaitScope());
  running.set_value({port, kj::mv(stop.fulfiller)});
  stop.promise.wait(server.getWaitScope());
}

}  // namespace

int main() {
  try {
    std::promise<Running> promise;
    std::thread serving([&promise] { serve(promise); });
    Running running = promise.get_future().get();
    const int result = bench::serve_until_stdin_ends(static_cast<int>(running.port));
    running.stop->fulfill();
    serving.join();
    return result;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
