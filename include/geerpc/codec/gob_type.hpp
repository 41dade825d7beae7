// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobType: what a C++ type is in gob, as data, so that types can be described to the peer, and
// compared with the peer's, by code that is no template.
//
// Pointers do not exist in gob: an optional<T> is a T that may be missing. A tuple is a struct with
// the fields F0, F1, …; a type that only nlohmann/json converts is its JSON text, as bytes, which
// is what Go's json.RawMessage is in gob.

#ifndef GEERPC_CODEC_GOB_TYPE_HPP
#define GEERPC_CODEC_GOB_TYPE_HPP

#include <array>        // array
#include <cstddef>      // size_t
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <tuple>        // get, tuple_element, tuple_size
#include <type_traits>  // conditional, enable_if, is_signed, remove_cv, underlying_type
#include <utility>      // index_sequence
#include <variant>      // monostate

#include <geerpc/reflect/kind.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// The numbers of types that both sides know. All others are at least kGobFirstId and defined first.
enum GobId : int {
  kGobBool = 1,
  kGobInt = 2,
  kGobUint = 3,
  kGobFloat = 4,
  kGobBytes = 5,
  kGobString = 6,
  kGobComplex = 7,
  kGobInterface = 8,
  kGobFirstId = 64,
};

enum class GobShape : unsigned char {
  basic,   // its number says all
  array,   // a fixed number of elements
  slice,   // any number
  map,     // keys with elements
  record,  // a struct
  opaque,  // bytes that a type of the peer's makes of itself: time.Time is one
};

struct GobType;

struct GobField {
  std::string_view name;
  const GobType& (*type)();
  bool pointer;  // may be missing
};

struct GobType {
  GobShape shape = GobShape::basic;
  int id = 0;                             // basic
  std::string_view name;                  // basic, record, opaque; in Go's words
  std::size_t length = 0;                 // array
  const GobType& (*key)() = nullptr;      // map
  const GobType& (*element)() = nullptr;  // array, slice, map
  bool element_is_pointer = false;        // array, slice, map
  const GobField* fields = nullptr;       // record
  std::size_t field_count = 0;            // record
  std::size_t match_count = 0;            // record; with those behind its own, see GobFields
};

// What a value of type T is described by: what a pointer points to, text of any kind as a string.
template <class T, class = void>
struct GobTarget {
  using type = std::conditional_t<kind_v<T> == Kind::string, std::string, std::remove_cv_t<T>>;
};
template <class T>
struct GobTarget<T, std::enable_if_t<is_nullable_v<std::remove_cv_t<T>>>> {
  using type = typename GobTarget<element_of_t<T>>::type;
};
template <class T>
using gob_target_t = typename GobTarget<T>::type;

template <class T>
constexpr GobType make_gob_type();

// The one description of T. Types refer to each other by functions, since they may be recursive.
template <class T>
const GobType& gob_type_of_target() {
  static constexpr GobType type = make_gob_type<T>();
  return type;
}
template <class T>
const GobType& gob_type() {
  return gob_type_of_target<gob_target_t<T>>();
}
template <class T>
constexpr GobField make_gob_field(std::string_view name) {
  return {name, &gob_type_of_target<gob_target_t<T>>, is_nullable_v<std::remove_cv_t<T>>};
}

// The fields of a struct. Behind its own there are those of embedded structs, which Go lets match
// what it receives (but does not send), too.
template <class T>
struct GobFields {
  template <std::size_t i>
  using Entry = std::decay_t<decltype(std::get<i>(field_table_v<T>.fields))>;

  static constexpr std::size_t own = entry_count_v<T>;
  template <std::size_t i>
  static constexpr std::size_t promoted_by() {
    if constexpr (Entry<i>::embedded) {
      return GobFields<field_target_t<Entry<i>>>::count();
    } else {
      return 0;
    }
  }
  template <std::size_t... i>
  static constexpr std::size_t count(std::index_sequence<i...>) {
    return (own + ... + promoted_by<i>());
  }
  static constexpr std::size_t count() { return count(std::make_index_sequence<own>()); }

  // An array of something about each field: `One` gives it for an own field and for field k of
  // embedded field i.
  template <class Element, class One, std::size_t... i>
  static constexpr std::array<Element, count()> make(std::index_sequence<i...>) {
    std::array<Element, count()> all{};
    [[maybe_unused]] std::size_t n = 0;
    ((all[n++] = One::template own<T, i>()), ...);
    (promote<Element, One, i>(all, n), ...);
    return all;
  }
  template <class Element, class One, std::size_t i>
  static constexpr void promote(std::array<Element, count()>& all, std::size_t& n) {
    if constexpr (Entry<i>::embedded) {
      promote<Element, One, i>(all, n, std::make_index_sequence<promoted_by<i>()>());
    }
  }
  template <class Element, class One, std::size_t i, std::size_t... k>
  static constexpr void promote(std::array<Element, count()>& all, std::size_t& n,
                                std::index_sequence<k...>) {
    ((all[n++] = One::template promoted<T, i, k>()), ...);
  }
  template <class Element, class One>
  static constexpr std::array<Element, count()> make() {
    return make<Element, One>(std::make_index_sequence<own>());
  }
};

struct GobFieldOf {
  template <class T, std::size_t i>
  static constexpr GobField own() {
    constexpr auto& entry = std::get<i>(field_table_v<T>.fields);
    return make_gob_field<field_target_t<decltype(entry)>>(entry.name);
  }
  template <class T, std::size_t i, std::size_t k>
  static constexpr GobField promoted();
};
template <class T>
inline constexpr auto gob_fields_v = GobFields<T>::template make<GobField, GobFieldOf>();
template <class T, std::size_t i, std::size_t k>
constexpr GobField GobFieldOf::promoted() {
  return gob_fields_v<field_target_t<typename GobFields<T>::template Entry<i>>>[k];
}

// "F0", "F1", …
template <std::size_t i>
inline constexpr std::array<char, 3> gob_tuple_text_v =
    i < 10 ? std::array<char, 3>{'F', static_cast<char>('0' + i), 0}
           : std::array<char, 3>{'F', static_cast<char>('0' + i / 10),
                                 static_cast<char>('0' + i % 10)};
template <std::size_t i>
constexpr std::string_view gob_tuple_name() {
  static_assert(i < 100, "geerpc: a tuple of more than 100 elements");
  return {gob_tuple_text_v<i>.data(), i < 10 ? 2 : 3};
}
template <class T>
struct GobTupleFields {
  template <std::size_t... i>
  static constexpr std::array<GobField, sizeof...(i)> make(std::index_sequence<i...>) {
    return {{make_gob_field<std::tuple_element_t<i, T>>(gob_tuple_name<i>())...}};
  }
  static constexpr auto all = make(std::make_index_sequence<std::tuple_size_v<T>>());
};

// The name in Go of an integer type; "int" is taken to have 64 bits, as on all its larger
// platforms.
template <class T>
constexpr std::string_view gob_integer_name() {
  constexpr bool is_signed = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return is_signed ? "int8" : "uint8";
    case 2:
      return is_signed ? "int16" : "uint16";
    case 4:
      return is_signed ? "int32" : "uint32";
    default:
      return is_signed ? "int" : "uint";
  }
}

template <class T>
constexpr GobType make_gob_type() {
  constexpr Kind kind = kind_v<T>;
  GobType type;
  if constexpr (kind == Kind::boolean) {
    type.id = kGobBool;
    type.name = "bool";
  } else if constexpr (kind == Kind::enumeration) {
    return make_gob_type<std::underlying_type_t<T>>();
  } else if constexpr (kind == Kind::integer) {
    type.id = std::is_signed_v<T> ? kGobInt : kGobUint;
    type.name = gob_integer_name<T>();
  } else if constexpr (kind == Kind::floating) {
    type.id = kGobFloat;
    type.name = sizeof(T) == sizeof(float) ? "float32" : "float64";
  } else if constexpr (kind == Kind::duration) {
    type.id = kGobInt;
    type.name = "time.Duration";
  } else if constexpr (kind == Kind::time) {
    type.shape = GobShape::opaque;
    type.name = "Time";
  } else if constexpr (kind == Kind::string) {
    type.id = kGobString;
    type.name = "string";
  } else if constexpr (kind == Kind::bytes || kind == Kind::foreign) {
    type.id = kGobBytes;
    type.name = "[]uint8";
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    type.shape = GobShape::record;
  } else if constexpr (kind == Kind::fields) {
    type.shape = GobShape::record;
    type.name = field_table_v<T>.type;
    type.fields = gob_fields_v<T>.data();
    type.field_count = entry_count_v<T>;
    type.match_count = gob_fields_v<T>.size();
  } else if constexpr (kind == Kind::tuple) {
    type.shape = GobShape::record;
    type.fields = GobTupleFields<T>::all.data();
    type.field_count = type.match_count = GobTupleFields<T>::all.size();
  } else if constexpr (kind == Kind::map) {
    type.shape = GobShape::map;
    type.key = &gob_type_of_target<gob_target_t<typename T::key_type>>;
    type.element = &gob_type_of_target<gob_target_t<typename T::mapped_type>>;
    type.element_is_pointer = is_nullable_v<typename T::mapped_type>;
  } else {
    type.shape = kind == Kind::array ? GobShape::array : GobShape::slice;
    type.element = &gob_type_of_target<gob_target_t<element_of_t<T>>>;
    type.element_is_pointer = is_nullable_v<std::remove_cv_t<element_of_t<T>>>;
    if constexpr (kind == Kind::array) type.length = sizeof(T) / sizeof(element_of_t<T>);
  }
  return type;
}

// As Go would write the type: "map[string][]*Item".
inline std::string gob_type_name(const GobType& type) {
  const auto element = [&] {
    return (type.element_is_pointer ? "*" : "") + gob_type_name(type.element());
  };
  switch (type.shape) {
    case GobShape::array:
      return "[" + std::to_string(type.length) + "]" + element();
    case GobShape::slice:
      return "[]" + element();
    case GobShape::map:
      return "map[" + gob_type_name(type.key()) + "]" + element();
    case GobShape::record:
      return type.name.empty() ? "struct {}" : std::string(type.name);
    case GobShape::basic:
    case GobShape::opaque:
      break;
  }
  return std::string(type.name);
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_TYPE_HPP
