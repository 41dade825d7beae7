// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// PendingCalls: from a reply's sequence number to the call that waits for it.

#ifndef GEERPC_CLIENT_PENDING_CALLS_HPP
#define GEERPC_CLIENT_PENDING_CALLS_HPP

#include <algorithm>  // min
#include <atomic>     // memory_order_release
#include <chrono>     // steady_clock
#include <cstddef>    // size_t
#include <cstdint>    // uint64_t
#include <memory>     // shared_ptr
#include <optional>   // optional
#include <utility>    // move
#include <vector>     // vector

#include <geerpc/client/call.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// A table that is indexed by the low bits of the sequence number. We choose the numbers, so we skip
// those whose place is taken: no hashing, no probing, no allocation per call. Not thread-safe; does
// not own the calls.
class PendingCalls {
 public:
  explicit PendingCalls(std::uint64_t first_seq) : next_(first_seq) {}

  // Gives the call a number, the next one whose place is free.
  void add(Call& call) {
    if (size_ * 2 >= places_.size()) grow();
    while (place(next_) != nullptr) ++next_;
    call.seq = next_++;
    call.pending = true;
    place(call.seq) = &call;
    ++size_;
    if (call.self == nullptr) return;
    ++async_calls_;
    earliest_ = (std::min)(earliest_, call.deadline);
  }

  // A number for a message that no call waits for.
  std::uint64_t skip() {
    while (find(next_) != nullptr) ++next_;
    return next_++;
  }

  // Null if no call has that number, or no longer.
  Call* find(std::uint64_t seq) const {
    if (places_.empty()) return nullptr;
    Call* const call = places_[seq & (places_.size() - 1)];
    return call != nullptr && call->seq == seq ? call : nullptr;
  }

  // Forgets the call. Whoever calls this, or complete(), drops what they return only after it has
  // let go of its lock: it may be the last reference.
  [[nodiscard]] std::shared_ptr<Call> remove(Call& call) {
    place(call.seq) = nullptr;
    call.pending = false;
    --size_;
    if (call.self != nullptr) --async_calls_;
    return std::move(call.self);
  }
  // Forgets the call and tells it that it is done, with a result unless there is an error.
  [[nodiscard]] std::shared_ptr<Call> complete(Call& call, std::optional<Error> error) {
    std::shared_ptr<Call> completed = remove(call);
    call.error = std::move(error);
    Sleeper* const sleeper = call.take_sleeper();
    // From here on the call may be gone: its thread may have been woken for something else, such as
    // a cancellation, and who is awake and sees that it is done leaves without the mutex.
    call.done.store(true, std::memory_order_release);
    if (sleeper != nullptr) sleeper->wake();
    return completed;
  }

  // The asynchronous calls whose deadline has passed; `next` becomes the first of the other
  // deadlines. A waiting caller sees to its own.
  std::vector<std::shared_ptr<Call>> late(std::chrono::steady_clock::time_point now,
                                          std::chrono::steady_clock::time_point& next) {
    std::vector<std::shared_ptr<Call>> result;
    if (async_calls_ == 0) earliest_ = std::chrono::steady_clock::time_point::max();
    if (now >= earliest_) {
      earliest_ = std::chrono::steady_clock::time_point::max();
      for_each([&](Call& call) {
        if (call.self == nullptr || call.decoding) return;
        if (call.deadline <= now) {
          result.push_back(call.self);
        } else {
          earliest_ = (std::min)(earliest_, call.deadline);
        }
      });
    }
    next = earliest_;
    return result;
  }

  std::size_t async_calls() const noexcept { return async_calls_; }
  std::size_t size() const noexcept { return size_; }

  // `visit(Call&)` may remove the call that it is given.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i] != nullptr) visit(*places_[i]);
    }
  }

 private:
  Call*& place(std::uint64_t seq) { return places_[seq & (places_.size() - 1)]; }

  // Numbers with different places keep different places in a table twice as large.
  void grow() {
    std::vector<Call*> old(places_.empty() ? 8 : places_.size() * 2);
    old.swap(places_);
    for (Call* const call : old) {
      if (call != nullptr) place(call->seq) = call;
    }
  }

  std::vector<Call*> places_;  // size: a power of two, or 0
  std::size_t size_ = 0;
  std::size_t async_calls_ = 0;  // those of them that nobody waits for
  // No asynchronous call is due earlier.
  std::chrono::steady_clock::time_point earliest_ = std::chrono::steady_clock::time_point::max();
  std::uint64_t next_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_PENDING_CALLS_HPP
