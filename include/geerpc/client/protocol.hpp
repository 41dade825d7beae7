// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Protocol: what a client speaks.

#ifndef GEERPC_CLIENT_PROTOCOL_HPP
#define GEERPC_CLIENT_PROTOCOL_HPP

#include <memory>  // make_unique, unique_ptr

#include <geerpc/protocol/json_rpc_client_wire.hpp>
#include <geerpc/protocol/wires.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// One protocol, seen from a client. Reached by pointers, so that a program has no code of those
// that it does not name.
struct ClientProtocol {
  const char* name;
  bool has_option;  // GeeRPC's, with which its connections begin
  const char* connect_path;
  const Codec& (*codec)(const Codec& chosen);
  std::unique_ptr<Wire> (*make_wire)(const Codec&, const WireLimits&);
};

}  // namespace detail

// A server of ours recognises each by itself.
class Protocol {
 public:
  static const Protocol geerpc;      // GeeRPC's, and ours: ClientOptions::codec says which codec
  static const Protocol net_rpc;     // that of Go's net/rpc, always in gob
  static const Protocol json_rpc_1;  // JSON-RPC 1.0 as a stream, as Go's net/rpc/jsonrpc has it
  static const Protocol json_rpc_2;  // JSON-RPC 2.0 as a stream of JSON values

  const char* name() const noexcept { return parts_->name; }  // "net/rpc"

  friend bool operator==(Protocol a, Protocol b) noexcept { return a.parts_ == b.parts_; }
  friend bool operator!=(Protocol a, Protocol b) noexcept { return a.parts_ != b.parts_; }

  // For geerpc itself.
  const detail::ClientProtocol* operator->() const noexcept { return parts_; }

 private:
  constexpr explicit Protocol(const detail::ClientProtocol& parts) noexcept : parts_(&parts) {}

  const detail::ClientProtocol* parts_;  // lives for ever
};

namespace detail {

inline constexpr ClientProtocol kGeeRpcProtocol{
    "GeeRPC", true, "/_geeprc_", [](const Codec& chosen) -> const Codec& { return chosen; },
    [](const Codec& codec, const WireLimits& limits) {
      return make_wire(codec, limits, Wire::Side::client, true);
    }};

inline constexpr ClientProtocol kNetRpcProtocol{
    "net/rpc", false, "/_goRPC_", [](const Codec&) -> const Codec& { return gob_codec(); },
    [](const Codec&, const WireLimits& limits) {
      return make_net_rpc_wire(limits, Wire::Side::client);
    }};

template <JsonRpcVersion Version>
inline constexpr ClientProtocol kJsonRpcProtocol{
    Version == JsonRpcVersion::one ? "JSON-RPC 1.0" : "JSON-RPC 2.0", false, "/_geeprc_",
    [](const Codec&) -> const Codec& {
      return json_rpc_codec(Version == JsonRpcVersion::one ? 1 : 2);
    },
    [](const Codec&, const WireLimits& limits) -> std::unique_ptr<Wire> {
      return std::make_unique<JsonRpcClientWire>(limits, Version);
    }};

}  // namespace detail

inline constexpr Protocol Protocol::geerpc(detail::kGeeRpcProtocol);
inline constexpr Protocol Protocol::net_rpc(detail::kNetRpcProtocol);
inline constexpr Protocol Protocol::json_rpc_1(
    detail::kJsonRpcProtocol<detail::JsonRpcVersion::one>);
inline constexpr Protocol Protocol::json_rpc_2(
    detail::kJsonRpcProtocol<detail::JsonRpcVersion::two>);

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_PROTOCOL_HPP
