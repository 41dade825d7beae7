// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GEERPC_FIELDS: the field table of a struct, from which codecs go directly between object and
// bytes.
//
//   struct Args { int Num1 = 0, Num2 = 0; };
//   GEERPC_FIELDS(Args, Num1, Num2)                    // names on the wire as in C++
//
//   struct Point { int x = 0, y = 0; };
//   GEERPC_FIELDS_AS(Point, (x, "X"), (y, "Y"))        // other names on the wire
//
// It stands in the namespace of the type, behind its definition, and takes 0 to 64 public data
// members, those of base classes too. The rule for changing such a struct later: a reader skips
// fields that it does not know, and a field that was not sent keeps the value that it has in a
// default-constructed object. So fields may be added, removed and reordered, but not renamed.

#ifndef GEERPC_REFLECT_FIELDS_HPP
#define GEERPC_REFLECT_FIELDS_HPP

#include <array>        // array
#include <cstddef>      // size_t
#include <string_view>  // string_view
#include <tuple>        // apply, tuple
#include <type_traits>  // is_invocable, is_member_object_pointer, void_t
#include <utility>      // index_sequence

#include <geerpc/reflect/macros.hpp>

#define GEERPC_FIELDS(...) GEERPC_DETAIL_FIELDS(GEERPC_DETAIL_FIELD, __VA_ARGS__)
#define GEERPC_FIELDS_AS(...) GEERPC_DETAIL_FIELDS(GEERPC_DETAIL_FIELD_PAIR, __VA_ARGS__)

#define GEERPC_DETAIL_FIELDS(entry, ...)                                                           \
  [[maybe_unused]] constexpr auto geerpc_fields(                                                   \
      ::geerpc::detail::Tag<GEERPC_DETAIL_FIRST(__VA_ARGS__)>) {                                   \
    return ::geerpc::detail::make_field_table(GEERPC_DETAIL_TEXT(GEERPC_DETAIL_FIRST(__VA_ARGS__)) \
                                                  GEERPC_DETAIL_EACH(entry, __VA_ARGS__));         \
  }
#define GEERPC_DETAIL_FIELD(type, member) GEERPC_DETAIL_FIELD_ENTRY(type, member, #member)
#define GEERPC_DETAIL_FIELD_PAIR(type, pair) \
  GEERPC_DETAIL_CALL(GEERPC_DETAIL_FIELD_ENTRY, type, GEERPC_DETAIL_UNWRAP pair)

// A generic lambda, so that a member that can't be named is a question and not yet an error.
#define GEERPC_DETAIL_FIELD_ENTRY(type, member, name)                                         \
  ::geerpc::detail::make_field<type>(name,                                                    \
                                     [](auto tag) -> decltype(&decltype(tag)::Type::member) { \
                                       return &decltype(tag)::Type::member;                   \
                                     })

GEERPC_BEGIN_NAMESPACE
namespace detail {

template <class Pointer>
struct Field {
  std::string_view name;
  Pointer pointer;
};

template <class... Pointers>
struct FieldTable {
  std::string_view type;  // unqualified
  std::tuple<Field<Pointers>...> fields;
};

template <class T, class Probe>
constexpr auto make_field(std::string_view name, Probe probe) {
  if constexpr (std::is_invocable_v<Probe, Tag<T>>) {
    using Pointer = decltype(probe(Tag<T>{}));
    static_assert(std::is_member_object_pointer_v<Pointer>,
                  "geerpc: GEERPC_FIELDS names something that is not a data member of the type");
    return Field<Pointer>{name, probe(Tag<T>{})};
  } else {
    static_assert(always_false_v<Probe>,
                  "geerpc: GEERPC_FIELDS names a member that the type does not have, that is not "
                  "public, or that is a reference or a bit-field");
    return Field<int T::*>{name, nullptr};
  }
}

template <class... Pointers>
constexpr FieldTable<Pointers...> make_field_table(std::string_view type,
                                                   Field<Pointers>... fields) {
  return {unqualified(type), {fields...}};
}

// Takes the place of a list that is too long; the static_assert of too_many_entries has spoken.
constexpr FieldTable<> make_field_table(std::string_view type, int) { return {type, {}}; }

template <class T, class = void>
inline constexpr bool has_fields_v = false;
template <class T>
inline constexpr bool has_fields_v<T, std::void_t<decltype(geerpc_fields(Tag<T>{}))>> = true;
template <class T>
inline constexpr bool has_fields_v<const T, void> = has_fields_v<T>;

// The table of T. Asking for it is an error unless has_fields_v<T>.
template <class T>
inline constexpr auto field_table_v = geerpc_fields(Tag<T>{});
template <class T>
inline constexpr auto field_table_v<const T> = field_table_v<T>;

template <class T>
inline constexpr std::size_t field_count_v = std::tuple_size_v<decltype(field_table_v<T>.fields)>;

// The wire names, in the order of the table.
template <class T>
inline constexpr std::array<std::string_view, field_count_v<T>> field_names_v = std::apply(
    [](const auto&... field) {
      return std::array<std::string_view, sizeof...(field)>{field.name...};
    },
    field_table_v<T>.fields);

// The wire name of a field as a type, so that code can be made for just this name.
template <class T, std::size_t index>
struct FieldName {
  static constexpr std::string_view text = field_names_v<T>[index];
};

template <class T, class F, std::size_t... i>
constexpr void visit_fields([[maybe_unused]] T& object, [[maybe_unused]] F& f,
                            std::index_sequence<i...>) {
  (f(FieldName<std::remove_const_t<T>, i>{},
     object.*(std::get<i>(field_table_v<T>.fields).pointer)),
   ...);
}

// Calls f(FieldName<T, …>{}, member) for each field, in the order of the table.
template <class T, class F>
constexpr void for_each_named_field(T& object, F f) {
  visit_fields(object, f, std::make_index_sequence<field_count_v<T>>());
}

// Calls f(name, member) for each field, in the order of the table.
template <class T, class F>
constexpr void for_each_field(T& object, F f) {
  for_each_named_field(object, [&f](auto name, auto& member) { f(name.text, member); });
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_REFLECT_FIELDS_HPP
