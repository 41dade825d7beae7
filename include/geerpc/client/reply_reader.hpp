// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ReplyReader: the reading half of a client's connection.

#ifndef GEERPC_CLIENT_REPLY_READER_HPP
#define GEERPC_CLIENT_REPLY_READER_HPP

#include <algorithm>  // max, min
#include <chrono>     // milliseconds
#include <cstddef>    // size_t
#include <utility>    // move

#include <geerpc/base/hot_path.hpp>
#include <geerpc/net/waker.hpp>
#include <geerpc/protocol/wire.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Not thread-safe: it belongs to the thread that has the reader's role. What was read of a message
// when that thread leaves stays for the next one.
class ReplyReader {
 public:
  enum class Outcome {
    received,  // there may be messages
    nothing,   // not yet; look around and come back
    timeout,   // the deadline has passed
    ended,     // the stream has; end() says how
  };

  // All but `unread`, what came behind the handshake, outlive the reader.
  ReplyReader(const Socket& socket, const Waker& waker, Wire& wire, Buffer unread)
      : socket_(socket), waker_(waker), wire_(wire), input_(std::move(unread)) {
    socket_.set_receive_timeout(kTick);
  }

  // Waits for input until `deadline`, or until woken if it is `wakeable`. That costs one system
  // call more, as does a deadline that is near.
  GEERPC_HOT Outcome receive(SteadyClock::time_point now, SteadyClock::time_point deadline,
                             bool wakeable) {
    input_.consume(size_);
    size_ = 0;
    const std::size_t ahead = (std::min)(wire_.missing(), (std::max)(input_.size(), kMaxGrowth));
    const std::size_t wanted = (std::max)(ahead, read_size_);
    char* const to = input_.prepare(wanted);
    Socket::Transfer got;
    if (wakeable || deadline < now + kTick) {
      pollfd fds[2] = {{socket_.fd(), POLLIN, 0}, {waker_.fd(), POLLIN, 0}};
      if (!poll_until(fds, deadline)) return Outcome::timeout;
      if (fds[1].revents != 0) {  // whatever came besides is the next reader's
        waker_.drain();
        return Outcome::nothing;
      }
      got = socket_.receive_now(to, wanted);
    } else {
      got = socket_.receive(to, wanted);
    }
    if (got.bytes < 0 && would_block(got.error)) {
      return SteadyClock::now() < deadline ? Outcome::nothing : Outcome::timeout;
    }
    if (got.bytes <= 0) {
      error_ = got.bytes == 0 ? 0 : got.error;
      return Outcome::ended;
    }
    const auto bytes = static_cast<std::size_t>(got.bytes);
    if (bytes >= read_size_) read_size_ = (std::min)(2 * read_size_, kMaxReadSize);
    input_.commit(bytes);
    return Outcome::received;
  }

  // Nobody waits for a reply: keep no memory beyond what the next small one needs.
  void release() noexcept { input_.release(kMaxKept); }

  // The next whole message, or null. Valid until the next call. Throws Error for what is none.
  Message* next() {
    input_.consume(size_);
    size_ = 0;
    size_ = wire_.read(input_.view(), message_);
    return size_ == 0 ? nullptr : &message_;
  }

  Error end() const {
    return {StatusCode::unavailable,
            error_ == 0 ? "connection closed by the server" : errno_text(error_)};
  }

 private:
  // A waiting caller looks at its deadline this often; nearer deadlines are met exactly.
  static constexpr std::chrono::milliseconds kTick{100};
  static constexpr std::size_t kMaxReadSize = 128u << 10;
  static constexpr std::size_t kMaxGrowth = 1u << 20;  // allocated ahead of the bytes themselves
  static constexpr std::size_t kMaxKept = 4u << 20;

  const Socket& socket_;
  const Waker& waker_;
  Wire& wire_;
  Buffer input_;
  std::size_t read_size_ = 512;  // grows with what comes
  Message message_;
  std::size_t size_ = 0;  // of the message that next() gave out
  int error_ = 0;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_REPLY_READER_HPP
