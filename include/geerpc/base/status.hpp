// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Status codes: what kind of failure a call met, and so what its caller can do about it.

#ifndef GEERPC_BASE_STATUS_HPP
#define GEERPC_BASE_STATUS_HPP

#include <string>        // string
#include <system_error>  // error_category, error_code

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

// The canonical RPC status codes, with the numbers that gRPC gave them
// (github.com/grpc/grpc, doc/statuscodes.md). The numbers travel on the wire: never renumber.
enum class StatusCode {
  ok = 0,
  cancelled = 1,            // the caller (or the end of its connection) asked for the call to stop
  unknown = 2,              // the handler failed; its error text says why
  invalid_argument = 3,     // the request can't be understood: arguments, names, addresses
  deadline_exceeded = 4,    // no result within the call's deadline or the server's handle timeout
  not_found = 5,            // no such service
  already_exists = 6,       // that name is taken
  permission_denied = 7,    // the peer is known but not allowed
  resource_exhausted = 8,   // a limit was reached: size, connections, calls in flight
  failed_precondition = 9,  // the object is in the wrong state, e.g. it was closed
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,  // the service has no such method, or the peer no such feature
  internal = 13,       // a broken invariant: e.g. a result that can't be encoded or decoded
  unavailable = 14,    // the server can't be reached, went away or is draining; another may serve
  data_loss = 15,      // the stream from the peer is not what the protocol allows
  unauthenticated = 16,
};

// The code's name as it is spelled above, e.g. "deadline_exceeded"; "unknown" for a number that
// is none of them.
inline const char* to_string(StatusCode code) noexcept {
  switch (code) {
    case StatusCode::ok:
      return "ok";
    case StatusCode::cancelled:
      return "cancelled";
    case StatusCode::unknown:
      return "unknown";
    case StatusCode::invalid_argument:
      return "invalid_argument";
    case StatusCode::deadline_exceeded:
      return "deadline_exceeded";
    case StatusCode::not_found:
      return "not_found";
    case StatusCode::already_exists:
      return "already_exists";
    case StatusCode::permission_denied:
      return "permission_denied";
    case StatusCode::resource_exhausted:
      return "resource_exhausted";
    case StatusCode::failed_precondition:
      return "failed_precondition";
    case StatusCode::aborted:
      return "aborted";
    case StatusCode::out_of_range:
      return "out_of_range";
    case StatusCode::unimplemented:
      return "unimplemented";
    case StatusCode::internal:
      return "internal";
    case StatusCode::unavailable:
      return "unavailable";
    case StatusCode::data_loss:
      return "data_loss";
    case StatusCode::unauthenticated:
      return "unauthenticated";
  }
  return "unknown";
}

// The std::error_category of StatusCode; its name is "geerpc".
inline const std::error_category& status_category() noexcept {
  struct Category final : std::error_category {
    const char* name() const noexcept override { return "geerpc"; }
    std::string message(int value) const override {
      return to_string(static_cast<StatusCode>(value));
    }
  };
  static const Category category;
  return category;
}

// Found by std::error_code's constructor, so that `error.error_code() == StatusCode::not_found`.
inline std::error_code make_error_code(StatusCode code) noexcept {
  return {static_cast<int>(code), status_category()};
}

namespace detail {

// A status code read from the wire. Numbers that we don't know become `unknown`; so does `ok`,
// which is no error.
inline StatusCode status_from_wire(long long value) noexcept {
  return value > 0 && value <= static_cast<int>(StatusCode::unauthenticated)
             ? static_cast<StatusCode>(value)
             : StatusCode::unknown;
}

}  // namespace detail

GEERPC_END_NAMESPACE

template <>
struct std::is_error_code_enum<geerpc::StatusCode> : std::true_type {};

#endif  // GEERPC_BASE_STATUS_HPP
