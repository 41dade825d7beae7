// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// From C++ values to gob.

#ifndef GEERPC_CODEC_GOB_ENCODE_HPP
#define GEERPC_CODEC_GOB_ENCODE_HPP

#include <algorithm>    // min
#include <cmath>        // signbit
#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // apply
#include <type_traits>  // is_arithmetic, is_same, is_signed, underlying_type
#include <variant>      // monostate
#include <vector>       // vector

#include <geerpc/codec/encode.hpp>
#include <geerpc/codec/gob_writer.hpp>
#include <geerpc/codec/json_writer.hpp>
#include <geerpc/codec/time.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

template <class T>
void encode_gob_value(GobWriter& out, const T& value);

// An arithmetic value or an enumerator as the unsigned integer that stands for it.
template <class T>
std::uint64_t gob_bits(T value) noexcept {
  if constexpr (std::is_enum_v<T>) {
    return gob_bits(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    return gob_from_double(static_cast<double>(value));
  } else if constexpr (std::is_signed_v<T>) {
    return gob_from_int(value);
  } else {
    return value;
  }
}

// Whether a field of a struct is left out, as Go leaves out what is zero or empty. Unlike Go we
// send -0.0, and whatever a pointer points to: a reader could not tell them from 0 and from nil.
template <class T>
bool gob_omits(const T& value) {
  constexpr Kind kind = kind_v<T>;
  if constexpr (kind == Kind::boolean || kind == Kind::integer || kind == Kind::enumeration ||
                kind == Kind::floating) {
    return gob_bits(value) == 0;
  } else if constexpr (kind == Kind::duration) {
    return value == T::zero();
  } else if constexpr (kind == Kind::string) {
    return text_of(value).empty();
  } else if constexpr (kind == Kind::bytes || kind == Kind::sequence || kind == Kind::map) {
    return value.empty();
  } else if constexpr (kind == Kind::nullable) {
    return !value;
  } else {
    return false;
  }
}

// A number of bytes that the value takes at least: all its text, but not what is in containers.
template <class T>
std::size_t gob_at_least(const T& value) {
  constexpr Kind kind = kind_v<T>;
  if constexpr (kind == Kind::string) {
    return text_of(value).size();
  } else if constexpr (kind == Kind::bytes || kind == Kind::sequence || kind == Kind::map) {
    return value.size();
  } else if constexpr (kind == Kind::nullable) {
    return value ? gob_at_least(*value) : 0;
  } else if constexpr (has_fields_v<T>) {
    std::size_t sum = 0;
    for_each_field(value,
                   [&](std::string_view, const auto& member) { sum += gob_at_least(member); });
    return sum;
  } else {
    return 0;
  }
}

template <class T>
void encode_gob_sequence(GobWriter& out, const T& value) {
  using Element = element_of_t<T>;
  out.uint(value.size());
  if constexpr (std::is_same_v<T, std::vector<Element>> && std::is_arithmetic_v<Element> &&
                !std::is_same_v<Element, bool>) {
    constexpr std::size_t batch = 512;
    for (std::size_t i = 0; i < value.size(); i += batch) {
      const std::size_t n = (std::min)(batch, value.size() - i);
      char* const begin = out.prepare(n);
      char* end = begin;
      for (std::size_t k = 0; k < n; ++k) end = put_gob_uint(end, gob_bits(value[i + k]));
      out.commit(static_cast<std::size_t>(end - begin));
    }
  } else {
    for (const Element& element : value) encode_gob_value(out, element);
  }
}

// Writes the field if it is not left out. `delta` is the distance to the last one that was written.
template <class T>
void encode_gob_field(GobWriter& out, const T& value, unsigned& delta) {
  if (gob_omits(value)) {
    ++delta;
    return;
  }
  out.uint(delta);
  delta = 1;
  encode_gob_value(out, value);
}
template <class T>
void encode_gob_fields(GobWriter& out, [[maybe_unused]] const T& value) {
  [[maybe_unused]] unsigned delta = 1;
  std::apply(
      [&](const auto&... entry) {
        (encode_gob_field(out, field_in(value, entry.pointer), delta), ...);
      },
      field_table_v<T>.fields);
  out.uint(0);
}

// Version 1 of Go's time.Time.GobEncode: seconds since the year 1, nanoseconds, and the time zone
// in minutes, of which -1 is UTC.
template <class T>
void encode_gob_time(GobWriter& out, const T& time) {
  const Moment moment = to_moment(time);
  char bytes[15] = {1};
  store_big_endian(bytes + 1, static_cast<std::uint64_t>(moment.seconds) -
                                  static_cast<std::uint64_t>(kZeroTime.seconds));
  store_big_endian(bytes + 9, moment.nanoseconds);
  store_big_endian(bytes + 13, std::uint16_t{0xFFFF});
  out.string({bytes, sizeof bytes});
}

template <class T>
void encode_gob_json(GobWriter& out, const T& value) {
  Buffer text;
  JsonWriter writer(text);
  encode_value(writer, value);
  out.string(text.view());
}

// Writes one value of any type, without the number of its type. Recursive as the type is.
template <class T>
void encode_gob_value(GobWriter& out, const T& value) {
  constexpr Kind kind = kind_v<T>;
  static_assert(encodable_v<T>,
                "geerpc: this type has no GEERPC_FIELDS and nlohmann/json does not convert it, "
                "so it can't be sent; give it GEERPC_FIELDS or a to_json function");
  if constexpr (!encodable_v<T>) {
  } else if constexpr (kind == Kind::boolean || kind == Kind::integer ||
                       kind == Kind::enumeration || kind == Kind::floating) {
    out.uint(gob_bits(value));
  } else if constexpr (kind == Kind::duration) {
    out.integer(to_nanoseconds(value));
  } else if constexpr (kind == Kind::time) {
    encode_gob_time(out, value);
  } else if constexpr (kind == Kind::string) {
    out.string(text_of(value), Lifetime::call);
  } else if constexpr (kind == Kind::bytes) {
    out.string({reinterpret_cast<const char*>(value.data()), value.size()}, Lifetime::call);
  } else if constexpr (kind == Kind::nullable) {
    if (!value) throw_bad_value("gob: encodeReflectValue: nil element");
    encode_gob_value(out, *value);
  } else if constexpr (kind == Kind::foreign) {
    encode_gob_json(out, value);
  } else {
    out.descend();
    if constexpr (std::is_same_v<T, std::monostate>) {
      out.uint(0);
    } else if constexpr (kind == Kind::fields) {
      encode_gob_fields(out, value);
    } else if constexpr (kind == Kind::sequence) {
      encode_gob_sequence(out, value);
    } else if constexpr (kind == Kind::map) {
      out.uint(value.size());
      for (const auto& [key, mapped] : value) {
        encode_gob_value(out, key);
        encode_gob_value(out, mapped);
      }
    } else if constexpr (kind == Kind::array) {
      out.uint(sizeof(T) / sizeof(element_of_t<T>));
      for (const auto& element : value) encode_gob_value(out, element);
    } else {
      static_assert(kind == Kind::tuple);
      unsigned delta = 1;
      std::apply([&](const auto&... element) { (encode_gob_field(out, element, delta), ...); },
                 value);
      out.uint(0);
    }
    out.ascend();
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_ENCODE_HPP
