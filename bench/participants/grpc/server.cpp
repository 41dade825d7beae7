// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Benchmark server: gRPC with its synchronous API, which its thread pool serves.

#include <harness/harness.hpp>

#include <grpcpp/grpcpp.h>

#include <chrono>  // milliseconds
#include <cstdio>  // fprintf
#include <memory>  // unique_ptr
#include <thread>  // sleep_for

#include "bench.grpc.pb.h"

namespace {

class Service final : public bench_grpc::Bench::Service {
  grpc::Status Add(grpc::ServerContext*, const bench_grpc::Numbers* numbers,
                   bench_grpc::Number* sum) override {
    sum->set_value(numbers->a() + numbers->b());
    return grpc::Status::OK;
  }
  grpc::Status Echo(grpc::ServerContext*, const bench_grpc::Text* text,
                    bench_grpc::Text* reply) override {
    reply->set_value(text->value());
    return grpc::Status::OK;
  }
  grpc::Status Sleep(grpc::ServerContext*, const bench_grpc::Number* milliseconds,
                     bench_grpc::Number* reply) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds->value()));
    reply->set_value(milliseconds->value());
    return grpc::Status::OK;
  }
};

}  // namespace

int main() {
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || port == 0) {
    std::fprintf(stderr, "gRPC can't listen\n");
    return 1;
  }
  const int result = bench::serve_until_stdin_ends(port);
  server->Shutdown();
  return result;
}
