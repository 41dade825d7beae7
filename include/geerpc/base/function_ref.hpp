// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// FunctionRef: a callable passed down the stack without a template or an allocation.

#ifndef GEERPC_BASE_FUNCTION_REF_HPP
#define GEERPC_BASE_FUNCTION_REF_HPP

#include <memory>       // addressof
#include <type_traits>  // enable_if_t, is_same_v
#include <utility>      // forward

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

template <class Signature>
class FunctionRef;

// Refers to a callable that outlives it: for parameters only.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::remove_const_t<F>, FunctionRef>>>
  FunctionRef(F& function) noexcept
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<F*>(object))(std::forward<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_FUNCTION_REF_HPP
