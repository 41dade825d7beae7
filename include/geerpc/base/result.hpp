// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Result<T>: a value or an Error, for those who call without exceptions.

#ifndef GEERPC_BASE_RESULT_HPP
#define GEERPC_BASE_RESULT_HPP

#include <optional>  // optional
#include <utility>   // move
#include <variant>   // variant

#include <geerpc/base/error.hpp>

GEERPC_BEGIN_NAMESPACE

// Holds either a T or an Error. There is no conversion to bool, since a T may have one: ask ok().
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }

  // The value; throws the Error if there is none.
  T& value() & { return check(), *std::get_if<0>(&state_); }
  const T& value() const& { return check(), *std::get_if<0>(&state_); }
  T&& value() && { return check(), std::move(*std::get_if<0>(&state_)); }

  // The error. Must not be called on a Result that is ok().
  const Error& error() const { return *std::get_if<1>(&state_); }

  // The error's code, StatusCode::ok if there is none.
  StatusCode code() const noexcept { return ok() ? StatusCode::ok : error().code(); }

 private:
  void check() const {
    if (!ok()) throw error();
  }
  std::variant<T, Error> state_;
};

// The result of a call that returns nothing.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const noexcept { return !error_.has_value(); }
  void value() const {
    if (error_) throw *error_;
  }
  const Error& error() const { return *error_; }
  StatusCode code() const noexcept { return ok() ? StatusCode::ok : error_->code(); }

 private:
  std::optional<Error> error_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_RESULT_HPP
