// A service for curl and web pages: JSON-RPC 2.0 by HTTP POST.
//
//   ./web                           serves until you press Enter: open web.html meanwhile
//   ./web sh examples/web_curl.sh   serves while that runs

#include <geerpc/geerpc.hpp>

#include <cstdlib>    // system
#include <iostream>   // cin, cout
#include <stdexcept>  // invalid_argument
#include <string>     // string

struct Fraction {
  int dividend = 0, divisor = 1;
};
GEERPC_FIELDS(Fraction, dividend, divisor)

class Calculator {
 public:
  int add(int a, int b) { return a + b; }
  int divide(const Fraction& f) {
    if (f.divisor == 0) throw std::invalid_argument("division by zero");
    return f.dividend / f.divisor;
  }
};
GEERPC_SERVICE(Calculator, add, divide)

int main(int argc, char** argv) {
  geerpc::HttpOptions options;
  options.allowed_origins = {"*"};  // any web page may call, also one that is a file

  geerpc::Server server;
  server.add(Calculator{});
  geerpc::serve_http(server, options);
  server.listen("tcp@127.0.0.1:8080");
  std::cout << "serving at http://127.0.0.1:8080/jsonrpc" << std::endl;

  std::string command;
  for (int i = 1; i < argc; ++i) command += std::string(argv[i]) + ' ';
  if (!command.empty()) return std::system(command.c_str()) == 0 ? 0 : 1;
  std::cout << "press Enter to stop\n";
  std::cin.get();
}
