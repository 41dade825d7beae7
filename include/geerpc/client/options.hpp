// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ClientOptions: how a client reaches its server.

#ifndef GEERPC_CLIENT_OPTIONS_HPP
#define GEERPC_CLIENT_OPTIONS_HPP

#include <chrono>   // milliseconds, seconds
#include <cstddef>  // size_t
#include <string>   // string

#include <geerpc/base/error.hpp>
#include <geerpc/client/protocol.hpp>
#include <geerpc/codec/codec.hpp>

GEERPC_BEGIN_NAMESPACE

// Plain values; copied when the client is made. A duration of zero means "no limit" where it says
// so, never anything else.
struct ClientOptions {
  // Only GeeRPC's has deadlines, metadata and cancellation: elsewhere a call that was given up goes
  // on in the server.
  Protocol protocol = Protocol::geerpc;

  // How arguments and results are encoded; the server must know it. Go GeeRPC servers need
  // gob_codec(), readable traffic json_codec(). The codec must outlive the client. For
  // Protocol::geerpc only; the others have theirs.
  const Codec* codec = &msgpack_codec();

  // Time for one attempt to connect: look up the name, connect, and the CONNECT of http@ addresses.
  // Each call's own deadline ends it too.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(10);

  // The deadline of calls whose context has none. Zero: none, such a call may wait for ever.
  std::chrono::nanoseconds call_timeout = std::chrono::seconds(30);

  // Sent to the server as the longest time that a handler may take, beside each call's deadline.
  // Zero: the server's own maximum alone.
  std::chrono::nanoseconds handle_timeout{0};

  // True: a call waits for a server that is not there yet, connecting again and again until its
  // deadline. False: it fails with `unavailable` after one attempt.
  bool wait_for_ready = false;

  // The pause after a failed attempt to connect: doubled each time, with jitter, up to the second.
  std::chrono::nanoseconds min_backoff = std::chrono::milliseconds(20);
  std::chrono::nanoseconds max_backoff = std::chrono::seconds(2);

  // Bytes of one message, in both directions. A larger argument is refused before it is sent.
  std::size_t max_message_size = 64u << 20;

  // Nesting of the values that are read.
  DecodeLimits decode;

  // Bytes that wait to be sent, over which calls wait for room (until their deadlines).
  std::size_t max_queued_bytes = 4u << 20;

  // The path of CONNECT for http@ addresses. Empty: the protocol's own, "/_geeprc_" (sic) for
  // GeeRPC, "/_goRPC_" for net/rpc.
  std::string connect_path;
};

namespace detail {

// The options with the codec that their protocol has. Throws Error(invalid_argument).
inline ClientOptions settled(ClientOptions options) {
  if (options.codec == nullptr) throw Error(StatusCode::invalid_argument, "the codec is null");
  options.codec = &options.protocol->codec(*options.codec);
  return options;
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_OPTIONS_HPP
