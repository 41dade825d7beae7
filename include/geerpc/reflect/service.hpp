// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GEERPC_SERVICE: the method table of a class, from which a server can add all its methods and a
// client can call them with their types checked.
//
//   GEERPC_SERVICE(Foo, Sum, Sleep)                              // "Foo.Sum", "Foo.Sleep"
//   GEERPC_SERVICE_AS(Arith, "Math", (add, "Add"), (mul, "Mul"))  // "Math.Add", "Math.Mul"
//
// It stands in the namespace of the class, behind its definition, and takes 1 to 64 public member
// functions that are not overloaded.

#ifndef GEERPC_REFLECT_SERVICE_HPP
#define GEERPC_REFLECT_SERVICE_HPP

#include <array>        // array
#include <cstddef>      // size_t
#include <string_view>  // string_view
#include <tuple>        // apply, tuple
#include <type_traits>  // integral_constant, is_invocable, is_same

#include <geerpc/reflect/macros.hpp>

#define GEERPC_SERVICE(...)                                                   \
  GEERPC_DETAIL_SERVICE(GEERPC_DETAIL_TEXT(GEERPC_DETAIL_FIRST(__VA_ARGS__)), \
                        GEERPC_DETAIL_METHOD, __VA_ARGS__)
#define GEERPC_SERVICE_AS(type, name, ...) \
  GEERPC_DETAIL_SERVICE(name, GEERPC_DETAIL_METHOD_PAIR, type, __VA_ARGS__)

#define GEERPC_DETAIL_SERVICE(name, entry, ...)                                               \
  [[maybe_unused]] constexpr auto geerpc_service(                                             \
      ::geerpc::detail::Tag<GEERPC_DETAIL_FIRST(__VA_ARGS__)>) {                              \
    static_assert(sizeof(name) > 1, "geerpc: the name of a service must not be empty");       \
    return ::geerpc::detail::make_service_table(name GEERPC_DETAIL_EACH(entry, __VA_ARGS__)); \
  }
#define GEERPC_DETAIL_METHOD(type, method) GEERPC_DETAIL_METHOD_ENTRY(type, method, #method)
#define GEERPC_DETAIL_METHOD_PAIR(type, pair) \
  GEERPC_DETAIL_CALL(GEERPC_DETAIL_METHOD_ENTRY, type, GEERPC_DETAIL_UNWRAP pair)

// A generic lambda, so that a member that can't be named is a question and not yet an error.
#define GEERPC_DETAIL_METHOD_ENTRY(type, method, name)                               \
  ::geerpc::detail::make_method<type>(                                               \
      name,                                                                          \
      [](auto tag) -> std::integral_constant<decltype(&decltype(tag)::Type::method), \
                                             &decltype(tag)::Type::method> { return {}; })

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Pointer is a std::integral_constant that holds the pointer to member function.
template <class Pointer>
struct Method {
  std::string_view name;
  Pointer pointer;
};

template <class... Pointers>
struct ServiceTable {
  std::string_view name;
  std::tuple<Method<Pointers>...> methods;
};

template <class T, class Probe>
constexpr auto make_method(std::string_view name, Probe probe) {
  if constexpr (std::is_invocable_v<Probe, Tag<T>>) {
    using Pointer = decltype(probe(Tag<T>{}));
    static_assert(std::is_member_function_pointer_v<typename Pointer::value_type>,
                  "geerpc: GEERPC_SERVICE names something that is not a member function of the "
                  "class");
    return Method<Pointer>{name, {}};
  } else {
    static_assert(always_false_v<Probe>,
                  "geerpc: GEERPC_SERVICE names a method that the class does not have, that is not "
                  "public, or that is overloaded; register an overloaded one by itself, as in "
                  "server.add(\"Foo.Sum\", [](int a, int b) { return a + b; })");
    return Method<std::integral_constant<int, 0>>{name, {}};
  }
}

template <class... Pointers>
constexpr ServiceTable<Pointers...> make_service_table(std::string_view name,
                                                       Method<Pointers>... methods) {
  static_assert(sizeof...(Pointers) > 0, "geerpc: GEERPC_SERVICE must name at least one method");
  return {unqualified(name), {methods...}};
}

// Takes the place of a list that is too long; the static_assert of too_many_entries has spoken.
constexpr ServiceTable<> make_service_table(std::string_view name, int) { return {name, {}}; }

template <class T, class = void>
inline constexpr bool has_service_v = false;
template <class T>
inline constexpr bool has_service_v<T, std::void_t<decltype(geerpc_service(Tag<T>{}))>> = true;

// The table of T. Asking for it is an error unless has_service_v<T>.
template <class T>
inline constexpr auto service_table_v = geerpc_service(Tag<T>{});

template <class T>
constexpr std::string_view service_name() {
  return service_table_v<T>.name;
}

// Calls f(std::integral_constant<decltype(&T::m), &T::m>{}, wire_name) for each method.
template <class T, class F>
constexpr void for_each_method(F f) {
  std::apply([&](const auto&... method) { (f(method.pointer, method.name), ...); },
             service_table_v<T>.methods);
}

template <class Pointer>
struct ClassOfMember;
template <class M, class C>
struct ClassOfMember<M C::*> {
  using type = C;
};

// The wire name of the method within its class's table; empty if it is not there.
template <auto Pointer>
constexpr std::string_view method_name() {
  using Class = typename ClassOfMember<decltype(Pointer)>::type;
  std::string_view found;
  for_each_method<Class>([&](auto method, std::string_view name) {
    if (std::is_same_v<decltype(method), std::integral_constant<decltype(Pointer), Pointer>>) {
      found = name;
    }
  });
  return found;
}

// "Foo.Sum" as an array of characters, which a string_view can point to for ever.
template <auto Pointer>
constexpr auto join_full_name() {
  constexpr std::string_view service =
      service_name<typename ClassOfMember<decltype(Pointer)>::type>();
  constexpr std::string_view method = method_name<Pointer>();
  std::array<char, service.size() + 1 + method.size()> text{};
  std::size_t i = 0;
  for (const char c : service) text[i++] = c;
  text[i++] = '.';
  for (const char c : method) text[i++] = c;
  return text;
}
template <auto Pointer>
inline constexpr auto full_name_v = join_full_name<Pointer>();

// "Foo.Sum" for &Foo::Sum.
template <auto Pointer>
constexpr std::string_view method_full_name() {
  static_assert(std::is_member_function_pointer_v<decltype(Pointer)>,
                "geerpc: call<&Foo::Sum> takes a pointer to a member function");
  using Class = typename ClassOfMember<decltype(Pointer)>::type;
  if constexpr (!has_service_v<Class>) {
    static_assert(always_false_v<Class>, "geerpc: the class of this method has no GEERPC_SERVICE");
    return {};
  } else if constexpr (method_name<Pointer>().empty()) {
    static_assert(always_false_v<Class>,
                  "geerpc: this method is not listed in the GEERPC_SERVICE of its class");
    return {};
  } else {
    return {full_name_v<Pointer>.data(), full_name_v<Pointer>.size()};
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_REFLECT_SERVICE_HPP
