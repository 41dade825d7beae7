// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// geerpc with its defaults; the modes "json" and "gob" take another codec.

#include <cstdint>    // int32_t
#include <stdexcept>  // invalid_argument
#include <string>     // string, to_string
#include <utility>    // move

#include <geerpc/core.hpp>
#include <harness/harness.hpp>

namespace {

geerpc::ClientOptions options_of(const std::string& mode) {
  geerpc::ClientOptions options;
  if (mode == "json") {
    options.codec = &geerpc::json_codec();
  } else if (mode == "gob") {
    options.codec = &geerpc::gob_codec();
  } else if (!mode.empty()) {
    throw std::invalid_argument("geerpc-client has no mode " + mode);
  }
  return options;
}

class Connection {
 public:
  Connection(int port, const std::string& mode)
      : client_("tcp@127.0.0.1:" + std::to_string(port), options_of(mode)) {}

  std::int32_t add(std::int32_t a, std::int32_t b) {
    return client_.call<std::int32_t>("Bench.Add", a, b);
  }
  std::string echo(const std::string& text) {
    return client_.call<std::string>("Bench.Echo", text);
  }
  std::int32_t sleep(std::int32_t milliseconds) {
    return client_.call<std::int32_t>("Bench.Sleep", milliseconds);
  }

  static constexpr bool kShared = true;

  geerpc::Future<std::string> echo_future(const std::string& text) {
    return client_.async<std::string>("Bench.Echo", text);
  }
  template <class Done>
  void echo_async(const std::string& text, Done done) {
    client_.async<std::string>("Bench.Echo", text)
        .then([&text, done = std::move(done)](const geerpc::Result<std::string>& reply) {
          done(reply.ok() && reply.value() == text);
        });
  }

 private:
  geerpc::Client client_;
};

}  // namespace

int main(int argc, char** argv) { return bench::client_main<Connection>(argc, argv); }
