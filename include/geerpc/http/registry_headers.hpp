// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The registry's HTTP form, as both of its ends see it.
//
// GeeRPC's, which Go peers speak:
//   POST /_geerpc_/registry   X-Geerpc-Server: tcp@host:port            -> 200
//   GET  /_geerpc_/registry   -> 200, X-Geerpc-Servers: tcp@h:1,tcp@h:2
// Ours, for whoever sends "Accept: application/json", since a header line holds only some hundred
// servers and no details:
//   POST    with X-Geerpc-Services: Foo,Bar  -> 200, {"ttl_ms":300000}
//   GET     -> 200, {"instance":"…","revision":7,"servers":[{"address":"tcp@h:1","age_ms":12,
//              "services":["Foo"]}],"ttl_ms":300000,"uptime_ms":9000}
// and for everybody:
//   DELETE  with X-Geerpc-Server             -> 200
// An error has no body (Go clients leave bodies unread and so would lose the connection), but says
// why in X-Geerpc-Error.

#ifndef GEERPC_HTTP_REGISTRY_HEADERS_HPP
#define GEERPC_HTTP_REGISTRY_HEADERS_HPP

#include <algorithm>    // all_of
#include <cctype>       // isalnum
#include <string>       // string
#include <string_view>  // string_view
#include <vector>       // vector

#include <geerpc/base/error.hpp>

GEERPC_BEGIN_NAMESPACE

// Where GeeRPC's registry is found on its HTTP server.
inline constexpr const char* kRegistryPath = "/_geerpc_/registry";

namespace detail {

inline constexpr const char* kServerHeader = "X-Geerpc-Server";
inline constexpr const char* kServersHeader = "X-Geerpc-Servers";
inline constexpr const char* kServicesHeader = "X-Geerpc-Services";
inline constexpr const char* kRegistryErrorHeader = "X-Geerpc-Error";
inline constexpr const char* kJsonType = "application/json";

inline std::string_view without_blanks(std::string_view s) noexcept {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// The parts between commas, without blanks around them; empty ones are dropped.
inline std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = without_blanks(text.substr(0, comma));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  }
  return parts;
}

inline std::string join_list(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

// Returns `token` if it can travel in an Authorization header (RFC 6750, 2.1), where cpp-httplib
// would also decode "%41". Throws Error(invalid_argument).
inline const std::string& checked_token(const std::string& token) {
  const bool good = std::all_of(token.begin(), token.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
  if (good) return token;
  throw Error(StatusCode::invalid_argument,
              "registry: a token is made of letters, digits and -._~+/=");
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_HTTP_REGISTRY_HEADERS_HPP
