// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Codec: a format for values, known by its content type.

#ifndef GEERPC_CODEC_CODEC_CLASS_HPP
#define GEERPC_CODEC_CODEC_CLASS_HPP

#include <string_view>  // string_view

#include <nlohmann/json.hpp>

#include <geerpc/base/buffer.hpp>
#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The built-in codecs go directly between C++ values and bytes, with templates, which a virtual
// function can't be: they are told apart by this.
enum class CodecId { custom, json, msgpack, gob, json_rpc_1, json_rpc_2 };

// How messages are laid out whose bodies are in a codec: see protocol/wires.hpp.
struct Layout;

}  // namespace detail

// To add a format of your own, derive from this and convert between nlohmann::json and bytes:
//
//   struct CborCodec : geerpc::Codec {
//     std::string_view content_type() const override { return "application/cbor"; }
//     void encode(const nlohmann::json& value, geerpc::Buffer& out) const override {
//       const auto bytes = nlohmann::json::to_cbor(value);
//       out.append(bytes.data(), bytes.size());
//     }
//     nlohmann::json decode(std::string_view in, const geerpc::DecodeLimits&) const override {
//       return nlohmann::json::from_cbor(in);
//     }
//   };
//
// Its functions are called from several threads at once. What they throw becomes an Error. Bytes
// are values of nlohmann's binary type; map keys are text, integer keys too.
class Codec {
 public:
  virtual ~Codec() = default;

  virtual std::string_view content_type() const = 0;

  // Appends the value to `out`.
  virtual void encode(const nlohmann::json& value, Buffer& out) const = 0;
  // The one value that `in` holds. Whoever parses recursively must heed limits.max_depth.
  virtual nlohmann::json decode(std::string_view in, const DecodeLimits& limits) const = 0;

  // For geerpc itself.
  detail::CodecId id() const noexcept { return id_; }
  const detail::Layout* layout() const noexcept { return layout_; }  // null: in our frames

 protected:
  explicit Codec(detail::CodecId id = detail::CodecId::custom,
                 const detail::Layout* layout = nullptr) noexcept
      : id_(id), layout_(layout) {}

 private:
  detail::CodecId id_;
  const detail::Layout* layout_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_CODEC_CLASS_HPP
