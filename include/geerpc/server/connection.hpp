// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ServerConnection: the state of one connection, apart from the thread that serves it.

#ifndef GEERPC_SERVER_CONNECTION_HPP
#define GEERPC_SERVER_CONNECTION_HPP

#include <algorithm>  // max, min
#include <atomic>     // atomic
#include <memory>     // enable_shared_from_this, shared_ptr, unique_ptr
#include <mutex>      // mutex
#include <optional>   // optional
#include <utility>    // move
#include <vector>     // vector

#include <geerpc/base/hot_path.hpp>
#include <geerpc/net/idle_stack.hpp>
#include <geerpc/server/handshake.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class RunningCall;

// The reading half belongs to one thread at a time, which hands it on; the rest is thread-safe.
class ServerConnection : public ServerStream,
                         public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(Socket socket, std::shared_ptr<const PeerInfo> peer,
                   const ServerOptions& options)
      : ServerStream(std::move(socket), options), peer_(std::move(peer)) {}

  const std::shared_ptr<const PeerInfo>& peer() const noexcept { return peer_; }
  const Wire& wire() const noexcept { return *wire_; }
  const Option& option() const noexcept { return option_; }

  // ---- The reading half.

  // False if the connection is to be closed; see Handshake.
  bool shake_hands(const std::vector<const Codec*>& codecs, bool has_http) {
    std::optional<Handshake::Agreement> agreement = Handshake(*this, codecs, has_http).run();
    if (!agreement) return false;
    agree(std::move(*agreement));
    return true;
  }
  // In place of a handshake.
  void agree(Handshake::Agreement agreement) {
    option_ = std::move(agreement.option);
    wire_ = std::move(agreement.wire);
  }
  // After that. Such a connection carries no messages and has no wire().
  bool is_plain_http() const noexcept { return wire_ == nullptr; }

  // False once no further request is to be read.
  bool may_read() const noexcept { return !stopping() || wire_->in_batch(); }

  // The next message, without waiting: false if it is not all there. Throws Error if what is there
  // can't be one; message.seq then tells whose it was, if that is known.
  bool next_message(Message& message) {
    if (input_.empty()) {
      message.metadata.clear();  // an idle connection must not hold on to them
      if (!message.large_text.empty()) std::string().swap(message.large_text);
      return false;
    }
    const std::size_t size = wire_->read(input_.view(), message);
    if (size == 0) return false;
    input_.consume(size);  // the message's views stay valid until the next receive()
    // What is read over of a message that is too large has the time of one message.
    if (message.kind != MessageKind::nothing || wire_->between_messages({})) {
      receiving_since_ = SteadyClock::time_point::max();
    }
    return true;
  }

  // Once the stream has ended: true if a request lost its body, to be answered with message.text.
  bool read_unfinished(Message& message) {
    return at_end_ && wire_->read_unfinished(input_.view(), message);
  }

  // Waits for more input. False at the end of the stream, or when the peer used up its time.
  GEERPC_HOT bool receive() {
    const std::size_t ahead = (std::min)(wire_->missing(), (std::max)(input_.size(), kMaxGrowth));
    const std::size_t wanted = (std::max)(ahead, read_size_);
    char* const to = input_.prepare(wanted);
    if (!wire_->between_messages(input_.view())) return receive_rest(to, wanted);
    const Socket::Transfer got = socket_.receive(to, wanted);
    if (got.bytes < 0 && would_block(got.error)) return receive_idly();
    return take(got);
  }

  // Leaves the bytes of the message at work to its call, and the unread ones to who reads on.
  Buffer detach_input() {
    Buffer rest;
    rest.append(input_.view());
    input_.swap(rest);
    return rest;
  }

  // True if nothing that was received waits to be looked at.
  bool input_is_used_up() const noexcept { return input_.empty(); }

  std::uint64_t requests_read = 0;

  // ---- The calls that outlived the monitor's patience, and the end.

  std::mutex& mutex() noexcept { return mutex_; }
  std::vector<RunningCall*>& slow_calls() noexcept { return slow_calls_; }  // mutex held
  // Whether a call may run while others are read and run beside it.
  bool may_have_more_slow_calls() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return slow_calls_.size() < options_.max_calls_per_connection;
  }
  // Mutex held: nothing more is read, and nobody is going to write a reply any more.
  bool is_over() const noexcept {
    return input_ended_ && slow_calls_.empty() && late_replies_ == 0;
  }
  // A reply that a thread of its own is going to write keeps the connection open.
  void add_late_reply() noexcept { ++late_replies_; }     // mutex held
  void remove_late_reply() noexcept { --late_replies_; }  // mutex held
  // Mutex not held: nobody can write it. The call itself is still among the slow ones, so the
  // connection is not over by that.
  void give_up_late_reply() {
    abort();
    const std::lock_guard<std::mutex> lock(mutex_);
    remove_late_reply();
  }
  // Mutex held. Broken: what came was no message, and more of it may come.
  void set_input_ended(bool broken) noexcept {
    input_ended_ = true;
    input_broken_ = broken;
  }

  // No request is read after the one at work, or the batch. Any thread.
  void stop_reading() {
    stopping_.store(true, std::memory_order_relaxed);
    ::shutdown(socket_.fd(), SHUT_RD);
  }
  bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  // Sends what is queued, lets the peer have it, and ends the connection. For the last thread.
  void close() {
    if (flush()) {
      if (input_broken_ && !stopping()) linger();
      socket_.wait_delivered(kLingerTime, 10 * kLingerTime);
    }
    abort();
  }

 private:
  static constexpr std::size_t kMaxGrowth = 1u << 20;  // allocated ahead of the bytes themselves

  // After a moment of silence: keeps no memory for it, and waits without a tick.
  GEERPC_COLD bool receive_idly() {
    if (input_.empty()) input_.release();
    read_size_ = kMinReadSize;
    outbox_.release();
    release_stack();
    while (!socket_.wait_readable(after(options_.idle_timeout))) {
      if (!has_slow_calls()) return false;
    }
    char* const to = input_.prepare(read_size_);
    const Socket::Transfer got = socket_.receive_now(to, input_.room());
    return (got.bytes < 0 && would_block(got.error)) || take(got);
  }

  // The rest of a message of which some is there.
  GEERPC_COLD bool receive_rest(char* to, std::size_t wanted) {
    const auto now = SteadyClock::now();
    if (receiving_since_ == SteadyClock::time_point::max()) receiving_since_ = now;
    if (options_.receive_timeout.count() > 0) {
      const auto limit = options_.receive_timeout > SteadyClock::time_point::max() - now
                             ? SteadyClock::time_point::max()
                             : receiving_since_ + options_.receive_timeout;
      if (now >= limit || !socket_.wait_readable(limit)) return false;
    }
    const Socket::Transfer got = socket_.receive(to, wanted);
    return (got.bytes < 0 && would_block(got.error)) || take(got);
  }

  bool has_slow_calls() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !slow_calls_.empty();
  }

  const std::shared_ptr<const PeerInfo> peer_;
  Option option_;               // constant after the handshake
  std::unique_ptr<Wire> wire_;  // the pointer is constant after the handshake
  std::atomic<bool> stopping_{false};

  // Of the thread that reads.
  SteadyClock::time_point receiving_since_ = SteadyClock::time_point::max();

  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<RunningCall*> slow_calls_;
  bool input_ended_ = false;
  bool input_broken_ = false;
  std::size_t late_replies_ = 0;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_CONNECTION_HPP
