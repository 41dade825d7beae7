// Calls a server that is written in Go, with nothing but net/rpc: go/arith_server.go, which this
// program starts.

#include <geerpc/geerpc.hpp>

#include <cstdint>    // int64_t
#include <cstdio>     // FILE
#include <cstdlib>    // system
#include <iostream>   // cout
#include <memory>     // unique_ptr
#include <stdexcept>  // runtime_error
#include <string>     // string, to_string

#include <stdio.h>   // pclose, popen
#include <unistd.h>  // getpid

using namespace std::chrono_literals;

// Fields have the names that they have in Go. Go's int is an int64_t.
struct Args {
  std::int64_t A = 0, B = 0;
};
GEERPC_FIELDS(Args, A, B)

struct Quotient {
  std::int64_t Quo = 0, Rem = 0;
};
GEERPC_FIELDS(Quotient, Quo, Rem)

// The Go program. It ends when its standard input does, which is when this object goes.
class GoServer {
 public:
  explicit GoServer(const std::string& path) {
    const std::string file = __FILE__;  // examples/net_rpc_client.cpp, wherever that is
    const std::string folder = file.substr(0, file.rfind("net_rpc_client.cpp"));
    const std::string command = "go run '" + folder + "go/arith_server.go' unix " + path;
    input_.reset(popen(command.c_str(), "w"));
    if (input_ == nullptr) throw std::runtime_error("can't start Go");
  }

 private:
  struct Close {
    void operator()(FILE* file) const { pclose(file); }
  };
  std::unique_ptr<FILE, Close> input_;
};

int main() {
  if (std::system("go version >/dev/null 2>&1") != 0) {
    std::cout << "skipped: Go is not installed (on Debian: golang-go)\n";
    return 0;
  }
  const std::string path = "/tmp/geerpc_arith_" + std::to_string(getpid());
  const GoServer server(path);

  geerpc::ClientOptions options;
  options.protocol = geerpc::Protocol::net_rpc;  // a Go server understands nothing else
  options.wait_for_ready = true;                 // it is still being compiled
  geerpc::Client client("unix@" + path, options);

  const auto product =
      client.call<std::int64_t>(geerpc::Context::with_timeout(100s), "Arith.Multiply", Args{7, 8});
  std::cout << "7 * 8 = " << product << '\n';
  const auto quotient = client.call<Quotient>("Arith.Divide", Args{17, 5});
  std::cout << "17 / 5 = " << quotient.Quo << ", remainder " << quotient.Rem << '\n';
  const auto failed = client.try_call<Quotient>("Arith.Divide", Args{1, 0});
  std::cout << "1 / 0: " << failed.error().cause() << '\n';
}
