// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The codecs that Go GeeRPC declares, and which Wire goes with which codec or protocol.

#ifndef GEERPC_PROTOCOL_WIRES_HPP
#define GEERPC_PROTOCOL_WIRES_HPP

#include <memory>  // make_unique, unique_ptr

#include <geerpc/protocol/frame_wire.hpp>
#include <geerpc/protocol/gob_wire.hpp>
#include <geerpc/protocol/json_wire.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The codecs that Go GeeRPC declares.
inline bool may_meet_go_server(const Codec& codec) noexcept {
  return codec.id() == CodecId::json || codec.id() == CodecId::gob;
}

// Of codecs that have no frames of ours around their values. Reached by way of the codec, so that a
// program has no code of those that it does not name.
struct Layout {
  std::unique_ptr<Wire> (*make_wire)(const Codec&, const WireLimits&, Wire::Side, bool extended);
};

inline constexpr Layout kJsonStream{[](const Codec& codec, const WireLimits& limits,
                                       Wire::Side side, bool extended) -> std::unique_ptr<Wire> {
  return std::make_unique<JsonWire>(codec, limits, side, extended);
}};
inline constexpr Layout kGobStream{[](const Codec&, const WireLimits& limits, Wire::Side side,
                                      bool extended) -> std::unique_ptr<Wire> {
  return std::make_unique<GobWire>(limits, side, GobWire::Dialect::geerpc, extended);
}};

inline std::unique_ptr<Wire> make_wire(const Codec& codec, const WireLimits& limits,
                                       Wire::Side side, bool extended) {
  if (codec.layout() == nullptr) return std::make_unique<FrameWire>(codec, limits);
  return codec.layout()->make_wire(codec, limits, side, extended);
}

inline std::unique_ptr<Wire> make_net_rpc_wire(const WireLimits& limits, Wire::Side side) {
  return std::make_unique<GobWire>(limits, side, GobWire::Dialect::net_rpc, false);
}

}  // namespace detail

// "application/json": byte for byte what Go's encoding/json writes.
inline const Codec& json_codec() {
  static const detail::BuiltinCodec<detail::JsonReader, detail::JsonWriter> codec(
      detail::CodecId::json, "application/json", &detail::kJsonStream);
  return codec;
}

// "application/gob": for Go programs that use net/rpc or GeeRPC. docs/interop.md says which types
// are which.
inline const Codec& gob_codec() {
  static const detail::GobStreamCodec codec(&detail::kGobStream);
  return codec;
}

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_WIRES_HPP
