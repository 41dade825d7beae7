// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonRpcAnswer: where the answer of a JSON-RPC text goes that came by itself, as in HTTP, and not
// on a stream that it could go back on.

#ifndef GEERPC_PROTOCOL_JSON_RPC_ANSWER_HPP
#define GEERPC_PROTOCOL_JSON_RPC_ANSWER_HPP

#include <chrono>              // steady_clock
#include <condition_variable>  // condition_variable
#include <mutex>               // mutex
#include <string>              // string
#include <utility>             // move

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Thread-safe. Settled once.
class JsonRpcAnswer {
 public:
  enum class State {
    pending,
    ready,    // the text is there
    nothing,  // nothing is to be answered: there were notifications only
    lost      // there will be no answer any more
  };

  void settle(State state, std::string text = {}) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::pending) return;
    state_ = state;
    text_ = std::move(text);
    settled_.notify_all();
  }

  // Pending if it is that still at `deadline`.
  State wait_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock<std::mutex> lock(mutex_);
    settled_.wait_until(lock, deadline, [this] { return state_ != State::pending; });
    return state_;
  }
  // Once ready; once only.
  std::string take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::move(text_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable settled_;
  // Guarded by mutex_.
  State state_ = State::pending;
  std::string text_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_JSON_RPC_ANSWER_HPP
