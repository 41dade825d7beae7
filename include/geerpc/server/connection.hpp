// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// ServerConnection: the state of one connection, apart from the thread that serves it.

#ifndef GEERPC_SERVER_CONNECTION_HPP
#define GEERPC_SERVER_CONNECTION_HPP

#include <algorithm>  // find, max, min
#include <atomic>     // atomic
#include <chrono>     // milliseconds
#include <memory>     // enable_shared_from_this, shared_ptr, unique_ptr
#include <mutex>      // mutex
#include <string>     // string
#include <utility>    // move
#include <vector>     // vector

#include <geerpc/base/hot_path.hpp>
#include <geerpc/net/idle_stack.hpp>
#include <geerpc/net/outbox.hpp>
#include <geerpc/protocol/http_connect.hpp>
#include <geerpc/protocol/wires.hpp>
#include <geerpc/server/options.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class RunningCall;

// The reading half belongs to one thread at a time, which hands it on; the rest is thread-safe.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(Socket socket, std::shared_ptr<const PeerInfo> peer,
                   const ServerOptions& options)
      : options_(options),
        peer_(std::move(peer)),
        socket_(std::move(socket)),
        outbox_(socket_, options.max_queued_bytes) {
    socket_.set_receive_timeout(kTick);
  }

  const std::shared_ptr<const PeerInfo>& peer() const noexcept { return peer_; }
  const Wire& wire() const noexcept { return *wire_; }
  const Option& option() const noexcept { return option_; }

  // ---- The reading half.

  // Reads HTTP CONNECT, if that is what comes, and the option. False if the connection is to be
  // closed; a peer that can understand it was told why.
  bool shake_hands(const std::vector<const Codec*>& codecs) {
    const auto deadline = after(options_.handshake_timeout);
    if (!receive_until(deadline)) return false;
    if (looks_like_http(input_.view()) && !open_tunnel(deadline)) return false;
    JsonScanner scanner(kOptionDepth);
    try {
      while (scanner.feed(input_.view()) == JsonScanner::Status::more) {
        if (input_.size() > kMaxOption) {
          throw Error(StatusCode::resource_exhausted, "the option is too long");
        }
        if (!receive_until(deadline)) return false;
      }
      if (scanner.end() > kMaxOption) {
        throw Error(StatusCode::resource_exhausted, "the option is too long");
      }
      option_ = parse_option(input_.view().substr(0, scanner.end()));
    } catch (const Error&) {
      return false;  // whoever sent this speaks none of our protocols
    }
    input_.consume(scanner.end());
    return choose_wire(codecs) && skip_newline(deadline);
  }

  // The next message, without waiting: false if it is not all there. Throws Error if what is there
  // can't be one; message.seq then tells whose it was, if that is known.
  bool next_message(Message& message) {
    if (input_.empty()) return false;
    const std::size_t size = wire_->read(input_.view(), message);
    if (size == 0) return false;
    input_.consume(size);  // the message's views stay valid until the next receive()
    receiving_since_ = SteadyClock::time_point::max();
    return true;
  }

  // Waits for more input. False at the end of the stream, or when the peer used up its time.
  GEERPC_HOT bool receive() {
    const std::size_t ahead = (std::min)(wire_->missing(), (std::max)(input_.size(), kMaxGrowth));
    char* const to = input_.prepare((std::max)(ahead, read_size_));
    if (!wire_->between_messages(input_.view())) return receive_rest(to);
    const Socket::Transfer got = socket_.receive(to, input_.room());
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

  // ---- The writing half.

  // Sends what is queued; false if the connection is broken or its peer does not read.
  bool flush() {
    const auto blocked = [this] { return wait_writable(); };
    const Outbox::Result result = outbox_.flush(blocked);
    return result == Outbox::Result::busy ? wait_for_room() : settle(result);
  }
  // Appends what `write(Buffer&)` writes. Replies gather until they are worth a system call or
  // somebody flushes; if it is the `last` one for now it leaves at once. A peer that takes none of
  // them is waited for, and then given up: false.
  template <class Write>
  bool append(Write&& write, bool last = false) {
    const auto blocked = [this] { return wait_writable(); };
    for (;;) {
      const Outbox::Result result = outbox_.append_and_flush(write, last ? 0 : kBatch, blocked);
      if (result != Outbox::Result::full) return settle(result);
      if (!wait_for_room()) return settle(Outbox::Result::gave_up);
    }
  }
  // Waits while too many replies are queued; false if the peer takes none of them.
  bool wait_for_room() { return outbox_.wait_for_room(after(options_.write_timeout)); }

  // ---- The calls that outlived the monitor's patience, and the end.

  std::mutex& mutex() noexcept { return mutex_; }
  std::vector<RunningCall*>& slow_calls() noexcept { return slow_calls_; }  // mutex held
  // Mutex held: nothing more is read, and nobody is going to write a reply any more.
  bool is_over() const noexcept {
    return input_ended_ && slow_calls_.empty() && late_replies_ == 0;
  }
  // A reply that a thread of its own is going to write keeps the connection open.
  void add_late_reply() noexcept { ++late_replies_; }     // mutex held
  void remove_late_reply() noexcept { --late_replies_; }  // mutex held
  // Mutex held. Broken: what came was no message, and more of it may come.
  void set_input_ended(bool broken) noexcept {
    input_ended_ = true;
    input_broken_ = broken;
  }

  // No request is read after the one at work. Any thread.
  void stop_reading() {
    stopping_.store(true, std::memory_order_relaxed);
    ::shutdown(socket_.fd(), SHUT_RD);
  }
  bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  // Sends what is queued, lets the peer have it, and ends the connection. For the last thread.
  void close() {
    if (flush()) {
      if (input_broken_ && !stopping()) linger();
      socket_.wait_delivered(SteadyClock::now() + kLingerTime);
    }
    abort();
  }
  // Breaks all that waits on the socket. Any thread.
  void abort() noexcept { socket_.shutdown(); }

 private:
  static constexpr std::chrono::milliseconds kTick{100};
  static constexpr std::size_t kBatch = 64u << 10;  // bytes of replies worth a system call
  // What was read into lies among the memory of others when it is given back, and stays resident.
  static constexpr std::size_t kMinReadSize = 512;
  static constexpr std::size_t kMaxReadSize = 64u << 10;
  static constexpr std::size_t kMaxGrowth = 1u << 20;  // allocated ahead of the bytes themselves
  static constexpr std::size_t kOptionDepth = 8;

  static SteadyClock::time_point after(std::chrono::nanoseconds limit) {
    return limit.count() <= 0 ? SteadyClock::time_point::max() : Context::deadline_after(limit);
  }

  bool wait_writable() const { return socket_.wait_writable(after(options_.write_timeout)); }
  bool settle(Outbox::Result result) {
    if (result != Outbox::Result::gave_up && result != Outbox::Result::broken) return true;
    socket_.shutdown();
    return false;
  }

  bool take(const Socket::Transfer& got) {
    if (got.bytes <= 0) return false;
    const auto bytes = static_cast<std::size_t>(got.bytes);
    if (bytes >= read_size_) read_size_ = (std::min)(2 * read_size_, kMaxReadSize);
    input_.commit(bytes);
    return true;
  }

  // For the handshake: some input by `deadline`.
  bool receive_until(SteadyClock::time_point deadline) {
    if (!socket_.wait_readable(deadline)) return false;
    char* const to = input_.prepare(kMinReadSize);
    return take(socket_.receive_now(to, input_.room()));
  }

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
  GEERPC_COLD bool receive_rest(char* to) {
    const auto now = SteadyClock::now();
    if (receiving_since_ == SteadyClock::time_point::max()) receiving_since_ = now;
    if (options_.receive_timeout.count() > 0) {
      const auto limit = options_.receive_timeout > SteadyClock::time_point::max() - now
                             ? SteadyClock::time_point::max()
                             : receiving_since_ + options_.receive_timeout;
      if (now >= limit || !socket_.wait_readable(limit)) return false;
    }
    const Socket::Transfer got = socket_.receive(to, input_.room());
    return (got.bytes < 0 && would_block(got.error)) || take(got);
  }

  bool open_tunnel(SteadyClock::time_point deadline) {
    std::size_t searched = 0, end = 0;
    try {
      while ((end = find_http_head_end(input_.view(), searched)) == 0) {
        if (!receive_until(deadline)) return false;
      }
    } catch (const Error&) {
      send_last("HTTP/1.0 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n");
      return false;
    }
    const ConnectAnswer answer = answer_connect(input_.view().substr(0, end));
    input_.consume(end);
    if (!answer.connected) {
      send_last(answer.text);
      return false;
    }
    append([&](Buffer& out) { out.append(answer.text); });
    return flush() && (!input_.empty() || receive_until(deadline));
  }

  // The newline behind the option, which may come later. JSON needs no care: it is white space.
  bool skip_newline(SteadyClock::time_point deadline) {
    if (&wire_->codec() == &json_codec()) return true;
    if (input_.empty() && !receive_until(deadline)) return false;
    if (input_.view().front() == '\n') input_.consume(1);
    return true;
  }

  // Picks the wire of the option's codec; false if the option is refused.
  bool choose_wire(const std::vector<const Codec*>& codecs) {
    WireLimits limits;
    limits.max_message = options_.max_message_size;
    limits.decode = options_.decode;
    for (const Codec* const codec : codecs) {
      if (codec->content_type() == option_.codec) wire_ = make_server_wire(*codec, limits, option_);
    }
    if (wire_ != nullptr && option_.magic == kMagicNumber) return true;
    const Error refusal =
        option_.magic != kMagicNumber
            ? Error(StatusCode::invalid_argument,
                    "rpc server: invalid magic number " + std::to_string(option_.magic))
            : Error(StatusCode::unimplemented, "rpc server: invalid codec type " + option_.codec);
    // Whoever asks for a codec that only our programs could know understands our frames.
    if (wire_ == nullptr && option_.codec != "application/gob" && !option_.codec.empty()) {
      wire_ = std::make_unique<FrameWire>(msgpack_codec(), limits);
    }
    if (wire_ == nullptr) return false;
    Buffer text;
    wire_->write_error(text, 0, "", refusal.never_ran());
    send_last(text.view());
    return false;
  }

  bool has_slow_calls() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !slow_calls_.empty();
  }

  void send_last(std::string_view text) {
    append([&](Buffer& out) { out.append(text); });
    if (flush()) linger();
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
  static constexpr std::chrono::milliseconds kLingerTime{500};
  static constexpr std::size_t kLingerBytes = 4u << 20;

  const ServerOptions& options_;
  const std::shared_ptr<const PeerInfo> peer_;
  const Socket socket_;
  Option option_;               // constant after the handshake
  std::unique_ptr<Wire> wire_;  // the pointer is constant after the handshake
  std::atomic<bool> stopping_{false};

  // Of the thread that reads.
  Buffer input_;
  std::size_t read_size_ = kMinReadSize;  // grows with what comes
  SteadyClock::time_point receiving_since_ = SteadyClock::time_point::max();

  Outbox outbox_;

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
