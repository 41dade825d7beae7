// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Outbox: the writing half of a connection, shared by all threads that write to it.

#ifndef GEERPC_NET_OUTBOX_HPP
#define GEERPC_NET_OUTBOX_HPP

#include <algorithm>           // min
#include <cerrno>              // ENOMEM
#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <cstdint>             // uint64_t
#include <mutex>               // mutex
#include <new>                 // bad_alloc
#include <string_view>         // string_view
#include <utility>             // exchange

#include <geerpc/base/buffer.hpp>
#include <geerpc/base/function_ref.hpp>
#include <geerpc/base/hot_path.hpp>
#include <geerpc/net/socket.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Messages are appended whole and leave in that order. Whoever flushes sends what the others have
// queued meanwhile: concurrent writers share system calls. Thread-safe.
class Outbox {
 public:
  enum class Result {
    sent,     // nothing is left
    busy,     // another thread is sending
    queued,   // the bytes wait for a flush()
    full,     // too much is queued already: nothing was written
    gave_up,  // `blocked` said so; the rest stays queued
    broken,   // the socket is dead; error() says why
  };

  // `socket` outlives the outbox. More than `max_queued` bytes are a reason to wait.
  Outbox(const Socket& socket, std::size_t max_queued) : socket_(socket), max_queued_(max_queued) {}

  // Runs `write` on the queue, under the lock; what it throws is passed on, and it must have taken
  // its bytes back then. Returns how many bytes are queued now.
  template <class Write>
  std::size_t append(Write&& write) {
    const std::lock_guard<std::mutex> lock(mutex_);
    write(*queue_);
    return queue_->size();
  }

  // The same, and sends what is queued if that are at least `enough` bytes: 0, always. What `write`
  // lends to the buffer must live until this returns. `blocked`: see flush().
  template <class Write>
  Result append_and_flush(Write&& write, std::size_t enough, FunctionRef<bool()> blocked) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (error_ != 0) return Result::broken;
    if (queue_->size() > max_queued_) return Result::full;
    const Loan loan(*queue_, !sending_ && sending_buffer_->empty());
    write(*queue_);
    if (queue_->size() < enough && !queue_->has_lent()) return Result::queued;
    return flush_locked(lock, blocked);
  }

  // Sends what is queued, unless another thread is at it. `blocked` is called, without the lock,
  // when the socket takes no more: it waits until it does (true) or gives up (false).
  Result flush(FunctionRef<bool()> blocked) {
    std::unique_lock<std::mutex> lock(mutex_);
    return flush_locked(lock, blocked);
  }

  // Waits until the queue is no longer over its bound. False at `deadline`.
  bool wait_for_room(SteadyClock::time_point deadline) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto has_room = [this] { return queue_->size() <= max_queued_ || error_ != 0; };
    if (has_room()) return true;
    ++waiting_for_room_;
    bool room = true;
    if (deadline == SteadyClock::time_point::max()) {
      room_.wait(lock, has_room);
    } else {
      room = room_.wait_until(lock, deadline, has_room);
    }
    --waiting_for_room_;
    return room;
  }

  // How many bytes have left: while that grows the peer is not stuck.
  std::uint64_t bytes_sent() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return bytes_sent_;
  }

  // Nothing that is appended from now on is sent, with `error` as the reason; what is being sent
  // may still be.
  void seal(int error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (error_ == 0) error_ = error;
    room_.notify_all();
  }

  // True if bytes wait and nobody is sending them.
  bool needs_flush() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !sending_ && error_ == 0 && (!queue_->empty() || !sending_buffer_->empty());
  }
  // The same, if they have waited since the last look. For one thread that looks now and then.
  bool looks_forgotten() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool waits = !sending_ && error_ == 0 && (!queue_->empty() || !sending_buffer_->empty());
    const bool same = flushes_ == flushes_at_last_look_;
    flushes_at_last_look_ = flushes_;
    return std::exchange(waited_at_last_look_, waits) && waits && same;
  }
  // The errno that broke the socket, 0 while it works.
  int error() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return error_;
  }

  // Gives the memory back that an idle connection does not need.
  void release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_->release();
    if (!sending_) sending_buffer_->release();
  }

 private:
  // While it lives, a message may lend its last bytes, which the flush then takes or copies.
  class Loan {
   public:
    Loan(Buffer& buffer, bool may) : buffer_(buffer) { buffer.let_borrow(may); }
    ~Loan() { buffer_.let_borrow(false); }

   private:
    Buffer& buffer_;
  };

  Result flush_locked(std::unique_lock<std::mutex>& lock, FunctionRef<bool()> blocked) {
    if (error_ != 0) return Result::broken;
    if (sending_) return Result::busy;
    ++flushes_;
    if (queue_->empty() && sending_buffer_->empty() && !queue_->has_lent()) return Result::sent;
    sending_ = true;
    std::string_view lent = queue_->take_lent();  // belongs behind the queue, and to our caller
    take_queue();
    while (!sending_buffer_->empty() || !lent.empty()) {
      lock.unlock();
      const Socket::Transfer sent = send_some(lent);
      bool go_on = sent.bytes >= 0;
      const bool full = !go_on && would_block(sent.error);
      if (full) go_on = blocked();
      lock.lock();
      if (sent.bytes > 0) bytes_sent_ += static_cast<std::uint64_t>(sent.bytes);
      if (go_on && error_ == 0) {
        if (lent.empty()) take_queue();
        continue;
      }
      sending_ = false;
      if (!keep(lent)) error_ = ENOMEM;
      if (full && error_ == 0) return Result::gave_up;
      if (error_ == 0) error_ = sent.error;
      room_.notify_all();
      return Result::broken;
    }
    sending_ = false;
    std::swap(queue_,
              sending_buffer_);  // both are empty; the memory that is in the cache comes first
    queue_->release(kKeep);
    return Result::sent;
  }

  void take_queue() {
    if (!sending_buffer_->empty() || queue_->empty()) return;
    std::swap(queue_, sending_buffer_);
    if (waiting_for_room_ != 0) room_.notify_all();
  }
  bool keep(std::string_view lent) noexcept {
    try {
      sending_buffer_->append(lent);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  GEERPC_HOT Socket::Transfer send_some(std::string_view& lent) {
    const std::string_view first = sending_buffer_->view();
    const Socket::Transfer sent =
        lent.empty() ? socket_.send_now(first.data(), first.size()) : socket_.send_now(first, lent);
    if (sent.bytes < 0) return sent;
    const auto all = static_cast<std::size_t>(sent.bytes);
    const std::size_t of_first = (std::min)(all, first.size());
    sending_buffer_->consume(of_first);
    lent.remove_prefix(all - of_first);
    return sent;
  }

  static constexpr std::size_t kKeep = 256u << 10;  // a larger buffer is not worth holding on to

  const Socket& socket_;
  const std::size_t max_queued_;

  mutable std::mutex mutex_;
  std::condition_variable room_;
  // Guarded by mutex_.
  Buffer buffers_[2];
  Buffer* queue_ = &buffers_[0];
  bool sending_ = false;
  int waiting_for_room_ = 0;
  int error_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t flushes_ = 0;
  std::uint64_t flushes_at_last_look_ = 0;
  bool waited_at_last_look_ = false;

  Buffer* sending_buffer_ = &buffers_[1];  // of the thread that set sending_
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_OUTBOX_HPP
