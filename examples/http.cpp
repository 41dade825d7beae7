// Plain RPC and RPC through HTTP CONNECT on one port, and the debug page on another.

#include <geerpc/geerpc.hpp>

#include <iostream>  // cout
#include <string>    // string

int main() {
  geerpc::Server server;
  server.add("Math.Add", [](int a, int b) { return a + b; });
  const geerpc::Address tcp = server.listen("tcp@127.0.0.1:0");

  // The same port takes both: the first bytes tell which it is.
  geerpc::Client plain(tcp);
  std::cout << "tcp@: " << plain.call<int>("Math.Add", 1, 2) << '\n';
  geerpc::Client tunnel("http@127.0.0.1:" + std::to_string(tcp.port()));
  std::cout << "http@: " << tunnel.call<int>("Math.Add", 3, 4) << '\n';

  // The page is for people; try a browser while a program of yours runs.
  geerpc::DebugServer debug(server);
  const int port = debug.listen("127.0.0.1:0");
  httplib::Client browser("127.0.0.1", port);
  const auto page = browser.Get(geerpc::kDebugPath);
  const bool listed = page && page->body.find("Add(int, int) int") != std::string::npos;
  std::cout << geerpc::kDebugPath << ": " << (page ? page->status : 0)
            << (listed ? ", lists Add(int, int) int" : ", lists nothing") << '\n';

  // The same figures for programs.
  for (const geerpc::ServiceStats& service : server.stats()) {
    for (const geerpc::MethodStats& method : service.methods) {
      std::cout << service.name << '.' << method.name << ": " << method.calls << " calls\n";
    }
  }
}
