// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Benchmark client: gRPC, with its synchronous stub for calls that wait and its callback API for
// those that don't.

#include <harness/harness.hpp>

#include <grpcpp/grpcpp.h>

#include <cstdint>    // int32_t
#include <exception>  // make_exception_ptr
#include <future>     // future, promise
#include <memory>     // make_shared, make_unique, shared_ptr, unique_ptr
#include <stdexcept>  // runtime_error
#include <string>     // string, to_string
#include <utility>    // move

#include "bench.grpc.pb.h"

namespace {

std::runtime_error failed(const grpc::Status& status) {
  return std::runtime_error("gRPC: " + status.error_message());
}

void check(const grpc::Status& status) {
  if (!status.ok()) throw failed(status);
}

std::shared_ptr<grpc::Channel> connect(int port) {
  grpc::ChannelArguments arguments;
  // Channels to the same server would share one TCP connection otherwise.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                   grpc::InsecureChannelCredentials(), arguments);
}

struct Connection {
  static constexpr bool kShared = true;

  explicit Connection(int port) : stub_(bench_grpc::Bench::NewStub(connect(port))) {}

  std::int32_t add(std::int32_t a, std::int32_t b) {
    grpc::ClientContext context;
    bench_grpc::Numbers numbers;
    numbers.set_a(a);
    numbers.set_b(b);
    bench_grpc::Number sum;
    check(stub_->Add(&context, numbers, &sum));
    return sum.value();
  }
  std::string echo(const std::string& text) {
    grpc::ClientContext context;
    bench_grpc::Text request, reply;
    request.set_value(text);
    check(stub_->Echo(&context, request, &reply));
    return std::move(*reply.mutable_value());
  }
  std::int32_t sleep(std::int32_t milliseconds) {
    grpc::ClientContext context;
    bench_grpc::Number request, reply;
    request.set_value(milliseconds);
    check(stub_->Sleep(&context, request, &reply));
    return reply.value();
  }

  template <class Done>
  void echo_async(const std::string& text, Done done) {
    const auto call = std::make_shared<Call>(text);
    stub_->async()->Echo(&call->context, &call->request, &call->reply,
                         [call, done](const grpc::Status& status) {
                           done(status.ok() && call->reply.value() == call->request.value());
                         });
  }

  std::future<std::string> echo_future(const std::string& text) {
    const auto call = std::make_shared<Call>(text);
    const auto result = std::make_shared<std::promise<std::string>>();
    stub_->async()->Echo(&call->context, &call->request, &call->reply,
                         [call, result](const grpc::Status& status) {
                           if (status.ok()) {
                             result->set_value(std::move(*call->reply.mutable_value()));
                           } else {
                             result->set_exception(std::make_exception_ptr(failed(status)));
                           }
                         });
    return result->get_future();
  }

 private:
  // What must stay until the callback has run.
  struct Call {
    explicit Call(const std::string& text) { request.set_value(text); }
    grpc::ClientContext context;
    bench_grpc::Text request, reply;
  };

  std::unique_ptr<bench_grpc::Bench::Stub> stub_;
};

}  // namespace

int main(int argc, char** argv) { return bench::client_main<Connection>(argc, argv); }
