// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HttpRegistry: a registry elsewhere, ours (RegistryServer) or a Go GeeRPC one.

#ifndef GEERPC_HTTP_HTTP_REGISTRY_HPP
#define GEERPC_HTTP_HTTP_REGISTRY_HPP

#include <algorithm>    // any_of
#include <chrono>       // milliseconds, seconds
#include <memory>       // make_shared, shared_ptr
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move

#include <geerpc/base/duration.hpp>
#include <geerpc/http/exchange.hpp>
#include <geerpc/http/registry_headers.hpp>
#include <geerpc/http/url.hpp>
#include <geerpc/net/local_host.hpp>
#include <geerpc/registry/registry.hpp>
#include <geerpc/registry/registry_ref.hpp>
#include <geerpc/registry/server_list_json.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

// Thread-safe. Each request has a connection of its own, and ends within its deadline even if the
// registry accepts and stays silent, or answers one byte per second.
class HttpRegistry : public RegistryApi {
 public:
  // `url` is "http://host:port" or "http://host:port/path". Throws Error(invalid_argument) if it or
  // the token is malformed. Connects to nothing yet.
  explicit HttpRegistry(std::string_view url, HttpRegistryOptions options = {})
      : url_(url, kRegistryPath), options_(std::move(options)) {
    detail::checked_token(options_.token);
  }

  std::optional<std::chrono::milliseconds> put(const ServerInfo& server,
                                               const Context& context = {}) override {
    httplib::Headers headers{{detail::kServerHeader, server.address.str()}};
    if (!server.services.empty()) {
      headers.emplace(detail::kServicesHeader, detail::join_list(server.services));
    }
    const Answer answer = exchange(context, "POST", std::move(headers));
    if (answer.response.body.empty()) return std::nullopt;
    return located([&] {
      return detail::json_milliseconds(detail::parse_registry_json(answer.response.body), "ttl_ms");
    });
  }

  // A Go registry can't forget on request and refuses with Error(unimplemented).
  void remove(const Address& address, const Context& context = {}) override {
    exchange(context, "DELETE", {{detail::kServerHeader, address.str()}});
  }

  ServerList list(const Context& context = {}) override {
    const Answer answer = exchange(context, "GET", {});
    return located([&] { return read_list(answer); });
  }

  // The address of the interface that packets to the registry leave by.
  std::string local_host(bool ipv4_only, const Context& context) override {
    return detail::local_host_towards(url_.address(), ipv4_only, limited(context).deadline());
  }

  std::string name() const override { return url_.str(); }

 private:
  struct Answer {
    httplib::Response response;
    bool has_servers = false;  // X-Geerpc-Servers, maybe empty
  };

  Context limited(Context context) const {
    if (!context.has_deadline()) context.set_timeout(detail::at_most_a_year(options_.timeout));
    return context;
  }

  // Only 2xx is a success.
  Answer exchange(const Context& caller, const char* method, httplib::Headers headers) const {
    return located([&] {
      for (const auto& header : headers) {
        const bool bad = std::any_of(header.second.begin(), header.second.end(),
                                     [](char c) { return (c >= 0 && c < ' ') || c == 127; });
        if (bad) throw Error(StatusCode::invalid_argument, header.first + " has a line break");
      }
      const Context context = limited(caller);
      httplib::Request request;
      request.method = method;
      request.path = url_.path();
      request.headers = std::move(headers);
      request.headers.emplace("Host", url_.host());
      request.headers.emplace("Accept", detail::kJsonType);
      if (!options_.token.empty()) {
        request.headers.emplace("Authorization", "Bearer " + options_.token);
      }

      detail::HttpTunnel tunnel(context, url_.address());
      httplib::Response response = detail::http_exchange(tunnel, context, request);
      if (response.status < 200 || response.status >= 300) {
        std::string cause = "HTTP status " + std::to_string(response.status);
        const std::string reason = response.get_header_value(detail::kRegistryErrorHeader);
        if (!reason.empty()) (cause += ": ") += reason.substr(0, 200);
        throw Error(detail::status_from_http(response.status), cause);
      }
      return Answer{std::move(response), tunnel.answer_has_header("x-geerpc-servers")};
    });
  }

  static ServerList read_list(const Answer& answer) {
    const std::string type = answer.response.get_header_value("Content-Type");
    if (type.compare(0, 16, detail::kJsonType) == 0) {
      return detail::parse_server_list(answer.response.body);
    }
    if (!answer.has_servers) {
      throw Error(StatusCode::data_loss,
                  std::string("it is no registry: neither JSON nor ") + detail::kServersHeader);
    }
    ServerList list;
    std::size_t bad = 0;
    for (const std::string& address :
         detail::split_list(answer.response.get_header_value(detail::kServersHeader))) {
      if (!detail::add_server(list, address, nullptr)) ++bad;
    }
    return detail::checked_server_list(std::move(list), bad);
  }

  // What `f` returns; its errors say which registry it was.
  template <class F>
  auto located(F f) const -> decltype(f()) {
    try {
      return f();
    } catch (const Error& error) {
      throw Error(error.code(), "registry " + name() + ": " + error.cause());
    }
  }

  // Constant after construction.
  const Url url_;
  const HttpRegistryOptions options_;
};

namespace detail {

// What RegistryRef does with a URL.
template <class Text>
std::shared_ptr<RegistryApi> connect_registry(UrlTag<Text>, std::string_view url,
                                              HttpRegistryOptions options) {
  return std::make_shared<HttpRegistry>(url, std::move(options));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_HTTP_REGISTRY_HPP
