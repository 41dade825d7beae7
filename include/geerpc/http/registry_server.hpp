// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// RegistryServer: a Registry for other processes, over HTTP. registry_headers.hpp says in which
// form.

#ifndef GEERPC_HTTP_REGISTRY_SERVER_HPP
#define GEERPC_HTTP_REGISTRY_SERVER_HPP

#include <cctype>       // tolower
#include <cstddef>      // size_t
#include <cstdint>      // uint16_t
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/http/registry_headers.hpp>
#include <geerpc/http/server.hpp>
#include <geerpc/registry/registry.hpp>
#include <geerpc/registry/server_list_json.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

struct RegistryServerOptions {
  // If not empty, every request must have "Authorization: Bearer <token>". Go GeeRPC peers can't
  // send it. It travels in clear text: use it against mistakes and neighbours, not on networks
  // where others listen. Letters, digits and -._~+/= only.
  std::string token;
};

namespace detail {

// Takes as long whatever is wrong with `given`, so that guessing byte by byte does not work.
inline bool equal_in_constant_time(std::string_view given, std::string_view secret) noexcept {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char expected = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned char>(given[i] ^ expected);
  }
  return difference == 0;
}

// Answers the requests of one registry.
class RegistryHandler {
 public:
  RegistryHandler(RegistryApi& registry, RegistryServerOptions options)
      : registry_(&registry), options_(std::move(options)) {
    checked_token(options_.token);
  }

  void operator()(const httplib::Request& request, httplib::Response& response) const {
    response.status = 200;
    if (request.path != kRegistryPath) {
      response.status = 404;
      response.set_header("X-Content-Type-Options", "nosniff");
      response.set_content("404 page not found\n", "text/plain; charset=utf-8");
      return;
    }
    if (!authorised(request)) {
      response.set_header("WWW-Authenticate", "Bearer");
      return refuse(response, 401, "the token is missing or wrong");
    }
    try {
      if (request.method == "GET") return list(request, response);
      if (request.method == "POST") return put(request, response);
      if (request.method == "DELETE") {
        return registry_->remove(Address(request.get_header_value(kServerHeader)));
      }
    } catch (const Error& e) {
      switch (e.code()) {
        case StatusCode::invalid_argument:
          return refuse(response, 400, e.what());
        case StatusCode::resource_exhausted:
        case StatusCode::unavailable:
          return refuse(response, 503, e.what());
        default:
          return refuse(response, 500, e.what());
      }
    }
    response.status = 405;
    response.set_header("Allow", "GET, POST, DELETE");
  }

 private:
  static void refuse(httplib::Response& response, int status, const char* reason) {
    std::string line;
    for (const char* c = reason; *c != '\0'; ++c) line += *c >= ' ' && *c < 127 ? *c : '?';
    response.status = status;
    response.set_header(kRegistryErrorHeader, line);
  }

  static bool wants_json(const httplib::Request& request) {
    return request.get_header_value("Accept").find(kJsonType) != std::string::npos;
  }

  static void set_json(httplib::Response& response, const std::string& body) {
    response.set_header("Cache-Control", "no-store");
    response.set_content(body, kJsonType);
  }

  bool authorised(const httplib::Request& request) const {
    if (options_.token.empty()) return true;
    const std::string header = request.get_header_value("Authorization");
    const std::size_t blank = (std::min)(header.find(' '), header.size());
    std::string scheme = header.substr(0, blank);
    for (char& c : scheme) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return scheme == "bearer" &&
           equal_in_constant_time(without_blanks(std::string_view(header).substr(blank)),
                                  options_.token);
  }

  void list(const httplib::Request& request, httplib::Response& response) const {
    const ServerList list = registry_->list();
    if (wants_json(request)) return set_json(response, print_server_list(list));
    std::vector<std::string> addresses;
    for (const ServerInfo& server : list.servers) addresses.push_back(server.address.str());
    response.set_header(kServersHeader, join_list(addresses));
  }

  void put(const httplib::Request& request, httplib::Response& response) const {
    const std::string address = request.get_header_value(kServerHeader);
    if (address.empty()) {
      response.status = 500;  // as GeeRPC has it; every other mistake of a client is a 400
      return;
    }
    const auto ttl = registry_->put(
        ServerInfo(Address(address), split_list(request.get_header_value(kServicesHeader))));
    if (!wants_json(request)) return;
    set_json(response, "{\"ttl_ms\":" + std::to_string(ttl ? ttl->count() : 0) + "}");
  }

  RegistryApi* registry_;
  RegistryServerOptions options_;
};

}  // namespace detail

// Answers requests at kRegistryPath for `registry`, which must outlive the handler: for programs
// that have a cpp-httplib server of their own.
//   http.Get(geerpc::kRegistryPath, geerpc::registry_handler(registry));  // and Post, and Delete
// What cpp-httplib does with slow and endless requests stays its own there. RegistryServer is a
// server that is ready, with limits.
inline HttpHandler registry_handler(RegistryApi& registry, RegistryServerOptions options = {}) {
  return detail::RegistryHandler(registry, std::move(options));
}

// Serves `registry`, which must outlive it, from listen() until it is destroyed. At most 512
// connections; a request has 5 s and 16 KiB.
class RegistryServer {
 public:
  // Throws Error(invalid_argument) if the token is malformed.
  explicit RegistryServer(RegistryApi& registry, RegistryServerOptions options = {})
      : server_(registry_handler(registry, std::move(options))) {}

  // Listens on "host:port", e.g. "127.0.0.1:9999"; port 0 takes a free one, an empty host all
  // interfaces. Returns the port. Throws Error: invalid_argument, or unavailable if the port is
  // taken. Who can reach this port decides where clients send their calls: keep it off public
  // networks.
  std::uint16_t listen(std::string_view host_and_port) {
    address_ = server_.listen(detail::http_address(host_and_port));
    return address_.port();
  }

  // For Heartbeat and RegistryDiscovery on this machine, once it listens:
  // "http://127.0.0.1:9999/_geerpc_/registry".
  std::string url() const {
    const Address address = address_.is_wildcard() ? address_.with_host("127.0.0.1") : address_;
    return "http://" + address.str().substr(address.str().find('@') + 1) + kRegistryPath;
  }

  // Ends all connections at once. Idempotent.
  void stop() { server_.stop(); }

 private:
  detail::HttpServer server_;
  Address address_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_REGISTRY_SERVER_HPP
