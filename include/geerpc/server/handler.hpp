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
#include <geerpc/codec/codec.hpp>
#include <geerpc/reflect/signature.hpp>
#include <geerpc/reflect/type_name.hpp>
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
  Handler(std::string full_name, std::string signature)
      : full_name_(std::move(full_name)), signature_(std::move(signature)) {}
  virtual ~Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  const std::string& full_name() const noexcept { return full_name_; }  // "Foo.Sum"
  const std::string& signature() const noexcept { return signature_; }  // "Sum(Args) int"

  // Decodes the arguments, runs the user's code and gives its result to the responder. May throw
  // anything; then there was no result. Any number of threads at once.
  virtual void run(const Codec& codec, std::string_view args, const DecodeLimits& limits,
                   Responder& responder) = 0;

  MethodCounters counters;

 private:
  const std::string full_name_;
  const std::string signature_;
};

// "Sum(Args, int) string" for a result and a tuple of arguments.
template <class R, class... A>
std::string signature_text(std::string_view name, const std::tuple<A...>*) {
  std::string text(name);
  text += '(';
  std::string_view separator;
  ((text.append(separator), separator = ", ", text += type_name<A>()), ...);
  text += ')';
  if constexpr (!std::is_void_v<R>) text += ' ' + type_name<std::decay_t<R>>();
  return text;
}

// F is a callable whose signature S gives; for a method, one that is bound to its object.
template <class S, class F>
class FunctionHandler final : public Handler {
  using Args = typename S::Args;
  using R = typename S::Result;

 public:
  FunctionHandler(const std::string& full_name, F function)
      : Handler(full_name,
                signature_text<R>(std::string_view(full_name).substr(full_name.rfind('.') + 1),
                                  static_cast<const Args*>(nullptr))),
        function_(std::move(function)) {
    check_types(static_cast<const Args*>(nullptr));
  }

  void run(const Codec& codec, std::string_view text, const DecodeLimits& limits,
           Responder& responder) override {
    Args args{};
    decode_args(codec, text, args, limits);
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
