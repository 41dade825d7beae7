// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// One HTTP request and its answer, by cpp-httplib through a tunnel.

#ifndef GEERPC_HTTP_EXCHANGE_HPP
#define GEERPC_HTTP_EXCHANGE_HPP

#include <chrono>  // ceil, seconds
#include <string>  // string

#include <geerpc/http/httplib.hpp>
#include <geerpc/http/tunnel.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

namespace detail {

// `context` is that of the tunnel, and has a deadline. Throws Error if there is no answer; of which
// status it is, is not looked at.
inline httplib::Response http_exchange(HttpTunnel& tunnel, const Context& context,
                                       const httplib::Request& request) {
  httplib::Client client(tunnel.path(), 80);
  client.set_address_family(AF_UNIX);
  client.set_decompress(false);
  // The tunnel ends it before that.
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(context.remaining()).count() + 1;
  client.set_connection_timeout(seconds);
  client.set_read_timeout(seconds);
  client.set_write_timeout(seconds);
  const httplib::Result result = client.send(request);
  if (const auto& error = tunnel.finish()) throw *error;
  if (!result) {
    throw Error(StatusCode::data_loss, "its answer was cut off or is not HTTP (cpp-httplib: " +
                                           httplib::to_string(result.error()) + ")");
  }
  return *result;
}

// Of an answer that is no success.
inline StatusCode status_from_http(int status) {
  switch (status) {
    case 400:
      return StatusCode::invalid_argument;
    case 401:
      return StatusCode::unauthenticated;
    case 403:
      return StatusCode::permission_denied;
    case 404:
      return StatusCode::not_found;
    case 405:
      return StatusCode::unimplemented;
    case 413:
    case 429:
      return StatusCode::resource_exhausted;
    default:
      return StatusCode::unavailable;
  }
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_EXCHANGE_HPP
