// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The words in which Go's servers say what went wrong. Go peers know errors by nothing else: our
// server uses the same, and our client infers codes from them.

#ifndef GEERPC_PROTOCOL_GO_WORDS_HPP
#define GEERPC_PROTOCOL_GO_WORDS_HPP

#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/base/error.hpp>
#include <geerpc/protocol/message.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Why a server has nothing to run for "Service.Method", a name that it splits at the last dot.
enum class NoHandler { ill_formed, no_service, no_method };

// What a protocol says then.
using NoHandlerWords = Error (*)(NoHandler why, std::string_view method);

inline Error no_handler_error(NoHandler why, const std::string& text) {
  constexpr StatusCode codes[] = {StatusCode::invalid_argument, StatusCode::not_found,
                                  StatusCode::unimplemented};
  return Error(codes[static_cast<int>(why)], text).never_ran();
}

// GeeRPC (server.go) names the part that is missing.
inline Error geerpc_no_handler(NoHandler why, std::string_view method) {
  const std::size_t dot = method.rfind('.');
  switch (why) {
    case NoHandler::ill_formed:
      break;
    case NoHandler::no_service:
      return no_handler_error(
          why, "rpc server: can't find service " + std::string(method.substr(0, dot)));
    case NoHandler::no_method:
      return no_handler_error(
          why, "rpc server: can't find method " + std::string(method.substr(dot + 1)));
  }
  return no_handler_error(why,
                          "rpc server: service/method request ill-formed: " + std::string(method));
}

// net/rpc (server.go) names the whole method.
inline Error net_rpc_no_handler(NoHandler why, std::string_view method) {
  constexpr const char* words[] = {"rpc: service/method request ill-formed: ",
                                   "rpc: can't find service ", "rpc: can't find method "};
  return no_handler_error(why, words[static_cast<int>(why)] + std::string(method));
}

inline constexpr std::string_view kHandleTimeoutText = "rpc server: request handle timeout";

// Gives an error that came as a mere text its code. Texts that say that nothing ran are believed
// only if they are about this very call: a handler may pass on another server's.
inline void infer_code(Message& message, NoHandlerWords words) {
  const bool has_dot = message.method.find('.') != message.method.npos;
  for (const NoHandler why : {NoHandler::ill_formed, NoHandler::no_service, NoHandler::no_method}) {
    if ((why == NoHandler::ill_formed) == has_dot) continue;
    const Error error = words(why, message.method);
    if (message.text != error.cause()) continue;
    message.code = error.code();
    message.may_have_run = false;
    return;
  }
  if (message.text.substr(0, kHandleTimeoutText.size()) == kHandleTimeoutText) {
    message.code = StatusCode::deadline_exceeded;
  }
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_GO_WORDS_HPP
