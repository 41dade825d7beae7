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
//
// What Go calls an embedded struct is marked. Its fields travel as if they were the outer struct's
// own, but in gob it is a field that is named like its type, as in Go:
//
//   struct Derived : Base { std::string Label; };      // a base class,
//   GEERPC_FIELDS(Derived, embedded(Base), Label)      // by its name without namespace; or a
//   member GEERPC_FIELDS_AS(Derived, (embedded(base), "Base"), (label, "Label"))

#ifndef GEERPC_REFLECT_FIELDS_HPP
#define GEERPC_REFLECT_FIELDS_HPP

#include <array>        // array
#include <cstddef>      // size_t
#include <string_view>  // string_view
#include <tuple>        // apply, tuple
#include <type_traits>  // conditional, decay, is_invocable, is_member_object_pointer, void_t
#include <utility>      // declval, index_sequence

#include <geerpc/reflect/macros.hpp>

#define GEERPC_FIELDS(...) GEERPC_DETAIL_FIELDS(GEERPC_DETAIL_FIELD, __VA_ARGS__)
#define GEERPC_FIELDS_AS(...) GEERPC_DETAIL_FIELDS(GEERPC_DETAIL_FIELD_PAIR, __VA_ARGS__)

#define GEERPC_DETAIL_FIELDS(entry, ...)                                                           \
  [[maybe_unused]] constexpr auto geerpc_fields(                                                   \
      ::geerpc::detail::Tag<GEERPC_DETAIL_FIRST(__VA_ARGS__)>) {                                   \
    return ::geerpc::detail::make_field_table(GEERPC_DETAIL_TEXT(GEERPC_DETAIL_FIRST(__VA_ARGS__)) \
                                                  GEERPC_DETAIL_EACH(entry, __VA_ARGS__));         \
  }
#define GEERPC_DETAIL_FIELD(type, member)                                                        \
  GEERPC_DETAIL_CALL(GEERPC_DETAIL_FIELD_PICK, type, member, #member, GEERPC_DETAIL_IF_##member, \
                     GEERPC_DETAIL_EMBEDDED_FIELD, , GEERPC_DETAIL_FIELD_ENTRY, )
#define GEERPC_DETAIL_FIELD_PAIR(type, pair) \
  GEERPC_DETAIL_FIELD_UNWRAPPED(type, GEERPC_DETAIL_UNWRAP pair)
#define GEERPC_DETAIL_FIELD_UNWRAPPED(...) GEERPC_DETAIL_FIELD_NAMED(__VA_ARGS__)
#define GEERPC_DETAIL_FIELD_NAMED(type, member, name)                                         \
  GEERPC_DETAIL_CALL(GEERPC_DETAIL_FIELD_PICK, type, member, name, GEERPC_DETAIL_IF_##member, \
                     GEERPC_DETAIL_EMBEDDED_FIELD_AS, , GEERPC_DETAIL_FIELD_ENTRY, )

// `embedded(x)` turns into more arguments than `x`, and so moves another macro to the place of
// `entry`.
#define GEERPC_DETAIL_IF_embedded(member) , member, #member
#define GEERPC_DETAIL_FIELD_PICK(type, member, name, none, inner, inner_name, entry, ...) \
  entry(type, member, name, inner, inner_name)

// Generic lambdas, so that a member that can't be named is a question and not yet an error.
#define GEERPC_DETAIL_FIELD_ENTRY(type, member, name, ...) \
  ::geerpc::detail::make_field<type>(name, GEERPC_DETAIL_MEMBER_PROBE(member))
#define GEERPC_DETAIL_EMBEDDED_FIELD(type, member, name, inner, inner_name) \
  GEERPC_DETAIL_EMBEDDED_FIELD_AS(type, member, inner_name, inner, )
#define GEERPC_DETAIL_EMBEDDED_FIELD_AS(type, member, name, inner, ...) \
  ::geerpc::detail::make_embedded<type>(                                \
      name, GEERPC_DETAIL_MEMBER_PROBE(inner),                          \
      [](auto tag) -> ::geerpc::detail::Tag<typename decltype(tag)::Type::inner> { return {}; })
#define GEERPC_DETAIL_MEMBER_PROBE(member) \
  [](auto tag) -> decltype(&decltype(tag)::Type::member) { return &decltype(tag)::Type::member; }

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Stands for a pointer to a subobject that is no member.
template <class Base>
struct BaseClass {};

// Pointer is a pointer to a member or a BaseClass.
template <class Pointer, bool is_embedded = false>
struct Field {
  static constexpr bool embedded = is_embedded;
  std::string_view name;
  Pointer pointer;
};

template <class... Fields>
struct FieldTable {
  std::string_view type;  // unqualified
  std::tuple<Fields...> fields;
};

// The type of what a field refers to, and that in an object.
template <class Field>
struct FieldTarget;
template <class M, class C, bool embedded>
struct FieldTarget<Field<M C::*, embedded>> {
  using type = M;
};
template <class Base, bool embedded>
struct FieldTarget<Field<BaseClass<Base>, embedded>> {
  using type = Base;
};
template <class Field>
using field_target_t = typename FieldTarget<std::decay_t<Field>>::type;

template <class T, class M, class C>
constexpr auto& field_in(T& object, M C::*pointer) {
  return object.*pointer;
}
template <class T, class Base>
constexpr auto& field_in(T& object, BaseClass<Base>) {
  return static_cast<std::conditional_t<std::is_const_v<T>, const Base, Base>&>(object);
}

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

template <class T, class Probe, class BaseProbe>
constexpr auto make_embedded(std::string_view name, Probe probe, BaseProbe) {
  if constexpr (std::is_invocable_v<Probe, Tag<T>>) {
    return Field<decltype(probe(Tag<T>{})), true>{name, probe(Tag<T>{})};
  } else if constexpr (std::is_invocable_v<BaseProbe, Tag<T>>) {
    using Base = typename decltype(std::declval<BaseProbe>()(Tag<T>{}))::Type;
    static_assert(std::is_convertible_v<T*, Base*>,
                  "geerpc: embedded(X) in GEERPC_FIELDS: X is no public base class of the type");
    return Field<BaseClass<Base>, true>{name, {}};
  } else {
    static_assert(always_false_v<Probe>,
                  "geerpc: embedded(X) in GEERPC_FIELDS: the type has no public member and no "
                  "public base class X");
    return Field<BaseClass<T>, true>{name, {}};
  }
}

template <class... Fields>
constexpr FieldTable<Fields...> make_field_table(std::string_view type, Fields... fields) {
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

// The table's own entries, among them embedded structs as one each: what gob has.
template <class T>
inline constexpr std::size_t entry_count_v = std::tuple_size_v<decltype(field_table_v<T>.fields)>;

template <class T>
constexpr std::size_t count_fields();

// All fields, with those of embedded structs in place of these: what the other codecs have.
template <class T>
inline constexpr std::size_t field_count_v = count_fields<T>();

// How many fields an entry stands for.
template <class Field>
constexpr std::size_t count_entry() {
  if constexpr (!Field::embedded) {
    return 1;
  } else {
    using Embedded = field_target_t<Field>;
    static_assert(has_fields_v<Embedded>, "geerpc: an embedded struct needs GEERPC_FIELDS, too");
    return field_count_v<Embedded>;
  }
}
template <class T>
constexpr std::size_t count_fields() {
  return std::apply(
      [](const auto&... entry) {
        return (std::size_t{0} + ... + count_entry<std::decay_t<decltype(entry)>>());
      },
      field_table_v<T>.fields);
}

// The wire names of all fields, in their order.
template <class T>
constexpr std::array<std::string_view, field_count_v<T>> make_field_names();
template <class T>
inline constexpr std::array<std::string_view, field_count_v<T>> field_names_v =
    make_field_names<T>();

template <class T>
constexpr std::array<std::string_view, field_count_v<T>> make_field_names() {
  std::array<std::string_view, field_count_v<T>> names{};
  [[maybe_unused]] std::size_t n = 0;
  [[maybe_unused]] const auto add = [&](const auto& entry) {
    using Entry = std::decay_t<decltype(entry)>;
    if constexpr (Entry::embedded) {
      for (const std::string_view name : field_names_v<field_target_t<Entry>>) names[n++] = name;
    } else {
      names[n++] = entry.name;
    }
  };
  std::apply([&](const auto&... entry) { (add(entry), ...); }, field_table_v<T>.fields);
  return names;
}

template <class... Fields>
constexpr bool has_embedded(const FieldTable<Fields...>&) {
  return (Fields::embedded || ...);
}
template <class T>
constexpr bool has_distinct_names() {
  for (const std::string_view& name : field_names_v<T>) {
    for (const std::string_view& other : field_names_v<T>) {
      if (&name != &other && name == other) return false;
    }
  }
  return true;
}

// The wire name of a field as a type, so that code can be made for just this name.
template <class T, std::size_t index>
struct FieldName {
  static constexpr std::string_view text = field_names_v<T>[index];
};

// How many fields the first n entries stand for.
template <class T, std::size_t... i>
constexpr std::size_t count_before(std::index_sequence<i...>) {
  return (std::size_t{0} + ... +
          count_entry<std::decay_t<decltype(std::get<i>(field_table_v<T>.fields))>>());
}

template <class Outer, std::size_t before, class T, class F, std::size_t... i>
constexpr void visit_fields(T& object, F& f, std::index_sequence<i...>);

template <class Outer, std::size_t index, std::size_t i, class T, class F>
constexpr void visit_entry(T& object, F& f) {
  constexpr auto& entry = std::get<i>(field_table_v<T>.fields);
  auto& member = field_in(object, entry.pointer);
  if constexpr (std::decay_t<decltype(entry)>::embedded) {
    using Embedded = std::remove_const_t<std::remove_reference_t<decltype(member)>>;
    visit_fields<Outer, index>(member, f, std::make_index_sequence<entry_count_v<Embedded>>());
  } else {
    f(FieldName<Outer, index>{}, member);
  }
}
template <class Outer, std::size_t before, class T, class F, std::size_t... i>
constexpr void visit_fields([[maybe_unused]] T& object, [[maybe_unused]] F& f,
                            std::index_sequence<i...>) {
  (visit_entry<Outer, before + count_before<T>(std::make_index_sequence<i>()), i>(object, f), ...);
}

// Calls f(FieldName<T, …>{}, member) for each field, in their order.
template <class T, class F>
constexpr void for_each_named_field(T& object, F f) {
  using Outer = std::remove_const_t<T>;
  static_assert(!has_embedded(field_table_v<Outer>) || has_distinct_names<Outer>(),
                "geerpc: a field of an embedded struct has the name of another field");
  visit_fields<Outer, 0>(object, f, std::make_index_sequence<entry_count_v<Outer>>());
}

// Calls f(name, member) for each field, in their order.
template <class T, class F>
constexpr void for_each_field(T& object, F f) {
  for_each_named_field(object, [&f](auto name, auto& member) { f(name.text, member); });
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_REFLECT_FIELDS_HPP
