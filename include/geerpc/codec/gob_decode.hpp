// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// From gob to C++ values, by Go's rules: fields match by name, numbers keep their kind and must
// fit, maps are added to, all other containers are replaced.
//
// But for one: a field that the sender has and did not send is zero, and becomes so here. In Go it
// stays as it is, since there every fresh object is zero; a C++ struct may have other defaults. A
// field that the sender does not have keeps them.

#ifndef GEERPC_CODEC_GOB_DECODE_HPP
#define GEERPC_CODEC_GOB_DECODE_HPP

#include <algorithm>    // min
#include <cmath>        // fabs
#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <limits>       // numeric_limits
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // get, tuple_size
#include <type_traits>  // is_same, is_signed, underlying_type
#include <utility>      // index_sequence, move
#include <variant>      // monostate
#include <vector>       // vector

#include <geerpc/base/hot_path.hpp>
#include <geerpc/codec/decode.hpp>
#include <geerpc/codec/gob_schema.hpp>
#include <geerpc/codec/time.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

class GobDecoder;

// Reads a value of a type that was compared with that of the object.
template <class T>
void decode_gob_value(GobDecoder& in, const GobRemote& type, T& out);

// Reads a field of an object; without a type, makes it zero.
using GobFieldDecoder = void (*)(GobDecoder& in, const GobRemote* type, void* object);

// The decoding of one value: where it is and what it may do. What does not depend on C++ types is
// virtual, and called from functions that are cold, so that compilers don't guess which one it is
// going to be: then only programs that name gob have it (gob_stream.hpp).
class GobDecoder {
 public:
  GobReader& reader() noexcept { return reader_; }
  std::size_t depth_left() const noexcept { return depth_left_; }

  // The peer's type of that number. Throws Error if there is none.
  GEERPC_COLD const GobRemote& type(std::int64_t id) const { return find(id); }

  // The value that the message holds, into an object that is of the type `local`.
  template <class T>
  void read(T& out) {
    const GobType& local = gob_type<T>();
    const GobRemote& type = begin_as(local);
    place_.outermost = &local;
    decode_gob_value(*this, type, out);
  }

  // A struct, each of whose fields has a decoder.
  GEERPC_COLD void read_fields(const GobRemote& type, const GobType& local,
                               const GobFieldDecoder* decoders, void* object) {
    read_struct(type, local, decoders, object);
  }

  // One level of nesting, and what is out of range on it is an element.
  class Level {
   public:
    explicit Level(GobDecoder& in) : in_(in) {
      if (in.depth_left_ == 0) throw_too_deep(in.limits_.max_depth);
      --in.depth_left_;
      ++in.place_.nesting;
    }
    ~Level() {
      ++in_.depth_left_;
      --in_.place_.nesting;
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    GobDecoder& in_;
  };

  [[noreturn]] void throw_out_of_range() const {
    std::string name = place_.outermost != nullptr ? "*" + gob_type_name(*place_.outermost)
                                                   : std::string(place_.field);
    for (int i = 0; i < place_.nesting; ++i) name.insert(0, "element of ");
    throw_bad_value("value for \"" + name + "\" out of range");
  }

 protected:
  // What Go calls the place of a value in its errors: a field, or the outermost value, or an
  // element of one.
  struct Place {
    const GobType* outermost = nullptr;
    std::string_view field;
    int nesting = 0;
  };

  GobDecoder(std::string_view in, const DecodeLimits& limits)
      : reader_(in), limits_(limits), depth_left_(limits.max_depth) {}
  ~GobDecoder() = default;

  // Reads what stands in front of the value. Its type can become ours, or Error is thrown.
  virtual const GobRemote& begin(const GobType& local) = 0;
  virtual void read_struct(const GobRemote& type, const GobType& local,
                           const GobFieldDecoder* decoders, void* object) = 0;
  virtual const GobRemote& find(std::int64_t id) const = 0;

  Place place_;

 private:
  GEERPC_COLD const GobRemote& begin_as(const GobType& local) { return begin(local); }

  GobReader reader_;
  const DecodeLimits limits_;
  std::size_t depth_left_;
};

template <class T>
void decode_gob_number(GobDecoder& in, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    out = in.reader().uint() != 0;
  } else if constexpr (std::is_floating_point_v<T>) {
    const double value = in.reader().number();
    if constexpr (sizeof(T) < sizeof(double)) {
      constexpr double max = (std::numeric_limits<T>::max)();
      const bool infinite = std::fabs(value) > (std::numeric_limits<double>::max)();
      if (std::fabs(value) > max && !infinite) in.throw_out_of_range();
    }
    out = static_cast<T>(value);
  } else if constexpr (std::is_signed_v<T>) {
    const std::int64_t value = in.reader().integer();
    if (value < (std::numeric_limits<T>::min)() || value > (std::numeric_limits<T>::max)()) {
      in.throw_out_of_range();
    }
    out = static_cast<T>(value);
  } else {
    const std::uint64_t value = in.reader().uint();
    if (value > (std::numeric_limits<T>::max)()) in.throw_out_of_range();
    out = static_cast<T>(value);
  }
}

template <class T>
void decode_gob_time(GobDecoder& in, T& out) {
  // Version 1, see encode_gob_time(); version 2 has seconds of the time zone behind its minutes.
  const std::string_view bytes = in.reader().string();
  const bool known = (bytes.size() == 15 && bytes[0] == 1) || (bytes.size() == 16 && bytes[0] == 2);
  if (!known) throw_bad_value("gob: not a time");
  const auto seconds = static_cast<std::int64_t>(load_big_endian<8>(bytes.data() + 1) +
                                                 static_cast<std::uint64_t>(kZeroTime.seconds));
  const std::uint64_t nanoseconds = load_big_endian<4>(bytes.data() + 9);
  if (nanoseconds >= 1000000000) throw_bad_value("gob: not a time");
  from_moment({seconds, static_cast<std::uint32_t>(nanoseconds)}, out);
}

template <class T>
void decode_gob_sequence(GobDecoder& in, const GobRemote& type, T& out) {
  using Element = element_of_t<T>;
  const std::size_t count = in.reader().count();
  const GobRemote& of = in.type(type.element);
  const GobDecoder::Level level(in);
  if constexpr (std::is_same_v<T, std::vector<Element>> && std::is_arithmetic_v<Element> &&
                !std::is_same_v<Element, bool>) {
    out.assign(count, Element());  // at most eight times the bytes that are there
    for (Element& element : out) decode_gob_value(in, of, element);
  } else if constexpr (std::is_same_v<T, std::vector<Element>> && !std::is_same_v<Element, bool>) {
    out.clear();
    // Never reserve more memory than there are bytes to read: a count is only a claim.
    out.reserve((std::min)(count, in.reader().left() / sizeof(Element) + 1));
    for (std::size_t i = 0; i < count; ++i) {
      in.reader().begin_element();
      decode_gob_value(in, of, out.emplace_back());
    }
  } else {
    out.clear();
    for (std::size_t i = 0; i < count; ++i) {
      in.reader().begin_element();
      Element element{};
      decode_gob_value(in, of, element);
      out.insert(out.end(), std::move(element));
    }
  }
}

template <class T>
void decode_gob_array(GobDecoder& in, const GobRemote& type, T& out) {
  const GobRemote& of = in.type(type.element);
  const GobDecoder::Level level(in);
  if (in.reader().count() != sizeof(T) / sizeof(element_of_t<T>)) {
    throw_bad_value("gob: length mismatch in decodeArray");
  }
  for (auto& element : out) decode_gob_value(in, of, element);
}

template <class T>
void decode_gob_map(GobDecoder& in, const GobRemote& type, T& out) {
  const GobRemote& key_type = in.type(type.key);
  const GobRemote& of = in.type(type.element);
  const GobDecoder::Level level(in);
  for (std::size_t left = in.reader().count(); left != 0; --left) {
    in.reader().begin_element();
    typename T::key_type key{};
    typename T::mapped_type mapped{};
    decode_gob_value(in, key_type, key);
    decode_gob_value(in, of, mapped);
    out.insert_or_assign(std::move(key), std::move(mapped));
  }
}

// What Go leaves out as its zero value. Structs and arrays are never left out.
template <class T>
void clear_gob_value(T& out) {
  constexpr Kind kind = kind_v<T>;
  if constexpr (kind == Kind::time) {
    out = (T::min)();
  } else if constexpr (std::is_same_v<T, std::string_view> || kind == Kind::boolean ||
                       kind == Kind::integer || kind == Kind::enumeration ||
                       kind == Kind::floating || kind == Kind::duration || kind == Kind::nullable) {
    out = T{};
  } else if constexpr (kind == Kind::string || kind == Kind::bytes || kind == Kind::sequence ||
                       kind == Kind::map) {
    out.clear();
  }
}
template <class T>
void decode_gob_member(GobDecoder& in, const GobRemote* type, T& out) {
  if (type == nullptr) return clear_gob_value(out);
  decode_gob_value(in, *type, out);
}

// The decoders of a struct's fields, in the order of GobFields.
template <class T, std::size_t i>
void decode_gob_field(GobDecoder& in, const GobRemote* type, void* object) {
  T& out = *static_cast<T*>(object);
  decode_gob_member(in, type, field_in(out, std::get<i>(field_table_v<T>.fields).pointer));
}
template <class T, std::size_t i, std::size_t k>
void decode_gob_promoted(GobDecoder& in, const GobRemote* type, void* object);
struct GobFieldDecoderOf {
  template <class T, std::size_t i>
  static constexpr GobFieldDecoder own() {
    return &decode_gob_field<T, i>;
  }
  template <class T, std::size_t i, std::size_t k>
  static constexpr GobFieldDecoder promoted() {
    return &decode_gob_promoted<T, i, k>;
  }
};
template <class T>
inline constexpr auto gob_field_decoders_v =
    GobFields<T>::template make<GobFieldDecoder, GobFieldDecoderOf>();
template <class T, std::size_t i, std::size_t k>
void decode_gob_promoted(GobDecoder& in, const GobRemote* type, void* object) {
  auto& embedded = field_in(*static_cast<T*>(object), std::get<i>(field_table_v<T>.fields).pointer);
  gob_field_decoders_v<std::decay_t<decltype(embedded)>>[k](in, type, &embedded);
}

template <class T, std::size_t i>
void decode_gob_element(GobDecoder& in, const GobRemote* type, void* tuple) {
  decode_gob_member(in, type, std::get<i>(*static_cast<T*>(tuple)));
}
template <class T, std::size_t... i>
void decode_gob_tuple(GobDecoder& in, const GobRemote& type, T& out, std::index_sequence<i...>) {
  static constexpr GobFieldDecoder decoders[] = {&decode_gob_element<T, i>..., nullptr};
  in.read_fields(type, gob_type<T>(), decoders, &out);
}

template <class T>
void decode_gob_value(GobDecoder& in, const GobRemote& type, T& out) {
  constexpr Kind kind = kind_v<T>;
  if constexpr (!decodable_v<T> && !std::is_same_v<T, std::string_view>) {
    // decode_value() has said so.
  } else if constexpr (kind == Kind::boolean || kind == Kind::integer || kind == Kind::floating) {
    decode_gob_number(in, out);
  } else if constexpr (kind == Kind::enumeration) {
    std::underlying_type_t<T> number{};
    decode_gob_number(in, number);
    out = static_cast<T>(number);
  } else if constexpr (kind == Kind::duration) {
    out = from_nanoseconds<T>(in.reader().integer());
  } else if constexpr (kind == Kind::time) {
    decode_gob_time(in, out);
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    out = in.reader().string();  // geerpc's own headers: as long as the input stays
  } else if constexpr (kind == Kind::string) {
    out.assign(in.reader().string());
  } else if constexpr (kind == Kind::bytes) {
    const std::string_view bytes = in.reader().string();
    const auto* const first = reinterpret_cast<const typename T::value_type*>(bytes.data());
    out.assign(first, first + bytes.size());
  } else if constexpr (kind == Kind::nullable) {
    using Element = element_of_t<T>;
    if constexpr (std::is_same_v<T, std::optional<Element>>) {
      if (!out) out.emplace();
    } else {
      if (!out) out = T(new Element());
    }
    decode_gob_value(in, type, *out);
  } else if constexpr (kind == Kind::foreign) {
    JsonReader reader(in.reader().string(), {in.depth_left()});
    decode_value(reader, out);
    reader.finish();
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    in.read_fields(type, gob_type<T>(), nullptr, nullptr);
  } else if constexpr (kind == Kind::fields) {
    in.read_fields(type, gob_type<T>(), gob_field_decoders_v<T>.data(), &out);
  } else if constexpr (kind == Kind::tuple) {
    decode_gob_tuple(in, type, out, std::make_index_sequence<std::tuple_size_v<T>>());
  } else if constexpr (kind == Kind::sequence) {
    decode_gob_sequence(in, type, out);
  } else if constexpr (kind == Kind::map) {
    decode_gob_map(in, type, out);
  } else {
    decode_gob_array(in, type, out);
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_DECODE_HPP
