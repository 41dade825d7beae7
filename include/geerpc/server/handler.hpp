// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Handler: one published method, with its types erased.

#ifndef GEERPC_SERVER_HANDLER_HPP
#define GEERPC_SERVER_HANDLER_HPP

#include <functional>   // invoke
#include <memory>       // shared_ptr
#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // apply, tuple
#include <type_traits>  // conditional_t, decay_t, is_void_v
#include <utility>      // move

#include <geerpc/base/context.hpp>
#include <geerpc/base/function_ref.hpp>
#include <geerpc/codec/body.hpp>
#include <geerpc/reflect/describe.hpp>
#include <geerpc/reflect/signature.hpp>
#include <geerpc/server/stats.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What a handler needs of the call that it runs.
class Responder {
 public:
  // The arguments are decoded, the handler proper begins: from here on its time counts.
  virtual void begin_handler() = 0;
  virtual const Context& context() = 0;
  // Takes the result, through a function that appends its encoding. Exactly once, as the last
  // thing.
  virtual void reply(EncodeBody encode_result) = 0;

 protected:
  ~Responder() = default;
};

class Handler {
 public:
  explicit Handler(std::string full_name) : full_name_(std::move(full_name)) {}
  virtual ~Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  const std::string& full_name() const noexcept { return full_name_; }  // "Foo.Sum"
  std::string_view name() const noexcept {                              // "Sum"
    return std::string_view(full_name_).substr(full_name_.rfind('.') + 1);
  }
  // Adds the structs that the method needs to `types`.
  virtual MethodDescription describe(TypeDescriptions& types) const = 0;

  // Decodes the arguments, runs the user's code and gives its result to the responder. May throw
  // anything; then there was no result. Any number of threads at once.
  virtual void run(const Codec& codec, const Body& body, const DecodeLimits& limits,
                   Responder& responder) = 0;

  MethodCounters counters;

 private:
  const std::string full_name_;
};

template <class R, class... A>
MethodDescription describe_method(std::string_view name, TypeDescriptions& types,
                                  const std::tuple<A...>*) {
  (types.add<A>(), ...);
  types.add<R>();
  return {std::string(name), {type_name<A>()...}, type_name<R>()};
}

// F is a callable whose signature S gives; for a method, one that is bound to its object.
template <class S, class F>
class FunctionHandler final : public Handler {
  using Args = typename S::Args;
  using R = typename S::Result;

 public:
  FunctionHandler(const std::string& full_name, F function)
      : Handler(full_name), function_(std::move(function)) {
    check_types(static_cast<const Args*>(nullptr));
  }

  MethodDescription describe(TypeDescriptions& types) const override {
    return describe_method<std::decay_t<R>>(name(), types, static_cast<const Args*>(nullptr));
  }

  void run(const Codec& codec, const Body& body, const DecodeLimits& limits,
           Responder& responder) override {
    Args args{};
    decode_body_args(codec, body, args, limits);
    responder.begin_handler();
    const auto call = [&](auto&... arg) -> decltype(auto) {
      if constexpr (S::takes_context) {
        return std::invoke(function_, responder.context(), std::move(arg)...);
      } else {
        return std::invoke(function_, std::move(arg)...);
      }
    };
    if constexpr (std::is_void_v<R>) {
      std::apply(call, args);
      const auto encode_result = &encode_nothing;
      responder.reply(encode_result);
    } else {
      const auto& result = std::apply(call, args);
      const auto encode_result = [&](const Codec& to, Buffer& out) { encode(to, out, result); };
      responder.reply(encode_result);
    }
  }

 private:
  template <class... A>
  static constexpr void check_types(const std::tuple<A...>*) {
    static_assert((decodable_v<A> && ...),
                  "geerpc: a parameter's type has no GEERPC_FIELDS and nlohmann/json does not "
                  "convert it, so a call can't be decoded");
    static_assert(encodable_v<std::conditional_t<std::is_void_v<R>, bool, std::decay_t<R>>>,
                  "geerpc: the result's type has no GEERPC_FIELDS and nlohmann/json does not "
                  "convert it, so it can't be sent back");
  }

  F function_;
};

template <class F>
std::unique_ptr<Handler> make_function_handler(const std::string& full_name, F function) {
  return std::make_unique<FunctionHandler<Signature<F>, F>>(full_name, std::move(function));
}

// A method of an object that all its handlers share.
template <auto Method, class T>
std::unique_ptr<Handler> make_method_handler(const std::string& full_name,
                                             std::shared_ptr<T> object) {
  auto bound = [object = std::move(object)](auto&&... args) -> decltype(auto) {
    return std::invoke(Method, *object, std::forward<decltype(args)>(args)...);
  };
  return std::make_unique<FunctionHandler<Signature<decltype(Method)>, decltype(bound)>>(
      full_name, std::move(bound));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_HANDLER_HPP
