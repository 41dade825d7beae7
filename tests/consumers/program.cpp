// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// What a consumer builds: a server, a client, one call. Says which form of the library it got.
#include <geerpc/geerpc.hpp>

#include <iostream>

struct Args {
  int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

class Foo {
 public:
  int Sum(const Args& a) { return a.Num1 + a.Num2; }
};
GEERPC_SERVICE(Foo, Sum)

int main() {
  geerpc::Server server;
  server.add(Foo{});
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));
  const int sum = client.call<int>("Foo.Sum", Args{1, 2});

  std::cout << "geerpc " << GEERPC_VERSION_MAJOR << '.' << GEERPC_VERSION_MINOR << '.'
            << GEERPC_VERSION_PATCH;
#ifdef GEERPC_SINGLE_HEADER
  std::cout << ", single header";
#endif
#ifdef GEERPC_NO_HTTP
  std::cout << ", without cpp-httplib";
#endif
  std::cout << ": 1 + 2 = " << sum << '\n';
  return sum == 3 ? 0 : 1;
}
