// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// type_name: a type's name for people, e.g. "map<string, int>"; the same with every compiler.

#ifndef GEERPC_REFLECT_TYPE_NAME_HPP
#define GEERPC_REFLECT_TYPE_NAME_HPP

#include <string>       // string, to_string
#include <string_view>  // string_view
#include <type_traits>  // is_signed, remove_cv

#include <geerpc/reflect/kind.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// The name as the compiler spells it, without namespaces in front.
template <class T>
constexpr std::string_view compiler_type_name() {
#if defined(__clang__) || defined(__GNUC__)
  constexpr std::string_view text = __PRETTY_FUNCTION__;  // "… [T = ns::Foo]", "… [with T = …; …"
  const std::size_t begin = text.find("T = ") + 4;
  const std::size_t end = text.find_first_of(";]", begin);
  return unqualified(text.substr(begin, end - begin));
#else
  return "value";
#endif
}

template <class T>
std::string type_name();

template <class... T>
std::string type_names() {
  std::string names;
  ((names += names.empty() ? "" : ", ", names += type_name<T>()), ...);
  return names;
}

template <class T>
struct TupleName;
template <template <class...> class Tuple, class... T>
struct TupleName<Tuple<T...>> {
  static std::string get() { return "tuple<" + type_names<T...>() + ">"; }
};

template <class T>
std::string type_name() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_void_v<U>) {
    return "void";
  } else {
    constexpr Kind kind = kind_v<U>;
    if constexpr (kind == Kind::boolean) {
      return "bool";
    } else if constexpr (kind == Kind::integer) {
      if constexpr (std::is_same_v<U, char>) return "char";
      const std::string sign = std::is_signed_v<U> ? "" : "u";
      if constexpr (std::is_same_v<U, int> || std::is_same_v<U, unsigned>) return sign + "int";
      return sign + "int" + std::to_string(8 * sizeof(U));
    } else if constexpr (kind == Kind::floating) {
      return std::is_same_v<U, float> ? "float" : "double";
    } else if constexpr (kind == Kind::duration) {
      return "duration";
    } else if constexpr (kind == Kind::time) {
      return "time";
    } else if constexpr (kind == Kind::string) {
      return "string";
    } else if constexpr (kind == Kind::bytes) {
      return "bytes";
    } else if constexpr (kind == Kind::nullable) {
      return "optional<" + type_name<element_of_t<U>>() + ">";
    } else if constexpr (kind == Kind::array) {
      constexpr std::size_t n = sizeof(U) / sizeof(element_of_t<U>);
      return "array<" + type_name<element_of_t<U>>() + ", " + std::to_string(n) + ">";
    } else if constexpr (kind == Kind::sequence) {
      return "vector<" + type_name<element_of_t<U>>() + ">";
    } else if constexpr (kind == Kind::map) {
      return "map<" + type_names<typename U::key_type, typename U::mapped_type>() + ">";
    } else if constexpr (kind == Kind::tuple) {
      return TupleName<U>::get();
    } else if constexpr (has_fields_v<U>) {
      return std::string(field_table_v<U>.type);
    } else if constexpr (is_json_v<U>) {
      return "json";
    } else {
      return std::string(compiler_type_name<U>());
    }
  }
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_REFLECT_TYPE_NAME_HPP
