// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Error: the one exception type that geerpc throws on purpose.

#ifndef GEERPC_BASE_ERROR_HPP
#define GEERPC_BASE_ERROR_HPP

#include <exception>    // exception
#include <memory>       // shared_ptr
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move

#include <geerpc/base/hot_path.hpp>
#include <geerpc/base/status.hpp>

GEERPC_BEGIN_NAMESPACE

// What went wrong, where, and whether the call may have had an effect. Immutable, cheap to copy,
// safe to share between threads.
//
// A handler that throws an Error passes its code and text on to the caller; any other exception
// arrives there as StatusCode::unknown with its what().
class Error : public std::exception {
 public:
  Error(StatusCode code, std::string cause) : rep_(std::make_shared<Rep>()) {
    rep_->code = code;
    rep_->cause = std::move(cause);
    rep_->what = rep_->cause;
  }

  StatusCode code() const noexcept { return rep_->code; }
  std::error_code error_code() const noexcept { return make_error_code(code()); }

  // The whole message: method, address and cause, as far as they are known,
  // e.g. "call Foo.Sum on tcp@10.0.0.7:9000: connection refused".
  const char* what() const noexcept override { return rep_->what.c_str(); }

  // The cause alone; for an error that a handler threw, exactly its text.
  const std::string& cause() const noexcept { return rep_->cause; }

  // "Service.Method" of the call that failed; empty if it was not in a call.
  const std::string& method() const noexcept { return rep_->method; }

  // The server's address in the form "tcp@host:port"; empty if none was involved.
  const std::string& address() const noexcept { return rep_->address; }

  // False only if the request certainly never reached a handler: then, and only then, it is safe
  // to repeat a call that is not idempotent.
  bool may_have_run() const noexcept { return rep_->may_have_run; }

  // Copies that say more. They leave the original as it is.
  [[nodiscard]] GEERPC_COLD Error in_call(std::string_view method, std::string_view address) const {
    Error e = clone();
    e.rep_->method = method;
    e.rep_->address = address;
    e.rep_->what = "call " + e.rep_->method;
    if (!address.empty()) e.rep_->what += " on " + e.rep_->address;
    e.rep_->what += ": " + e.rep_->cause;
    return e;
  }
  [[nodiscard]] Error never_ran() const {
    Error e = clone();
    e.rep_->may_have_run = false;
    return e;
  }

 private:
  struct Rep {
    StatusCode code = StatusCode::unknown;
    bool may_have_run = true;
    std::string cause, method, address, what;
  };

  Error clone() const {
    Error e = *this;
    e.rep_ = std::make_shared<Rep>(*rep_);
    return e;
  }

  // Shared, so that copying an exception never throws. Written only before the Error is handed out.
  std::shared_ptr<Rep> rep_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_ERROR_HPP
