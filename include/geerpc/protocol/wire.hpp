// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Wire: how messages are laid out on a connection. The option's codec decides which: JSON is
// GeeRPC's stream of values, everything else travels in length-prefixed frames.

#ifndef GEERPC_PROTOCOL_WIRE_HPP
#define GEERPC_PROTOCOL_WIRE_HPP

#include <algorithm>    // min
#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <string>       // to_string
#include <string_view>  // string_view

#include <geerpc/base/buffer.hpp>
#include <geerpc/codec/codec.hpp>
#include <geerpc/protocol/go_words.hpp>
#include <geerpc/protocol/message.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Limits that both ends set for what they read.
struct WireLimits {
  std::size_t max_message = 64u << 20;  // bytes of one message, header and body
  DecodeLimits decode;
};

// One end of one connection. read() is for the one thread that reads; the writing functions are
// const and may run in several threads at once, each with a buffer of its own.
class Wire {
 public:
  // Which end of the connection this is.
  enum class Side { client, server };

  // `codec` outlives the wire.
  Wire(const Codec& codec, const WireLimits& limits) : codec_(codec), limits_(limits) {
    // What the length of a frame can say.
    limits_.max_message = (std::min)(limits_.max_message, std::size_t{0xFFFFFFFF});
  }
  virtual ~Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  const Codec& codec() const noexcept { return codec_; }
  const WireLimits& limits() const noexcept { return limits_; }

  // Looks for a whole message at the start of `input`. Returns the bytes that it takes, or 0 if
  // more input is needed: call again with the same bytes and more behind them. Linear in the input,
  // however it is cut. Throws Error for input that is no message or too large; then the connection
  // can't go on, and message.seq is that of the offender if it was still readable, else 0.
  virtual std::size_t read(std::string_view input, Message& message) = 0;

  // True if `input` holds nothing of a message yet, so that the peer is idle rather than slow.
  virtual bool between_messages(std::string_view input) const { return input.empty(); }

  // True in the midst of several requests that get one answer: they are read to the last.
  virtual bool in_batch() const noexcept { return false; }

  // After read() returned 0: how many more bytes the message needs at least, at least 1.
  virtual std::size_t missing() const noexcept { return 1; }

  // What write_request() and write_reply() are made of. Append a header; the encoded body follows,
  // and finish() with the size that `out` had before.
  virtual void begin_request(Buffer& out, const RequestHeader& header) const = 0;
  virtual void begin_reply(Buffer& out, std::uint64_t seq, std::string_view method) const = 0;
  // Completes the message `seq` that starts at `start`. Throws Error(resource_exhausted), with
  // `out` truncated to `start`, if it is larger than the limit.
  virtual void finish(Buffer& out, std::size_t start, std::uint64_t seq) const = 0;

  // Append a whole message. If `body` throws, or the limit does (Error(resource_exhausted)),
  // nothing is left of it.
  void write_request(Buffer& out, const RequestHeader& header, EncodeBody body) const {
    write(out, header.seq, body, [&] { begin_request(out, header); });
  }
  void write_reply(Buffer& out, std::uint64_t seq, std::string_view method, EncodeBody body) const {
    write(out, seq, body, [&] { begin_reply(out, seq, method); });
  }

  // The error for a request that there is no handler for, in the protocol's own words.
  virtual Error no_handler(NoHandler why, std::string_view method) const {
    return geerpc_no_handler(why, method);
  }

  // Append a whole message. An empty error text would mean success to Go peers: it is replaced.
  virtual void write_error(Buffer& out, std::uint64_t seq, std::string_view method,
                           const Error& error) const = 0;
  // These do nothing where the peer would not understand them.
  virtual void write_cancel(Buffer& out, std::uint64_t seq) const = 0;
  virtual void write_goaway(Buffer& out, std::uint64_t requests_read) const = 0;

  Error too_large(std::size_t size) const {
    return {StatusCode::resource_exhausted, "message of " + std::to_string(size) +
                                                " bytes is larger than the limit of " +
                                                std::to_string(limits_.max_message)};
  }

  // At the end of the stream, with what is left of it: true if that is a request that lost its
  // body; `message` is then the error to answer it with, in Go's words.
  virtual bool read_unfinished(std::string_view input, Message& message) {
    (void)input, (void)message;
    return false;
  }

  // True if an error of sequence number 0 is understood to mean the whole connection.
  virtual bool has_connection_errors() const noexcept { return true; }
  // The number of the first request.
  virtual std::uint64_t first_seq() const noexcept { return 1; }
  // True if the end of the peer's stream means that it is gone. Go peers may close their writing
  // half only and still wait for replies.
  virtual bool end_means_gone() const noexcept = 0;
  // True if the peer answers notify with nothing; else it answers all requests.
  virtual bool has_notify() const noexcept = 0;

 protected:
  void check_size(std::size_t size) const {
    if (size <= limits_.max_message) return;
    throw Error(StatusCode::resource_exhausted, "message of " + std::to_string(size) +
                                                    " bytes is larger than the limit of " +
                                                    std::to_string(limits_.max_message));
  }
  // The message that was begun last was taken back, and with it what the peer was told in it.
  virtual void forget() const noexcept {}
  static std::string_view never_empty(std::string_view text) {
    return text.empty() ? std::string_view("failed without an error text") : text;
  }

 private:
  template <class Begin>
  void write(Buffer& out, std::uint64_t seq, EncodeBody body, Begin begin) const {
    const std::size_t start = out.size();
    try {
      begin();
      body(codec_, out);
      finish(out, start, seq);
    } catch (...) {
      out.truncate(start);
      forget();
      throw;
    }
  }

  const Codec& codec_;
  WireLimits limits_;  // constant after construction
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_WIRE_HPP
