// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// "application/gob", the format of Go's encoding/gob, as far as it depends on C++ types.

#ifndef GEERPC_CODEC_GOB_CODEC_HPP
#define GEERPC_CODEC_GOB_CODEC_HPP

#include <cstddef>      // size_t
#include <string_view>  // string_view
#include <tuple>        // get, tuple
#include <variant>      // monostate

#include <nlohmann/json.hpp>

#include <geerpc/base/function_ref.hpp>
#include <geerpc/codec/codec_class.hpp>
#include <geerpc/codec/gob_decode.hpp>
#include <geerpc/codec/gob_encode.hpp>
#include <geerpc/codec/gob_type.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// What can be done in gob with a value whose C++ type only the caller knows. Nothing more: every
// program that makes calls has this class, though it may have no codec for gob.
class GobCodec : public Codec {
 public:
  // Appends a value of the type. `write` appends what stands behind the number of the type, and
  // that has some `at_least` bytes.
  using Write = FunctionRef<void(GobWriter&)>;
  virtual void write(const GobType& type, std::size_t at_least, Buffer& out, Write write) const = 0;

  // `in` is one value and, if the codec is not of a connection, all that is there.
  using Read = FunctionRef<void(GobDecoder&)>;
  void read(std::string_view in, const DecodeLimits& limits, Read read) const {
    reader_(*this, in, limits, read);
  }

  // Encodes before it is known to which connection the value is going to belong.
  virtual const Codec& early() const = 0;
  virtual void append_early(std::string_view early, Buffer& out) const = 0;

 protected:
  // Not virtual: g++ would guess the one function that it can be, call that directly, and so put
  // all that reads gob into every program.
  using Reader = void (*)(const GobCodec&, std::string_view, const DecodeLimits&, Read);

  explicit GobCodec(Reader reader, const Layout* layout = nullptr) noexcept
      : Codec(CodecId::gob, layout), reader_(reader) {}

 private:
  const Reader reader_;
};

inline const GobCodec& as_gob(const Codec& codec) noexcept {
  return static_cast<const GobCodec&>(codec);
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
    const auto write = [&](GobWriter& writer) {
      if (type.shape != GobShape::record) writer.uint(0);
      encode_gob_value(writer, value);
    };
    as_gob(codec).write(type, gob_at_least(value), out, write);
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
    const auto write = [&](GobWriter& writer) {
      unsigned delta = 1;
      (encode_gob_field(writer, args, delta), ...);
      writer.uint(0);
    };
    as_gob(codec).write(gob_type<std::tuple<gob_target_t<T>...>>(), at_least, out, write);
  }
}

template <class T>
void decode_gob(const Codec& codec, std::string_view in, T& out, const DecodeLimits& limits) {
  const auto read = [&](GobDecoder& decoder) { decoder.read(out); };
  as_gob(codec).read(in, limits, read);
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

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_CODEC_HPP
