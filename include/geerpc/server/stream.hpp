// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ServerStream: the bytes of one connection, whatever they mean.

#ifndef GEERPC_SERVER_STREAM_HPP
#define GEERPC_SERVER_STREAM_HPP

#include <algorithm>    // max, min
#include <cerrno>       // ECONNABORTED
#include <chrono>       // milliseconds
#include <cstddef>      // size_t
#include <cstdint>      // int64_t
#include <string_view>  // string_view
#include <utility>      // move

#include <geerpc/base/context.hpp>
#include <geerpc/net/outbox.hpp>
#include <geerpc/server/options.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The reading half belongs to one thread at a time, the writing half is thread-safe.
class ServerStream {
 public:
  // `options` outlive the stream.
  ServerStream(Socket socket, const ServerOptions& options)
      : options_(options), socket_(std::move(socket)), outbox_(socket_, options.max_queued_bytes) {
    socket_.set_receive_timeout(kTick);
  }
  ServerStream(const ServerStream&) = delete;
  ServerStream& operator=(const ServerStream&) = delete;

  const ServerOptions& options() const noexcept { return options_; }

  // A time limit of the options, from now on; they say "none" with zero.
  static SteadyClock::time_point after(std::chrono::nanoseconds limit) {
    return limit.count() <= 0 ? SteadyClock::time_point::max() : Context::deadline_after(limit);
  }

  // ---- The reading half.

  // What was received and not yet consumed.
  Buffer& input() noexcept { return input_; }

  // For what is no message of a wire: some more input by `deadline`; false if there is none.
  bool receive_until(SteadyClock::time_point deadline) {
    if (!socket_.wait_readable(deadline)) return false;
    char* const to = input_.prepare(read_size_);
    return take(socket_.receive_now(to, input_.room()));
  }

  // ---- The writing half.

  // Sends what is queued; false if the connection is broken or its peer does not read.
  bool flush() {
    const auto blocked = [this] { return wait_writable(); };
    const Outbox::Result result = outbox_.flush(blocked);
    return result == Outbox::Result::busy ? wait_for_room() : settle(result);
  }
  // Appends what `write(Buffer&)` writes. Replies gather until they are worth a system call, too
  // many, or somebody flushes; if it is the `last` one for now it leaves at once. A peer that takes
  // none of them is waited for, and then given up: false.
  template <class Write>
  bool append(Write&& write, bool last = false) {
    const auto blocked = [this] { return wait_writable(); };
    for (;;) {
      const Outbox::Result result = outbox_.append_and_flush(write, last ? 0 : kBatch, blocked);
      if (result != Outbox::Result::full) return settle(result);
      if (!flush()) return false;
    }
  }
  // Waits while too many replies are queued; false if the peer takes none of them.
  bool wait_for_room() {
    const bool room =
        while_peer_takes([&](auto deadline) { return outbox_.wait_for_room(deadline); });
    return room || settle(Outbox::Result::gave_up);
  }

  // Sends the last words to a peer that is refused.
  void send_last(std::string_view text) {
    append([&](Buffer& out) { out.append(text); });
    if (flush()) linger();
  }
  // Breaks all that waits on the socket. Any thread.
  void abort() noexcept { socket_.shutdown(); }

 protected:
  ~ServerStream() = default;

  static constexpr std::chrono::milliseconds kTick{100};
  // What was read into lies among the memory of others when it is given back, and stays resident.
  static constexpr std::size_t kMinReadSize = 512;
  static constexpr std::size_t kMaxReadSize = 128u << 10;
  static constexpr std::chrono::milliseconds kLingerTime{500};

  bool take(const Socket::Transfer& got) {
    at_end_ = got.bytes == 0;
    if (got.bytes <= 0) return false;
    const auto bytes = static_cast<std::size_t>(got.bytes);
    if (bytes >= read_size_) read_size_ = (std::min)(2 * read_size_, kMaxReadSize);
    input_.commit(bytes);
    return true;
  }

  // Lets the peer read why: closing with unread input would reset the connection and could take
  // these words with it. So the rest is read away, for a moment.
  void linger() {
    socket_.shutdown_writing();
    const auto deadline = SteadyClock::now() + kLingerTime;
    std::size_t budget = kLingerBytes;
    char scrap[512];  // small: it counts among what an idle thread holds
    while (budget >= sizeof scrap && socket_.wait_readable(deadline)) {
      if (socket_.receive_now(scrap, sizeof scrap).bytes <= 0) return;
      budget -= sizeof scrap;
    }
  }

  const ServerOptions& options_;
  const Socket socket_;

  // Of the thread that reads.
  Buffer input_;
  std::size_t read_size_ = kMinReadSize;  // grows with what comes
  bool at_end_ = false;                   // the peer has closed its half

  Outbox outbox_;

 private:
  static constexpr std::size_t kBatch = 64u << 10;  // bytes of replies worth a system call
  static constexpr std::size_t kLingerBytes = 4u << 20;

  bool wait_writable() const {
    return while_peer_takes([this](auto deadline) { return socket_.wait_writable(deadline); });
  }
  // Waits until `wait(deadline)` is true; false if the peer takes no byte for write_timeout. What
  // it takes may not show at once: a socket takes more when a good part of its buffer is free.
  template <class Wait>
  bool while_peer_takes(Wait wait) const {
    const auto taken = [this] {
      return static_cast<std::int64_t>(outbox_.bytes_sent()) - socket_.undelivered();
    };
    for (;;) {
      const std::int64_t before = taken();
      if (wait(after(options_.write_timeout))) return true;
      if (taken() <= before) return false;
    }
  }
  bool settle(Outbox::Result result) {
    if (result != Outbox::Result::gave_up && result != Outbox::Result::broken) return true;
    outbox_.seal(ECONNABORTED);  // for those who wait for room, in vain
    abort();
    return false;
  }
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_STREAM_HPP
