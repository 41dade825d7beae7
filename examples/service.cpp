// A class as a service: typed arguments, two ways to call, and an error that a handler reports.

#include <geerpc/geerpc.hpp>

#include <iostream>   // cout
#include <stdexcept>  // runtime_error

struct Args {
  int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

class Foo {
 public:
  int Sum(const Args& args) const { return args.Num1 + args.Num2; }
  int Divide(int a, int b) const {
    if (b == 0) throw std::runtime_error("division by zero");
    return a / b;
  }
};
GEERPC_SERVICE(Foo, Sum, Divide)

int main() {
  geerpc::Server server;
  server.add(Foo{});
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));

  std::cout << "by name: " << client.call<int>("Foo.Sum", Args{1, 2}) << '\n';
  std::cout << "by method: " << client.call<&Foo::Sum>({1, 2}) << '\n';

  const geerpc::Result<int> result = client.try_call<&Foo::Divide>(1, 0);  // does not throw
  std::cout << "error: " << result.error().cause() << '\n';
}
