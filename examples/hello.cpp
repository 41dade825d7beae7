#include <geerpc/geerpc.hpp>
#include <iostream>

int main() {
  geerpc::Server server;
  server.add("Math.Add", [](int a, int b) { return a + b; });
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));
  std::cout << "1 + 2 = " << client.call<int>("Math.Add", 1, 2) << '\n';
}
