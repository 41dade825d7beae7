// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Connection: Cap'n Proto's EzRpcClient. It belongs to the event loop of the thread that made it,
// and only that thread can use it.

#ifndef BENCH_CAPNP_CONNECTION_HPP
#define BENCH_CAPNP_CONNECTION_HPP

#include <capnp/ez-rpc.h>
#include <kj/async.h>

#include <cstddef>  // size_t
#include <cstdint>  // int32_t
#include <string>   // string

#include "bench.capnp.h"

namespace bench_capnp {

class Connection {
 public:
  static constexpr bool kShared = false;
  using EchoPromise = capnp::RemotePromise<Bench::EchoResults>;
  using EchoResponse = capnp::Response<Bench::EchoResults>;

  explicit Connection(int port)
      : client_("127.0.0.1", static_cast<unsigned>(port)), bench_(client_.getMain<Bench>()) {}

  std::int32_t add(std::int32_t a, std::int32_t b) {
    auto request = bench_.addRequest();
    request.setA(a);
    request.setB(b);
    return request.send().wait(wait_scope()).getSum();
  }
  std::string echo(const std::string& text) { return echo_future(text).get(); }
  std::int32_t sleep(std::int32_t milliseconds) {
    return sleep_promise(milliseconds).wait(wait_scope());
  }

  struct Future {
    EchoPromise promise;
    kj::WaitScope* scope;
    std::string get() { return text_of(promise.wait(*scope)); }
  };
  Future echo_future(const std::string& text) { return {echo_promise(text), &wait_scope()}; }

  EchoPromise echo_promise(const std::string& text) {
    // The size's hint lets the request have one segment of memory.
    const std::size_t words = text.size() / sizeof(capnp::word) + 8;
    auto request = bench_.echoRequest(capnp::MessageSize{words, 0});
    request.setText(kj::StringPtr(text.c_str(), text.size()).asBytes());
    return request.send();
  }
  kj::Promise<std::int32_t> sleep_promise(std::int32_t milliseconds) {
    auto request = bench_.sleepRequest();
    request.setMilliseconds(milliseconds);
    return request.send().then(
        [](capnp::Response<Bench::SleepResults>&& response) { return response.getMilliseconds(); });
  }

  static std::string text_of(const EchoResponse& response) {
    const auto text = response.getReply().asChars();
    return std::string(text.begin(), text.end());
  }

  kj::WaitScope& wait_scope() { return client_.getWaitScope(); }

 private:
  capnp::EzRpcClient client_;
  Bench::Client bench_;
};

}  // namespace bench_capnp

#endif  // BENCH_CAPNP_CONNECTION_HPP
