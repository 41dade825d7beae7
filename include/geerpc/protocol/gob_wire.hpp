// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobWire: a gob stream in which headers and bodies alternate, as GeeRPC and Go's net/rpc have it.
// The body of an error is an empty struct.

#ifndef GEERPC_PROTOCOL_GOB_WIRE_HPP
#define GEERPC_PROTOCOL_GOB_WIRE_HPP

#include <algorithm>    // min
#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <string_view>  // string_view
#include <utility>      // exchange, move
#include <variant>      // monostate

#include <geerpc/codec/gob_stream.hpp>
#include <geerpc/protocol/gob_headers.hpp>
#include <geerpc/protocol/wire.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What a connection in gob remembers, made before the wire that it is a part of.
struct GobConnection {
  mutable GobStream stream;
  GobStreamCodec connection_codec{stream};
};

// The writing functions, const as they are, are for one thread at a time, in the order in which the
// messages leave: the outbox's mutex sees to that.
class GobWire final : private GobConnection, public Wire {
 public:
  enum class Dialect { geerpc, net_rpc };

  GobWire(const WireLimits& limits, Side side, Dialect dialect, bool extended)
      : Wire(connection_codec, limits),
        side_(side),
        dialect_(dialect),
        extended_(extended),
        scanner_(stream.seen, limits.decode.max_depth) {}

  std::size_t read(std::string_view input, Message& message) override {
    message.reset();
    if (skip_ != 0) return skip((std::min)(input.size(), skip_), message);
    if (!begun_ && !input.empty()) {
      if (const std::size_t blanks = leading_blanks(input)) return skip(blanks, message);
      begun_ = true;
    }
    try {
      return read_message(input, message);
    } catch (const Error&) {
      if (has_header()) read_header(input, message);  // so that the caller knows whose it is
      throw;
    }
  }
  std::size_t missing() const noexcept override { return missing_; }
  bool between_messages(std::string_view input) const override {
    return input.empty() && skip_ == 0;
  }

  bool read_unfinished(std::string_view input, Message& message) override {
    if (!has_header() || side_ == Side::client) return false;
    message.reset();
    read_header(input, message);
    message.text = input.size() == header_end_ ? "EOF" : "unexpected EOF";
    return true;
  }

  void begin_request(Buffer& out, const RequestHeader& header) const override {
    begin();
    const bool has_metadata = header.metadata != nullptr && !header.metadata->empty();
    if (dialect_ == Dialect::net_rpc) {
      encode_gob(codec(), out, gob_net_rpc::Request{header.method, header.seq});
    } else if (extended_ && (header.timeout.count() != 0 || has_metadata)) {
      encode_gob(codec(), out,
                 gob_request::Header{header.method, header.seq, header.timeout.count(),
                                     has_metadata ? *header.metadata : Metadata()});
    } else {
      encode_gob(codec(), out, gob_geerpc::Header{header.method, header.seq, ""});
    }
  }
  void begin_reply(Buffer& out, std::uint64_t seq, std::string_view method) const override {
    begin();
    write_reply_header(out, seq, method, "");
  }
  void finish(Buffer& out, std::size_t start, std::uint64_t) const override {
    const std::size_t size = out.size() - start;
    if (size > limits().max_message) out.truncate(start);
    check_size(size);
  }

  void write_error(Buffer& out, std::uint64_t seq, std::string_view method,
                   const Error& error) const override {
    const std::size_t start = out.size();
    const std::string_view text = never_empty(error.cause()).substr(0, limits().max_message / 2);
    begin();
    try {
      if (extended_) {
        encode_gob(codec(), out,
                   gob_error::Header{method, seq, text, static_cast<int>(error.code()),
                                     !error.may_have_run()});
      } else {
        write_reply_header(out, seq, method, text);
      }
      encode_gob(codec(), out, std::monostate());
    } catch (...) {
      out.truncate(start);
      forget();
      throw;
    }
  }
  void write_cancel(Buffer&, std::uint64_t) const override {}
  void write_goaway(Buffer&, std::uint64_t) const override {}

  Error no_handler(NoHandler why, std::string_view method) const override {
    return words()(why, method);
  }
  bool has_connection_errors() const noexcept override { return false; }
  std::uint64_t first_seq() const noexcept override { return dialect_ == Dialect::net_rpc ? 0 : 1; }
  bool end_means_gone() const noexcept override { return false; }
  bool has_notify() const noexcept override { return false; }

 protected:
  void forget() const noexcept override { stream.sent.truncate(sent_before_); }

 private:
  static constexpr std::size_t kMaxMethod = 4096;

  NoHandlerWords words() const noexcept {
    return dialect_ == Dialect::net_rpc ? net_rpc_no_handler : geerpc_no_handler;
  }

  void begin() const noexcept { sent_before_ = stream.sent.size(); }
  void write_reply_header(Buffer& out, std::uint64_t seq, std::string_view method,
                          std::string_view error) const {
    if (dialect_ == Dialect::net_rpc) {
      encode_gob(codec(), out, gob_net_rpc::Response{method, seq, error});
    } else {
      encode_gob(codec(), out, gob_geerpc::Header{method, seq, error});
    }
  }

  // Blanks between the option and the stream; no header's definition is so short that its length
  // could be one.
  static std::size_t leading_blanks(std::string_view input) noexcept {
    const std::size_t end = input.find_first_not_of(" \t\r\n");
    return end == input.npos ? input.size() : end;
  }

  bool has_header() const noexcept { return header_end_ != 0; }

  // Goes on where the last attempt stopped.
  std::size_t read_message(std::string_view input, Message& message) {
    for (;;) {
      const std::string_view rest = input.substr(seen_);
      const GobScanner::Found found = scanner_.scan(rest);
      const std::size_t size = scanner_.size();
      if (size > limits().max_message - seen_) return read_too_large(input, size, message);
      if (found == GobScanner::Found::nothing) {
        missing_ = size - rest.size();
        return 0;
      }
      seen_ += size;
      if (found == GobScanner::Found::definition) continue;
      if (!has_header()) {
        header_ = seen_ - size;
        header_end_ = seen_;
        read_header(input, message);
        continue;
      }
      if (message.method.data() == nullptr) read_header(input, message);
      message.body = rest.substr(0, size);
      return end_message();
    }
  }
  std::size_t end_message() noexcept {
    header_ = header_end_ = 0;
    missing_ = 1;
    return std::exchange(seen_, 0);
  }

  void read_header(std::string_view input, Message& message) {
    gob_received::Header header;
    decode_gob(codec(), input.substr(header_, header_end_ - header_), header, limits().decode);
    if (header.ServiceMethod.size() > kMaxMethod) {
      throw Error(StatusCode::invalid_argument, "the name of the method is too long");
    }
    message.seq = header.Seq;
    message.method = header.ServiceMethod;
    if (side_ == Side::server) {  // an Error in a request means nothing
      message.timeout = std::chrono::nanoseconds(header.Timeout);
      message.metadata = std::move(header.Metadata);
      return;
    }
    message.text = header.Error;
    message.kind = message.text.empty() ? MessageKind::reply : MessageKind::error;
    if (message.kind != MessageKind::error) return;
    if (header.Code == 0) {
      infer_code(message, words());
      // Go GeeRPC's server leaves the body of such a request unread and takes it for the next
      // header, which it mostly is not. (In JSON it mostly is one.)
      message.may_hang_up = dialect_ == Dialect::geerpc && !message.may_have_run;
      return;
    }
    message.code = status_from_wire(header.Code);
    message.may_have_run = !header.NeverRan;
  }

  // If that is a body its header says whose it is; it is read over, so that it costs its sender
  // that one call. Its length is known, but a value that holds interface values may have no end.
  std::size_t read_too_large(std::string_view input, std::size_t size, Message& message) {
    std::size_t head = 0;
    std::uint64_t length = 0;
    const bool known = read_gob_length(input.substr(seen_), head, length);
    if (!has_header() || !known || stream.seen.has_interfaces()) check_size(seen_ + size);
    read_header(input, message);
    message.too_large = seen_ + size;
    const std::size_t here = (std::min)(input.size() - seen_, size);
    skip_ = size - here;
    seen_ += here;
    return end_message();
  }
  std::size_t skip(std::size_t n, Message& message) noexcept {
    if (skip_ != 0) skip_ -= n;
    message.kind = MessageKind::nothing;
    return n;
  }

  const Side side_;
  const Dialect dialect_;
  const bool extended_;

  // Of the reading half.
  GobScanner scanner_;
  bool begun_ = false;
  std::size_t seen_ = 0;        // of the input: what was scanned
  std::size_t header_ = 0;      // where the header is, once it was found
  std::size_t header_end_ = 0;  // or 0
  std::size_t missing_ = 1;
  std::size_t skip_ = 0;  // bytes of a body that was too large

  // Of the writing half.
  mutable std::size_t sent_before_ = 0;  // types, before the message at work
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_GOB_WIRE_HPP
