// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Signature: what a method, a function or a functor takes from the wire and gives back.

#ifndef GEERPC_REFLECT_SIGNATURE_HPP
#define GEERPC_REFLECT_SIGNATURE_HPP

#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // tuple
#include <type_traits>  // decay, is_lvalue_reference, is_pointer, void_t

#include <geerpc/base/context.hpp>
#include <geerpc/reflect/macros.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// What a parameter of type P is decoded into before the call.
template <class P>
struct StoredParameter {
  using type = std::decay_t<P>;
  static_assert(!std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>,
                "geerpc: a parameter must not be a reference to non-const: nothing travels back "
                "but the result");
  static_assert(!std::is_pointer_v<type>,
                "geerpc: a parameter must not be a pointer; take the value, "
                "std::optional or std::unique_ptr");
  static_assert(!std::is_same_v<type, Context>,
                "geerpc: a handler's context must be its first parameter, as const Context&");
};
template <>
struct StoredParameter<std::string_view> {
  using type = std::string;
};
template <>
struct StoredParameter<const std::string_view&> {
  using type = std::string;
};

// R and P are what it returns and takes; C is its class, or void.
template <class C, class R, class... P>
struct SignatureOf {
  using Class = C;
  using Result = R;
  using Args = std::tuple<typename StoredParameter<P>::type...>;
  static constexpr bool takes_context = false;
};
template <class C, class R, class... P>
struct SignatureOf<C, R, Context, P...> : SignatureOf<C, R, P...> {
  static constexpr bool takes_context = true;
};
template <class C, class R, class... P>
struct SignatureOf<C, R, const Context&, P...> : SignatureOf<C, R, P...> {
  static constexpr bool takes_context = true;
};

template <class Pointer>
struct MemberSignature;

#define GEERPC_DETAIL_SIGNATURE(qualifiers)           \
  template <class C, class R, class... P>             \
  struct MemberSignature<R (C::*)(P...) qualifiers> { \
    using OfMethod = SignatureOf<C, R, P...>;         \
    using OfFunctor = SignatureOf<void, R, P...>;     \
  };
GEERPC_DETAIL_SIGNATURE()
GEERPC_DETAIL_SIGNATURE(&)
GEERPC_DETAIL_SIGNATURE(const)
GEERPC_DETAIL_SIGNATURE(const&)
GEERPC_DETAIL_SIGNATURE(noexcept)
GEERPC_DETAIL_SIGNATURE(&noexcept)
GEERPC_DETAIL_SIGNATURE(const noexcept)
GEERPC_DETAIL_SIGNATURE(const& noexcept)
#undef GEERPC_DETAIL_SIGNATURE

// Functors: F has exactly one operator().
template <class F, class = void>
struct Signature {
  static_assert(always_false_v<F>,
                "geerpc: a handler must be a function or have exactly one operator(); a lambda "
                "with auto parameters has no signature that could be decoded");
};
template <class F>
struct Signature<F, std::void_t<decltype(&F::operator())>>
    : MemberSignature<decltype(&F::operator())>::OfFunctor {};

template <class M, class C>
struct Signature<M C::*, void> : MemberSignature<M C::*>::OfMethod {};

template <class R, class... P>
struct Signature<R (*)(P...), void> : SignatureOf<void, R, P...> {};
template <class R, class... P>
struct Signature<R (*)(P...) noexcept, void> : SignatureOf<void, R, P...> {};
template <class R, class... P>
struct Signature<R(P...), void> : SignatureOf<void, R, P...> {};
template <class R, class... P>
struct Signature<R(P...) noexcept, void> : SignatureOf<void, R, P...> {};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_REFLECT_SIGNATURE_HPP
