// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Url: where an HTTP registry is, "http://host:port/path".

#ifndef GEERPC_HTTP_URL_HPP
#define GEERPC_HTTP_URL_HPP

#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/net/address.hpp>

GEERPC_BEGIN_NAMESPACE

// A valid http URL. Its parts are checked like those of an Address.
class Url {
 public:
  // Throws Error(invalid_argument) with the reason. `default_path` is used if the URL has none.
  explicit Url(std::string_view text, std::string_view default_path = "/") {
    constexpr std::string_view scheme = "http://";
    for (const char c : text) {
      if (static_cast<unsigned char>(c) <= ' ' || c == 127) {
        throw Error(StatusCode::invalid_argument, "URL: it has a blank or a control character");
      }
    }
    if (text.substr(0, scheme.size()) != scheme) {
      throw Error(StatusCode::invalid_argument,
                  "URL '" + std::string(text) + "': expected http://host:port/path");
    }
    const std::string_view rest = text.substr(scheme.size());
    const std::size_t slash = rest.find_first_of("/?#");
    const std::string_view authority = rest.substr(0, slash);
    std::string_view path = slash == rest.npos ? std::string_view() : rest.substr(slash);
    path = path.substr(0, path.find('#'));
    path_ = path.empty() || path == "/" ? default_path : path;
    const bool has_port = authority.find(':', authority.find(']') + 1) != authority.npos;
    address_ = Address("http@" + std::string(authority) + (has_port ? "" : ":80"));
    if (address_.host().empty() || address_.port() == 0) {
      throw Error(StatusCode::invalid_argument,
                  "URL '" + std::string(text) + "': the host or the port is missing");
    }
    host_ = authority;
  }

  const Address& address() const noexcept { return address_; }  // of the server
  const std::string& host() const noexcept { return host_; }    // for the Host header
  const std::string& path() const noexcept { return path_; }    // with the query
  std::string str() const { return "http://" + host_ + path_; }

 private:
  Address address_;
  std::string host_;
  std::string path_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_HTTP_URL_HPP
