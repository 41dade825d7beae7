// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ServerOptions: what a server allows its clients.

#ifndef GEERPC_SERVER_OPTIONS_HPP
#define GEERPC_SERVER_OPTIONS_HPP

#include <chrono>   // hours, nanoseconds, seconds
#include <cstddef>  // size_t
#include <string>   // string
#include <vector>   // vector

#include <geerpc/codec/codec.hpp>

GEERPC_BEGIN_NAMESPACE

// Plain values; copied when the server is made. Whatever a client does, it costs the server no more
// than these limits say. A duration of zero means "no limit", but for drain_timeout.
struct ServerOptions {
  // Bytes of one message, in both directions. A larger request or result is an error
  // (resource_exhausted) of its call; over JSON such a request ends the connection, too.
  std::size_t max_message_size = 64u << 20;

  // Connections at a time, each with a thread of its own. Further ones are closed at once.
  std::size_t max_connections = 10000;

  // Calls at a time: of one connection (past that its further requests wait), and of the server
  // (past that a call is answered resource_exhausted, without having run). A call that takes longer
  // than a few milliseconds has a thread of its own.
  std::size_t max_calls_per_connection = 128;
  std::size_t max_calls = 4096;

  // The longest time that a handler may take, whatever the client allows. Its caller then gets
  // deadline_exceeded, and its context is cancelled; the thread is not killed.
  std::chrono::nanoseconds max_handle_time{0};

  // From the connection to the end of its option.
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);

  // A connection on which nothing happens for so long is closed; geerpc clients then connect again.
  std::chrono::nanoseconds idle_timeout = std::chrono::hours(1);

  // From the first byte of a request to its last.
  std::chrono::nanoseconds receive_timeout = std::chrono::minutes(1);

  // A connection whose peer takes no byte of its replies for so long is closed.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(30);

  // How long stop() lets running calls go on before it cancels them.
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(5);

  // Bytes of replies that wait for a slow reader, over which its requests wait.
  std::size_t max_queued_bytes = 1u << 20;

  // Nesting of the values that are read.
  DecodeLimits decode;

  // Whether clients may ask which services and methods there are (geerpc.Services, geerpc.Methods:
  // see server/introspection.hpp).
  bool introspection = true;

  // Which protocols are spoken. A connection shows by its first bytes which it wants; one that may
  // not be is closed.
  struct Protocols {
    bool geerpc = true;    // an option first; MessagePack, JSON, gob and codecs of yours
    bool net_rpc = true;   // Go's, in gob
    bool json_rpc = true;  // 1.0 as Go's net/rpc/jsonrpc speaks it, and 2.0
  };
  Protocols protocols;

  // Where HTTP CONNECT leads to which of them. GeeRPC's own path is misspelt; its clients ask for
  // that one.
  std::vector<std::string> geerpc_paths = {"/_geeprc_", "/_geerpc_"};
  std::vector<std::string> net_rpc_paths = {"/_goRPC_"};

  // Elements of one batch of JSON-RPC 2.0. Its answer, all together, is bounded by
  // max_message_size: what does not fit into it is an error.
  std::size_t max_batch_size = 1000;
  // Bytes of such a batch. Each slow call of it holds the text of the whole batch until it is done,
  // so this times max_calls_per_connection is what one connection can make the server hold.
  std::size_t max_batch_bytes = 1u << 20;

  // Codecs beside application/msgpack, application/json and application/gob. They must outlive the
  // server.
  std::vector<const Codec*> codecs;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_OPTIONS_HPP
