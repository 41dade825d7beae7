// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Codec: a format for values, known by its content type. JSON and MessagePack are built in.

#ifndef GEERPC_CODEC_CODEC_HPP
#define GEERPC_CODEC_CODEC_HPP

#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // tuple
#include <utility>      // move

#include <nlohmann/json.hpp>

#include <geerpc/base/buffer.hpp>
#include <geerpc/base/function_ref.hpp>
#include <geerpc/codec/decode.hpp>
#include <geerpc/codec/dom.hpp>
#include <geerpc/codec/encode.hpp>
#include <geerpc/codec/json_reader.hpp>
#include <geerpc/codec/json_rpc_params.hpp>
#include <geerpc/codec/json_writer.hpp>
#include <geerpc/codec/limits.hpp>
#include <geerpc/codec/msgpack_reader.hpp>
#include <geerpc/codec/msgpack_writer.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The built-in codecs go directly between C++ values and bytes, with templates, which a virtual
// function can't be: they are told apart by this.
enum class CodecId { custom, json, msgpack, json_rpc_1, json_rpc_2 };

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

 protected:
  explicit Codec(detail::CodecId id = detail::CodecId::custom) noexcept : id_(id) {}

 private:
  detail::CodecId id_;
};

namespace detail {

// Let `f` write or read, and put the path to the field before which it failed into the error.
template <class Writer, class F>
void write_with(Buffer& out, F f) {
  Writer writer(out);
  try {
    f(writer);
  } catch (const Error& e) {
    throw writer.path().explain(e);
  }
}
template <class Reader, class F>
void read_with(std::string_view in, const DecodeLimits& limits, F f) {
  Reader reader(in, limits);
  try {
    f(reader);
    reader.finish();
  } catch (const Error& e) {
    throw reader.path().explain(e);
  }
}

// A built-in codec for values that are nlohmann::json already.
template <class Reader, class Writer>
class BuiltinCodec final : public Codec {
 public:
  BuiltinCodec(CodecId id, std::string_view content_type) noexcept
      : Codec(id), content_type_(content_type) {}

  std::string_view content_type() const override { return content_type_; }
  void encode(const nlohmann::json& value, Buffer& out) const override {
    write_with<Writer>(out, [&](Writer& writer) { write_dom(writer, value); });
  }
  nlohmann::json decode(std::string_view in, const DecodeLimits& limits) const override {
    nlohmann::json value;
    read_with<Reader>(in, limits, [&](Reader& reader) { read_dom(reader, value); });
    return value;
  }

 private:
  std::string_view content_type_;
};

}  // namespace detail

// "application/json": byte for byte what Go's encoding/json writes.
inline const Codec& json_codec() {
  static const detail::BuiltinCodec<detail::JsonReader, detail::JsonWriter> codec(
      detail::CodecId::json, "application/json");
  return codec;
}

// "application/msgpack": smaller and several times as fast; the default between C++ programs.
inline const Codec& msgpack_codec() {
  static const detail::BuiltinCodec<detail::MsgpackReader, detail::MsgpackWriter> codec(
      detail::CodecId::msgpack, "application/msgpack");
  return codec;
}

namespace detail {

// JSON, but for the arguments of a call: see json_rpc_args(). It is never named in an option.
inline const Codec& json_rpc_codec(int version) {
  static const BuiltinCodec<JsonReader, JsonWriter> one(CodecId::json_rpc_1, "JSON-RPC 1.0"),
      two(CodecId::json_rpc_2, "JSON-RPC 2.0");
  return version == 1 ? one : two;
}
inline bool is_json_rpc(const Codec& codec) noexcept {
  return codec.id() == CodecId::json_rpc_1 || codec.id() == CodecId::json_rpc_2;
}

// A custom codec sees values as nlohmann::json; from and to C++ types they go by way of
// MessagePack, which loses nothing.
inline void encode_custom(const Codec& codec, std::string_view msgpack, Buffer& out) {
  nlohmann::json value;
  MsgpackReader reader(msgpack, {kMaxEncodeDepth});
  read_dom(reader, value);
  translate_exceptions(codec.content_type(), [&] { codec.encode(value, out); });
}
inline Buffer decode_custom(const Codec& codec, std::string_view in, const DecodeLimits& limits) {
  nlohmann::json value;
  translate_exceptions(codec.content_type(), [&] { value = codec.decode(in, limits); });
  Buffer msgpack;
  MsgpackWriter writer(msgpack, limits.max_depth);
  write_dom(writer, value);
  return msgpack;
}

// The one place that knows the built-in codecs: f gets the writer or reader of the one in use.
template <class F>
void encode_with(const Codec& codec, Buffer& out, F f) {
  switch (codec.id()) {
    case CodecId::json:
    case CodecId::json_rpc_1:
    case CodecId::json_rpc_2:
      return write_with<JsonWriter>(out, f);
    case CodecId::msgpack:
      return write_with<MsgpackWriter>(out, f);
    case CodecId::custom: {
      Buffer msgpack;
      write_with<MsgpackWriter>(msgpack, f);
      return encode_custom(codec, msgpack.view(), out);
    }
  }
}
template <class F>
void decode_with(const Codec& codec, std::string_view in, const DecodeLimits& limits, F f) {
  switch (codec.id()) {
    case CodecId::json:
    case CodecId::json_rpc_1:
    case CodecId::json_rpc_2:
      return read_with<JsonReader>(in, limits, f);
    case CodecId::msgpack:
      return read_with<MsgpackReader>(in, limits, f);
    case CodecId::custom:
      return read_with<MsgpackReader>(decode_custom(codec, in, limits).view(), limits, f);
  }
}

// Appends the value to `out`. Throws Error(invalid_argument) if it can't be encoded, and then may
// leave a part of it in `out`.
template <class T>
void encode(const Codec& codec, Buffer& out, const T& value) {
  encode_with(codec, out, [&](auto& writer) { encode_value(writer, value); });
}

// Reads exactly one value. Throws Error(invalid_argument) if `in` is anything else, and then may
// leave a part of it in `out`.
template <class T>
void decode(const Codec& codec, std::string_view in, T& out, const DecodeLimits& limits = {}) {
  decode_with(codec, in, limits, [&](auto& reader) { decode_value(reader, out); });
}

// Appends arguments or a result, in the codec that the connection has.
using EncodeBody = FunctionRef<void(const Codec&, Buffer&)>;

// The result of a method that has none.
inline void encode_nothing(const Codec& codec, Buffer& out) {
  encode_with(codec, out, [](auto& writer) { encode_arguments(writer); });
}

// The arguments of a call: none is null, one is itself, several are an array.
template <class... T>
void encode_args(const Codec& codec, Buffer& out, const T&... args) {
  const bool bare = sizeof...(T) <= 1 && is_json_rpc(codec);  // there everything is in an array
  if (bare) out.push_back('[');
  if (!bare || sizeof...(T) != 0) {
    encode_with(codec, out, [&](auto& writer) { encode_arguments(writer, args...); });
  }
  if (bare) out.push_back(']');
}
template <class... T>
void decode_args(const Codec& codec, std::string_view in, std::tuple<T...>& out,
                 const DecodeLimits& limits = {}) {
  if (is_json_rpc(codec)) {
    in = json_rpc_args(in, sizeof...(T), codec.id() == CodecId::json_rpc_2, limits);
  }
  decode_with(codec, in, limits, [&](auto& reader) { decode_arguments(reader, out); });
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_CODEC_HPP
