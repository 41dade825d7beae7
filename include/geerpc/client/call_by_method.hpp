// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// CallByMethod: client.call<&Foo::Sum>(…), whose name and types the compiler takes from
// GEERPC_SERVICE.

#ifndef GEERPC_CLIENT_CALL_BY_METHOD_HPP
#define GEERPC_CLIENT_CALL_BY_METHOD_HPP

#include <cstddef>      // size_t
#include <tuple>        // forward_as_tuple, get, tuple_element_t, tuple_size_v
#include <type_traits>  // conditional_t
#include <utility>      // index_sequence

#include <geerpc/base/context.hpp>
#include <geerpc/reflect/service.hpp>
#include <geerpc/reflect/signature.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What stands in for the parameters that a method does not have.
struct NoParameter {};

template <auto Method>
inline constexpr std::size_t arity_v =
    std::tuple_size_v<typename Signature<decltype(Method)>::Args>;

template <auto Method, std::size_t I, bool Exists = (I < arity_v<Method>)>
struct MethodParameter {
  using type = std::tuple_element_t<I, typename Signature<decltype(Method)>::Args>;
};
template <auto Method, std::size_t I>
struct MethodParameter<Method, I, false> {
  using type = NoParameter;
};

// The default argument of parameter I: fine only where the method has no such parameter.
template <auto Method, std::size_t I>
typename MethodParameter<Method, I>::type omitted() {
  static_assert(I >= arity_v<Method>, "geerpc: the method takes more arguments than these");
  return {};
}

// A parameter list can't be made from a tuple of types without deducing them, and deduced ones
// would not take `{1, 2}`; so the list is written out, as long as any method's may be.
#define GEERPC_DETAIL_PARAMETER(I) \
  const typename MethodParameter<Method, I>::type& p##I = omitted<Method, I>()
#define GEERPC_DETAIL_PARAMETERS                                                          \
  GEERPC_DETAIL_PARAMETER(0), GEERPC_DETAIL_PARAMETER(1), GEERPC_DETAIL_PARAMETER(2),     \
      GEERPC_DETAIL_PARAMETER(3), GEERPC_DETAIL_PARAMETER(4), GEERPC_DETAIL_PARAMETER(5), \
      GEERPC_DETAIL_PARAMETER(6), GEERPC_DETAIL_PARAMETER(7)
#define GEERPC_DETAIL_ARGUMENTS std::forward_as_tuple(p0, p1, p2, p3, p4, p5, p6, p7)

// A base of classes that have call<R>(context, name, args…) and its siblings.
template <class Derived>
class CallByMethod {
 public:
  template <auto Method>
  auto call(const Context& context, GEERPC_DETAIL_PARAMETERS) {
    return try_by_method<Method>(context, GEERPC_DETAIL_ARGUMENTS, Indices<Method>()).value();
  }
  template <auto Method>
  auto call(GEERPC_DETAIL_PARAMETERS) {
    return try_by_method<Method>(Context(), GEERPC_DETAIL_ARGUMENTS, Indices<Method>()).value();
  }
  template <auto Method>
  auto try_call(const Context& context, GEERPC_DETAIL_PARAMETERS) {
    return try_by_method<Method>(context, GEERPC_DETAIL_ARGUMENTS, Indices<Method>());
  }
  template <auto Method>
  auto try_call(GEERPC_DETAIL_PARAMETERS) {
    return try_by_method<Method>(Context(), GEERPC_DETAIL_ARGUMENTS, Indices<Method>());
  }
  template <auto Method>
  auto async(const Context& context, GEERPC_DETAIL_PARAMETERS) {
    return async_by_method<Method>(context, GEERPC_DETAIL_ARGUMENTS, Indices<Method>());
  }
  template <auto Method>
  auto async(GEERPC_DETAIL_PARAMETERS) {
    return async_by_method<Method>(Context(), GEERPC_DETAIL_ARGUMENTS, Indices<Method>());
  }

 protected:
  ~CallByMethod() = default;

 private:
  template <auto Method>
  using Indices = std::make_index_sequence<arity_v<Method>>;
  template <auto Method>
  using ResultOf = std::decay_t<typename Signature<decltype(Method)>::Result>;

  template <auto Method, class Args, std::size_t... I>
  auto try_by_method(const Context& context, const Args& args, std::index_sequence<I...>) {
    return static_cast<Derived*>(this)->template try_call<ResultOf<Method>>(
        context, method_full_name<Method>(), std::get<I>(args)...);
  }
  template <auto Method, class Args, std::size_t... I>
  auto async_by_method(const Context& context, const Args& args, std::index_sequence<I...>) {
    return static_cast<Derived*>(this)->template async<ResultOf<Method>>(
        context, method_full_name<Method>(), std::get<I>(args)...);
  }
};

#undef GEERPC_DETAIL_ARGUMENTS
#undef GEERPC_DETAIL_PARAMETERS
#undef GEERPC_DETAIL_PARAMETER

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CALL_BY_METHOD_HPP
