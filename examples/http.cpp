// Plain RPC, RPC through HTTP CONNECT, JSON-RPC by POST and the debug page, all on one port.

#include <geerpc/geerpc.hpp>

#include <iostream>  // cout
#include <string>    // string

int main() {
  geerpc::Server server;
  server.add("Math.Add", [](int a, int b) { return a + b; });
  geerpc::serve_http(server);
  const geerpc::Address tcp = server.listen("tcp@127.0.0.1:0");
  const std::string port = std::to_string(tcp.port());

  // The first bytes of a connection tell which it is.
  geerpc::Client plain(tcp);
  std::cout << "tcp@: " << plain.call<int>("Math.Add", 1, 2) << '\n';
  geerpc::Client tunnel("http@127.0.0.1:" + port);
  std::cout << "http@: " << tunnel.call<int>("Math.Add", 3, 4) << '\n';
  geerpc::JsonRpcHttpClient post("http://127.0.0.1:" + port + "/jsonrpc");
  std::cout << "http://: " << post.call<int>("Math.Add", 5, 6) << '\n';

  // The page is for people; try a browser while a program of yours runs.
  httplib::Client browser("127.0.0.1", tcp.port());
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
