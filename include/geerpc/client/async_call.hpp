// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// AsyncCall: a call that its caller does not wait for at once.

#ifndef GEERPC_CLIENT_ASYNC_CALL_HPP
#define GEERPC_CLIENT_ASYNC_CALL_HPP

#include <atomic>       // atomic
#include <exception>    // exception
#include <memory>       // shared_ptr
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/client/callback_thread.hpp>
#include <geerpc/client/connection.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class Background;

// In a catch block: why the call never ran.
inline Error thrown() {
  try {
    throw;
  } catch (const Error& error) {
    return error.never_ran();
  } catch (const std::exception& error) {
    return Error(StatusCode::internal, error.what()).never_ran();
  }
}
inline Error no_thread_error() {
  return {StatusCode::resource_exhausted, "can't start the thread for asynchronous calls"};
}

// The caller's Future and, while it is pending, the connection or the background share it.
struct AsyncCall : Call, Callback {
  AsyncCall(std::shared_ptr<Background> of_client, std::string_view name)
      : background(std::move(of_client)), method(name) {}

  const std::shared_ptr<Background> background;
  const std::string method;

  // What is needed to send it later, if that was not possible at once.
  Context context;
  Buffer body;
  void append_body(const Codec& codec, Buffer& out) const { append_early(codec, out, body.view()); }
  bool repeated = false;  // its connection turned out to be dead once already

  // Set before `sent`, which tells other threads that it is there.
  std::shared_ptr<ClientConnection> connection;
  std::atomic<bool> sent{false};
  bool can_be_cancelled = false;
  bool has_deadline = false;  // other than the default, which the server knows

  // Whether there is a callback, and whether somebody has seen to it that it runs.
  enum class Stage { kOpen, kHasCallback, kDone };
  std::atomic<Stage> stage{Stage::kOpen};

  std::optional<CancelCallback> on_cancel;  // last: destroyed first
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_ASYNC_CALL_HPP
