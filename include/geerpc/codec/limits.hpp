// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Limits on what codecs accept from a peer, and how they say what is wrong with it.

#ifndef GEERPC_CODEC_LIMITS_HPP
#define GEERPC_CODEC_LIMITS_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <limits>       // numeric_limits
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <type_traits>  // is_signed
#include <utility>      // move

#include <geerpc/base/error.hpp>
#include <geerpc/base/hot_path.hpp>
#include <geerpc/reflect/type_name.hpp>

GEERPC_BEGIN_NAMESPACE

// How deep structs, arrays and maps may be nested in a value that is encoded. Each level costs
// stack, so the limit bounds recursive types too.
inline constexpr std::size_t kMaxEncodeDepth = 100;

struct DecodeLimits {
  // How deep structs, arrays and maps may be nested in a value that is decoded. Each level costs
  // stack: raise it for threads with large stacks only.
  std::size_t max_depth = 100;
};

namespace detail {

[[noreturn]] inline void throw_bad_value(std::string text) {
  throw Error(StatusCode::invalid_argument, std::move(text));
}
[[noreturn]] inline void throw_too_deep(std::size_t max_depth) {
  throw_bad_value("the value is nested more than " + std::to_string(max_depth) + " deep");
}
template <class T>
[[noreturn]] void throw_out_of_range(const std::string& number) {
  throw_bad_value(number + " does not fit into " + type_name<T>());
}

// The integer `magnitude`, or its negative, as a T if T can hold it.
template <class T>
T to_integer(std::uint64_t magnitude, bool negative) {
  constexpr auto max = static_cast<std::uint64_t>((std::numeric_limits<T>::max)());
  if (!negative || magnitude == 0) {
    if (magnitude <= max) return static_cast<T>(magnitude);
  } else if constexpr (std::is_signed_v<T>) {
    // Negated as unsigned, since the magnitude of the smallest T does not fit into T.
    if (magnitude <= max + 1) return static_cast<T>(0 - magnitude);
  }
  throw_out_of_range<T>((negative ? "-" : "") + std::to_string(magnitude));
}

// How long the bytes stay that a writer is given: not longer than that, or until the message that
// they are a part of has left, so that they need no copy.
enum class Lifetime { temporary, call };

// What the next value of an input is.
enum class Token { null, boolean, integer, number, string, bytes, array, object, extension };

inline const char* token_name(Token token) noexcept {
  constexpr const char* names[] = {"null",  "a boolean", "an integer", "a number",    "a string",
                                   "bytes", "an array",  "an object",  "an extension"};
  return names[static_cast<int>(token)];
}

// The path to the field in which an error happened, put together while the error passes through
// the structs around it, so that nothing has to be kept while all is well.
class FieldPath {
 public:
  // The error left `field` of a struct of this type.
  void leave(std::string_view type, std::string_view field) {
    type_ = type;
    path_ = std::string(field) + (path_.empty() ? "" : "." + path_);
  }

  // The error with "(field Args.Num1)" behind its text if it happened in a field.
  GEERPC_COLD Error explain(const Error& error) const {
    if (path_.empty()) return error;
    return {error.code(), error.cause() + " (field " + std::string(type_) + "." + path_ + ")"};
  }

 private:
  std::string_view type_;  // of the outermost struct
  std::string path_;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_LIMITS_HPP
