// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What a service is made of: its methods, what they take and return, and of which fields the
// structs among that consist.

#ifndef GEERPC_REFLECT_DESCRIBE_HPP
#define GEERPC_REFLECT_DESCRIBE_HPP

#include <algorithm>    // find
#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // apply, tuple
#include <type_traits>  // decay, is_void, remove_cv
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/reflect/fields.hpp>
#include <geerpc/reflect/kind.hpp>
#include <geerpc/reflect/type_name.hpp>

GEERPC_BEGIN_NAMESPACE

// Types are named as in type_name.hpp: "int", "vector<Args>", "map<string, double>".
struct FieldDescription {
  std::string name, type;
};

// A struct with GEERPC_FIELDS.
struct TypeDescription {
  std::string name;
  std::vector<FieldDescription> fields;
};

struct MethodDescription {
  std::string name;                 // "Sum"
  std::vector<std::string> params;  // their types
  std::string result;               // its type; "void" if there is none

  // "Sum(Args) int"
  std::string signature() const {
    std::string text = name + '(';
    for (std::size_t i = 0; i < params.size(); ++i) text += (i == 0 ? "" : ", ") + params[i];
    return text + (result == "void" ? ")" : ") " + result);
  }
};

struct ServiceDescription {
  std::string name;
  std::vector<MethodDescription> methods;  // sorted by name
  std::vector<TypeDescription> types;      // each struct that the methods need, after its users
};

namespace detail {

// One address for each type.
template <class T>
inline constexpr char type_id_v = 0;

// The structs that were found so far.
class TypeDescriptions {
 public:
  // Adds the structs of which a T is made, unless they are there.
  template <class T>
  void add() {
    using U = std::remove_cv_t<T>;
    if constexpr (!std::is_void_v<U>) add_value<U>();
  }

  std::vector<TypeDescription> take() { return std::move(types_); }

 private:
  template <class T>
  void add_value() {
    constexpr Kind kind = kind_v<T>;
    if constexpr (has_fields_v<T>) {
      add_struct<T>();
    } else if constexpr (kind == Kind::nullable || kind == Kind::array || kind == Kind::sequence) {
      add<element_of_t<T>>();
    } else if constexpr (kind == Kind::map) {
      add<typename T::mapped_type>();
    } else if constexpr (kind == Kind::tuple) {
      add_all(static_cast<const T*>(nullptr));
    }
  }

  template <template <class...> class Tuple, class... T>
  void add_all(const Tuple<T...>*) {
    (add<T>(), ...);
  }

  template <class T>
  void add_struct() {
    const void* const id = &type_id_v<T>;
    if (std::find(ids_.begin(), ids_.end(), id) != ids_.end()) return;
    ids_.push_back(id);
    types_.push_back({std::string(field_table_v<T>.type), {}});
    add_fields<T>(types_.size() - 1);
  }

  // Those of embedded structs stand in place of these, as they travel.
  template <class T>
  void add_fields(std::size_t index) {
    const auto add_field = [&](const auto& field) {
      using Field = std::decay_t<decltype(field)>;
      using Target = field_target_t<Field>;
      if constexpr (Field::embedded) {
        add_fields<Target>(index);
      } else {
        types_[index].fields.push_back({std::string(field.name), type_name<Target>()});
        add<Target>();
      }
    };
    std::apply([&](const auto&... field) { (add_field(field), ...); }, field_table_v<T>.fields);
  }

  std::vector<const void*> ids_;
  std::vector<TypeDescription> types_;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_REFLECT_DESCRIBE_HPP
