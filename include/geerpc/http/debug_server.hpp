// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// DebugServer: the debug page on an HTTP port of its own.

#ifndef GEERPC_HTTP_DEBUG_SERVER_HPP
#define GEERPC_HTTP_DEBUG_SERVER_HPP

#include <cstdint>      // uint16_t
#include <functional>   // function
#include <string_view>  // string_view
#include <utility>      // declval, move
#include <vector>       // vector

#include <geerpc/http/server.hpp>
#include <geerpc/observe/debug_page.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

// Answers GET and HEAD at kDebugPath and kDebugJsonPath with what `stats` and `describe` say at
// that moment: for programs that have a cpp-httplib server of their own.
inline HttpHandler debug_handler(
    std::function<std::vector<ServiceStats>()> stats,
    std::function<std::vector<ServiceDescription>()> describe = nullptr) {
  return [stats = std::move(stats), describe = std::move(describe)](const httplib::Request& request,
                                                                    httplib::Response& response) {
    const bool html = request.path == kDebugPath;
    response.status = 200;
    if (!html && request.path != kDebugJsonPath) {
      response.status = 404;
      response.set_content("404 page not found\n", "text/plain; charset=utf-8");
    } else if (request.method != "GET" && request.method != "HEAD") {
      response.status = 405;
      response.set_header("Allow", "GET, HEAD");
    } else {
      response.set_header("Cache-Control", "no-store");
      response.set_header("X-Content-Type-Options", "nosniff");
      const auto types = describe ? describe() : std::vector<ServiceDescription>();
      response.set_content(html ? debug_page_html(stats(), types) : debug_page_json(stats(), types),
                           html ? "text/html; charset=utf-8" : "application/json");
    }
  };
}

// Serves /debug/geerpc and /debug/geerpc.json of a Server, which must outlive it, from listen()
// until it is destroyed. A port of its own keeps the names and types of all methods away from
// those who may only call them, and a flood of calls away from the page.
//   geerpc::DebugServer debug(server);
//   debug.listen("127.0.0.1:9998");
class DebugServer {
 public:
  template <class Server, class = decltype(std::declval<const Server&>().stats())>
  explicit DebugServer(const Server& server)
      : server_(debug_handler([&server] { return server.stats(); },
                              [&server] { return server.describe(); })) {}

  // Listens on "host:port"; port 0 takes a free one. Returns the port. Throws Error:
  // invalid_argument, or unavailable if the port is taken.
  std::uint16_t listen(std::string_view host_and_port = "127.0.0.1:0") {
    return server_.listen(detail::http_address(host_and_port)).port();
  }

  // Ends all connections at once. Idempotent.
  void stop() { server_.stop(); }

 private:
  detail::HttpServer server_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_DEBUG_SERVER_HPP
