// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Message: what travels on a connection after the option, whatever its encoding.

#ifndef GEERPC_PROTOCOL_MESSAGE_HPP
#define GEERPC_PROTOCOL_MESSAGE_HPP

#include <chrono>       // nanoseconds
#include <cstdint>      // uint64_t
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/base/context.hpp>
#include <geerpc/base/error.hpp>
#include <geerpc/codec/body.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The numbers are those of the frame header (docs/protocol.md).
enum class MessageKind : std::uint8_t {
  request = 0,    // to the server: run `method` with `body`, answer with `seq`
  reply = 1,      // to the client: `body` is the result
  error = 2,      // to the client: the call failed; in a frame, seq 0: the connection did
  cancel = 3,     // to the server: nobody waits for the reply of `seq` any more
  notify = 4,     // to the server: a request that gets no reply
  goaway = 5,     // to the client: the connection closes; only its first `seq` requests were read
  nothing = 255,  // never sent: input that is no message
};

// One message's header, and its body still encoded. The views point into the input or into this
// object; they are valid until either changes.
struct Message {
  MessageKind kind = MessageKind::request;
  std::uint64_t seq = 0;
  std::string_view method;                // request, notify
  std::chrono::nanoseconds timeout{0};    // request, notify: the time left for it; 0: none given
  Metadata metadata;                      // request, notify
  StatusCode code = StatusCode::unknown;  // error
  bool may_have_run = true;               // error
  std::string_view text;                  // error
  bool whole_connection = false;          // error: it concerns no single call
  bool may_hang_up = false;               // error: the server may have lost its place in the stream
  std::string_view body;                  // request, notify, reply
  std::string large_text;                 // in place of `body`, if not empty: see Body
  const Codec* codec = nullptr;           // of the body, if it is not the connection's
  std::size_t too_large = 0;  // if not 0: the message has so many bytes, and its body is not here

  // Where texts live that are not in the input as they are (JSON escapes).
  std::string unescaped_method, unescaped_text;

  // Makes it as new, but for the memory that it holds.
  void reset() {
    kind = MessageKind::request;
    seq = 0;
    method = text = body = {};
    codec = nullptr;
    timeout = std::chrono::nanoseconds{0};
    if (!metadata.empty()) metadata.clear();
    if (!large_text.empty()) std::string().swap(large_text);
    code = StatusCode::unknown;
    may_have_run = true;
    whole_connection = may_hang_up = false;
    too_large = 0;
  }

  // For whoever decodes it, once.
  Body encoded_body() noexcept { return {body, large_text.empty() ? nullptr : &large_text}; }
};

// What a request says before its body.
struct RequestHeader {
  MessageKind kind = MessageKind::request;  // or notify
  std::uint64_t seq = 0;
  std::string_view method;
  std::chrono::nanoseconds timeout{0};
  const Metadata* metadata = nullptr;

  // The timeout that ends at `deadline`, which is later than now; max(): none.
  void set_deadline(std::chrono::steady_clock::time_point deadline,
                    std::chrono::steady_clock::time_point now) {
    if (deadline != std::chrono::steady_clock::time_point::max()) timeout = deadline - now;
  }
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_MESSAGE_HPP
