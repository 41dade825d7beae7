// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// PlainHttp: who serves the connections of an RPC port that begin with an HTTP request which is not
// CONNECT. The server itself does not know HTTP: geerpc/http/ has the one that there is.

#ifndef GEERPC_SERVER_PLAIN_HTTP_HPP
#define GEERPC_SERVER_PLAIN_HTTP_HPP

#include <chrono>       // nanoseconds
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/base/function_ref.hpp>
#include <geerpc/server/services.hpp>
#include <geerpc/server/stream.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What can be reached through a connection.
struct RpcAccess {
  // Runs what a JSON-RPC text asks for, as if it had come on a stream, and waits. Nothing if it
  // consists of notifications; then they may still be running. Calls that take longer than the
  // timeout are answered with an error. Throws Error: unavailable if the server ends meanwhile,
  // deadline_exceeded if the timeout can't be kept.
  FunctionRef<std::optional<std::string>(std::string_view text, std::chrono::nanoseconds timeout)>
      answer_json_rpc;
  const Services& services;
  bool json_rpc;  // whether the server speaks it at all
};

class PlainHttp {
 public:
  virtual ~PlainHttp() = default;

  // Serves one connection until it ends, in its thread; what was received already is in the
  // stream's input.
  virtual void serve(ServerStream& stream, const RpcAccess& rpc) = 0;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_PLAIN_HTTP_HPP
