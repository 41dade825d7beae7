// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Which Wire goes with which codec.

#ifndef GEERPC_PROTOCOL_WIRES_HPP
#define GEERPC_PROTOCOL_WIRES_HPP

#include <memory>  // make_unique, unique_ptr

#include <geerpc/protocol/frame_wire.hpp>
#include <geerpc/protocol/json_rpc_client_wire.hpp>
#include <geerpc/protocol/json_rpc_wire.hpp>
#include <geerpc/protocol/json_wire.hpp>
#include <geerpc/protocol/option.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// JSON is one of the codecs that Go GeeRPC declares.
inline bool may_meet_go_server(const Codec& codec) noexcept { return &codec == &json_codec(); }

inline std::unique_ptr<Wire> make_client_wire(const Codec& codec, const WireLimits& limits) {
  if (&codec == &json_codec()) {
    return std::make_unique<JsonWire>(codec, limits, JsonWire::Side::client, true);
  }
  return std::make_unique<FrameWire>(codec, limits);
}

inline std::unique_ptr<Wire> make_server_wire(const Codec& codec, const WireLimits& limits,
                                              const Option& option) {
  if (&codec == &json_codec()) {
    return std::make_unique<JsonWire>(codec, limits, JsonWire::Side::server, option.extended);
  }
  return std::make_unique<FrameWire>(codec, limits);
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_WIRES_HPP
