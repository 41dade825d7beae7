// A server for Go programs: they call it with net/rpc, as if it were written in Go.
//
//   ./net_rpc_server                        serves while go/arith_client.go, a Go client, runs
//   ./net_rpc_server tcp@127.0.0.1:1234     serves there until you press Enter

#include <geerpc/geerpc.hpp>

#include <cstdint>    // int64_t
#include <cstdlib>    // system
#include <iostream>   // cin, cout
#include <stdexcept>  // invalid_argument
#include <string>     // string, to_string

// Fields have the names that they have in Go. Go's int is an int64_t.
struct Args {
  std::int64_t A = 0, B = 0;
};
GEERPC_FIELDS(Args, A, B)

struct Quotient {
  std::int64_t Quo = 0, Rem = 0;
};
GEERPC_FIELDS(Quotient, Quo, Rem)

class Arith {
 public:
  std::int64_t Multiply(const Args& args) { return args.A * args.B; }
  Quotient Divide(const Args& args) {
    if (args.B == 0) throw std::invalid_argument("divide by zero");
    return {args.A / args.B, args.A % args.B};
  }
};
GEERPC_SERVICE(Arith, Multiply, Divide)

int main(int argc, char** argv) {
  geerpc::Server server;
  server.add(Arith{});
  const geerpc::Address address = server.listen(argc > 1 ? argv[1] : "tcp@127.0.0.1:0");
  std::cout << "serving at " << address.str() << std::endl;
  if (argc > 1) {
    std::cin.get();
    return 0;
  }

  if (std::system("go version >/dev/null 2>&1") != 0) {
    std::cout << "skipped: Go is not installed (on Debian: golang-go)\n";
    return 0;
  }
  const std::string file = __FILE__;  // examples/net_rpc_server.cpp, wherever that is
  const std::string folder = file.substr(0, file.rfind("net_rpc_server.cpp"));
  const std::string command =
      "go run '" + folder + "go/arith_client.go' 127.0.0.1:" + std::to_string(address.port());
  return std::system(command.c_str()) == 0 ? 0 : 1;
}
