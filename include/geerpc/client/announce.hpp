// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// announce_calls: from completed asynchronous calls to their callbacks.

#ifndef GEERPC_CLIENT_ANNOUNCE_HPP
#define GEERPC_CLIENT_ANNOUNCE_HPP

#include <memory>   // shared_ptr, static_pointer_cast
#include <utility>  // move
#include <vector>   // vector

#include <geerpc/client/background.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// These calls of one client, all of them asynchronous, are done: has their callbacks run.
inline void announce_calls(std::vector<std::shared_ptr<Call>>& calls) {
  const std::shared_ptr<Background> background = static_cast<AsyncCall&>(*calls.front()).background;
  std::vector<std::shared_ptr<Callback>> callbacks;
  for (std::shared_ptr<Call>& call : calls) {
    auto& async = static_cast<AsyncCall&>(*call);
    using Stage = AsyncCall::Stage;
    if (async.stage.exchange(Stage::kDone, std::memory_order_seq_cst) == Stage::kHasCallback) {
      callbacks.push_back(std::static_pointer_cast<AsyncCall>(std::move(call)));
    }
  }
  if (!callbacks.empty()) background->post(std::move(callbacks));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_ANNOUNCE_HPP
