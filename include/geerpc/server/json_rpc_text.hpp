// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A JSON-RPC text that came by itself, as in HTTP. It is served as a connection of its own, without
// a socket, so that its calls may outlive the patience of who waits for the answer.

#ifndef GEERPC_SERVER_JSON_RPC_TEXT_HPP
#define GEERPC_SERVER_JSON_RPC_TEXT_HPP

#include <chrono>       // milliseconds, nanoseconds
#include <memory>       // make_shared, make_unique, shared_ptr
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move

#include <geerpc/protocol/json_rpc_answer.hpp>
#include <geerpc/server/connection.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The connection of a text that is JSON. Its calls have `timeout`. When it is gone the answer is
// lost, unless it is there. `from` is the one that it came on.
inline std::shared_ptr<ServerConnection> connection_for(std::string_view text,
                                                        std::chrono::nanoseconds timeout,
                                                        const ServerConnection& from,
                                                        std::shared_ptr<JsonRpcAnswer> answer) {
  const ServerOptions& options = from.options();
  Handshake::Agreement agreement;
  agreement.option.call_timeout = timeout;
  agreement.wire = std::make_unique<JsonRpcServerWire>(wire_limits(options), options.max_batch_size,
                                                       options.max_batch_bytes, std::move(answer));
  auto connection = std::make_shared<ServerConnection>(Socket(), from.peer(), options);
  connection->agree(std::move(agreement));
  connection->input().append(text);
  connection->input().push_back('\n');  // a number ends only at what stands behind it
  return connection;
}

// See RpcAccess.
inline std::optional<std::string> wait_for(JsonRpcAnswer& answer, std::chrono::nanoseconds timeout,
                                           const ServerConnection& from) {
  constexpr std::chrono::milliseconds look{100};    // whether the server ends
  constexpr std::chrono::milliseconds grace{1000};  // for the monitor to see to the timeout
  const auto deadline = ServerStream::after(timeout);
  for (;;) {
    const auto now = SteadyClock::now();
    switch (answer.wait_until(now + look)) {
      case JsonRpcAnswer::State::ready:
        return answer.take();
      case JsonRpcAnswer::State::nothing:
        return {};
      case JsonRpcAnswer::State::pending:
        if (from.stopping()) break;
        if (now <= deadline || now - deadline <= grace) continue;
        throw Error(StatusCode::deadline_exceeded, "rpc server: no answer in time");
      case JsonRpcAnswer::State::lost:
        break;
    }
    throw Error(StatusCode::unavailable, "rpc server: shutting down");
  }
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_JSON_RPC_TEXT_HPP
