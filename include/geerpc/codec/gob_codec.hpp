// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// "application/gob", the format of Go's encoding/gob. Unlike other codecs it has a memory: types
// are described once per stream. So each connection has a codec of its own.

#ifndef GEERPC_CODEC_GOB_CODEC_HPP
#define GEERPC_CODEC_GOB_CODEC_HPP

#include <cstddef>      // size_t
#include <cstring>      // memcpy
#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // get, tuple
#include <variant>      // monostate

#include <nlohmann/json.hpp>

#include <geerpc/codec/codec_class.hpp>
#include <geerpc/codec/gob_decode.hpp>
#include <geerpc/codec/gob_encode.hpp>
#include <geerpc/codec/gob_scan.hpp>
#include <geerpc/codec/gob_sent.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// What the two ends of a connection have told each other.
struct GobStream {
  GobSentTypes sent;  // by us; of who writes
  GobSchema seen;     // from the peer
};

class GobCodec final : public Codec {
 public:
  enum class Mode {
    complete,  // each value is a stream of its own
    stream,    // values are parts of a connection's streams
    early,     // encodes before it is known to which stream the value is going to belong
  };

  explicit GobCodec(Mode mode = Mode::complete) noexcept : Codec(CodecId::gob), mode_(mode) {}
  // The stream outlives the codec.
  explicit GobCodec(GobStream& stream) noexcept
      : Codec(CodecId::gob), mode_(Mode::stream), stream_(&stream) {}

  std::string_view content_type() const override { return "application/gob"; }
  void encode(const nlohmann::json& value, Buffer& out) const override;
  nlohmann::json decode(std::string_view in, const DecodeLimits& limits) const override;

  Mode mode() const noexcept { return mode_; }
  GobStream* stream() const noexcept { return stream_; }

 private:
  const Mode mode_;
  GobStream* const stream_ = nullptr;
};

// A value in a message of its own, behind the definitions that the peer lacks.
template <class Write>
void write_gob_message(GobSentTypes& sent, const GobType& type, std::size_t at_least, Buffer& out,
                       Write&& write) {
  const int id = sent.id_of(type, out);
  GobWriter writer(out);
  const std::size_t start = writer.begin_message(at_least);
  writer.integer(id);
  write(writer);
  writer.end_message(start);
}

// `write` appends what stands behind the number of the type.
template <class Write>
void encode_gob_as(const GobType& type, std::size_t at_least, const Codec& codec, Buffer& out,
                   Write&& write) {
  const auto& gob = static_cast<const GobCodec&>(codec);
  if (gob.mode() == GobCodec::Mode::early) {
    const GobType* const pointer = &type;
    out.append(&pointer, sizeof pointer);
    GobWriter writer(out);
    return write(writer);
  }
  if (gob.mode() == GobCodec::Mode::stream) {
    return write_gob_message(gob.stream()->sent, type, at_least, out, write);
  }
  GobSentTypes sent;
  write_gob_message(sent, type, at_least, out, write);
}

template <class T>
void encode_gob(const Codec& codec, Buffer& out, const T& value) {
  if constexpr (is_nullable_v<T>) {
    if (!value) {
      throw_bad_value("gob: cannot encode nil pointer of type *" + gob_type_name(gob_type<T>()));
    }
    encode_gob(codec, out, *value);
  } else {
    const GobType& type = gob_type<T>();
    encode_gob_as(type, gob_at_least(value), codec, out, [&](GobWriter& writer) {
      if (type.shape != GobShape::record) writer.uint(0);
      encode_gob_value(writer, value);
    });
  }
}
template <class... T>
void encode_gob_arguments(const Codec& codec, Buffer& out, const T&... args) {
  if constexpr (sizeof...(T) == 0) {
    encode_gob(codec, out, std::monostate());
  } else if constexpr (sizeof...(T) == 1) {
    (encode_gob(codec, out, args), ...);
  } else {
    const std::size_t at_least = (gob_at_least(args) + ...);
    encode_gob_as(gob_type<std::tuple<gob_target_t<T>...>>(), at_least, codec, out,
                  [&](GobWriter& writer) {
                    unsigned delta = 1;
                    (encode_gob_field(writer, args, delta), ...);
                    writer.uint(0);
                  });
  }
}

// What was encoded early, in the connection that it belongs to now.
inline void append_early_gob(const Codec& codec, Buffer& out, std::string_view early) {
  const GobType* type = nullptr;
  std::memcpy(&type, early.data(), sizeof type);
  early.remove_prefix(sizeof type);
  write_gob_message(static_cast<const GobCodec&>(codec).stream()->sent, *type, early.size(), out,
                    [&](GobWriter& writer) { writer.raw(early); });
}

// `in` is a value, in the messages that the scanner found it in, or for a codec without a stream a
// whole stream of just one value.
template <class T>
void decode_gob(const Codec& codec, std::string_view in, T& out, const DecodeLimits& limits) {
  const auto& gob = static_cast<const GobCodec&>(codec);
  if (gob.stream() != nullptr) {
    GobDecoder(in, gob.stream()->seen, limits).read(out);
    return;
  }
  GobSchema schema;
  GobScanner scanner(schema, limits.max_depth);
  const bool empty = in.empty();
  GobScanner::Found found;
  while ((found = scanner.scan(in)) == GobScanner::Found::definition) {
    in.remove_prefix(scanner.size());
  }
  if (found == GobScanner::Found::nothing) throw_bad_value(empty ? "EOF" : "unexpected EOF");
  if (scanner.size() != in.size()) throw_bad_value("gob: bytes behind the value");
  GobDecoder(in, schema, limits).read(out);
}
// Whoever takes no argument accepts any value.
template <class... T>
void decode_gob_arguments(const Codec& codec, std::string_view in, std::tuple<T...>& out,
                          const DecodeLimits& limits) {
  if constexpr (sizeof...(T) == 1) {
    decode_gob(codec, in, std::get<0>(out), limits);
  } else if constexpr (sizeof...(T) > 1) {
    decode_gob(codec, in, out, limits);
  }
}

inline void GobCodec::encode(const nlohmann::json& value, Buffer& out) const {
  encode_gob(*this, out, value);
}
inline nlohmann::json GobCodec::decode(std::string_view in, const DecodeLimits& limits) const {
  nlohmann::json value;
  decode_gob(*this, in, value, limits);
  return value;
}

inline const Codec& early_gob_codec() {
  static const GobCodec codec(GobCodec::Mode::early);
  return codec;
}

}  // namespace detail

// "application/gob": for Go programs that use net/rpc or GeeRPC. docs/interop.md says which types
// are which.
inline const Codec& gob_codec() {
  static const detail::GobCodec codec;
  return codec;
}

GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_CODEC_HPP
