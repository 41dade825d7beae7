// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Which Wire goes with which protocol and codec.

#ifndef GEERPC_PROTOCOL_WIRES_HPP
#define GEERPC_PROTOCOL_WIRES_HPP

#include <memory>  // make_unique, unique_ptr

#include <geerpc/protocol/frame_wire.hpp>
#include <geerpc/protocol/gob_wire.hpp>
#include <geerpc/protocol/json_rpc_client_wire.hpp>
#include <geerpc/protocol/json_rpc_wire.hpp>
#include <geerpc/protocol/json_wire.hpp>
#include <geerpc/protocol/option.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The codecs that Go GeeRPC declares.
inline bool may_meet_go_server(const Codec& codec) noexcept {
  return codec.id() == CodecId::json || codec.id() == CodecId::gob;
}

inline std::unique_ptr<Wire> make_client_wire(const Codec& codec, const WireLimits& limits) {
  if (codec.id() == CodecId::json) {
    return std::make_unique<JsonWire>(codec, limits, Wire::Side::client, true);
  }
  if (codec.id() == CodecId::gob) {
    return std::make_unique<GobWire>(limits, Wire::Side::client, GobWire::Dialect::geerpc, true);
  }
  return std::make_unique<FrameWire>(codec, limits);
}

inline std::unique_ptr<Wire> make_server_wire(const Codec& codec, const WireLimits& limits,
                                              const Option& option) {
  if (codec.id() == CodecId::json) {
    return std::make_unique<JsonWire>(codec, limits, Wire::Side::server, option.extended);
  }
  if (codec.id() == CodecId::gob) {
    return std::make_unique<GobWire>(limits, Wire::Side::server, GobWire::Dialect::geerpc,
                                     option.extended);
  }
  return std::make_unique<FrameWire>(codec, limits);
}

inline std::unique_ptr<Wire> make_net_rpc_wire(const WireLimits& limits, Wire::Side side) {
  return std::make_unique<GobWire>(limits, side, GobWire::Dialect::net_rpc, false);
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_WIRES_HPP
