// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// FrameWire: length-prefixed frames with a MessagePack header, between geerpc programs. It carries
// bodies of any codec but JSON and gob.
//
//   frame  = length (4 bytes, big-endian, of what follows), header, body
//   header = a MessagePack array:
//     request, notify   [kind, seq, method]
//                       or [kind, seq, method, timeout in ns, metadata or nil]
//     reply             [kind, seq]
//     error             [kind, seq, status code, text, may have run]
//     cancel            [kind, seq]
//     goaway            [kind, number of requests read]
//
// A reader skips elements that it does not know, and whole frames of a kind that it does not know.

#ifndef GEERPC_PROTOCOL_FRAME_WIRE_HPP
#define GEERPC_PROTOCOL_FRAME_WIRE_HPP

#include <algorithm>    // max, min
#include <cstddef>      // size_t
#include <cstdint>      // uint8_t, uint64_t
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // exchange

#include <geerpc/base/hot_path.hpp>
#include <geerpc/codec/big_endian.hpp>
#include <geerpc/codec/msgpack_reader.hpp>
#include <geerpc/codec/msgpack_writer.hpp>
#include <geerpc/protocol/wire.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class FrameWire final : public Wire {
 public:
  using Wire::Wire;

  std::size_t read(std::string_view input, Message& message) override {
    message.reset();
    if (rest_ != 0) return read_rest(input, message);
    missing_ = kLengthSize;
    if (input.size() < kLengthSize) return 0;
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLengthSize; ++i) {
      length = length << 8 | static_cast<unsigned char>(input[i]);
    }
    if (length > limits().max_message) return read_too_large(input, length, message);
    if (input.size() - kLengthSize < length) {
      if (length >= kLargeText && begin_text(input, length, message)) return input.size();
      missing_ = kLengthSize + length - input.size();
      return 0;
    }
    looked_ = false;
    read_frame(input.substr(kLengthSize, length), message);
    return kLengthSize + length;
  }
  std::size_t missing() const noexcept override { return missing_; }
  bool between_messages(std::string_view input) const override {
    return input.empty() && rest_ == 0;
  }

  void begin_request(Buffer& out, const RequestHeader& header) const override {
    const bool more =
        header.timeout.count() != 0 || (header.metadata != nullptr && !header.metadata->empty());
    MsgpackWriter writer = begin(out, header.kind, header.seq, more ? 5 : 3);
    writer.string(header.method);
    if (!more) return;
    writer.integer(header.timeout.count());
    if (header.metadata == nullptr || header.metadata->empty()) {
      writer.null();
      return;
    }
    writer.begin_object(header.metadata->size());
    for (const auto& [key, value] : *header.metadata) {
      writer.string(key);
      writer.string(value);
    }
    writer.end_object();
  }
  void begin_reply(Buffer& out, std::uint64_t seq, std::string_view) const override {
    begin(out, MessageKind::reply, seq, 2);
  }
  void finish(Buffer& out, std::size_t start, std::uint64_t) const override {
    const std::size_t length = out.size() - start - kLengthSize;
    if (length > limits().max_message) out.truncate(start);
    check_size(length);
    char* const to = out.data() + start;
    for (std::size_t i = 0; i < kLengthSize; ++i) {
      to[i] = static_cast<char>(length >> (8 * (kLengthSize - 1 - i)));
    }
  }

  void write_error(Buffer& out, std::uint64_t seq, std::string_view,
                   const Error& error) const override {
    const std::size_t start = out.size();
    MsgpackWriter writer = begin(out, MessageKind::error, seq, 5);
    writer.integer(static_cast<int>(error.code()));
    writer.string(never_empty(error.cause()).substr(0, limits().max_message / 2));
    writer.boolean(error.may_have_run());
    finish(out, start, seq);
  }
  void write_cancel(Buffer& out, std::uint64_t seq) const override {
    write_short(out, MessageKind::cancel, seq);
  }
  void write_goaway(Buffer& out, std::uint64_t requests_read) const override {
    write_short(out, MessageKind::goaway, requests_read);
  }

  bool end_means_gone() const noexcept override { return true; }
  bool has_notify() const noexcept override { return true; }

 private:
  static constexpr std::size_t kLengthSize = 4;
  static constexpr std::size_t kMaxLostHeader = 65536;
  static constexpr std::size_t kShortHeader = 2048;
  static constexpr std::size_t kLargeText = 64u << 10;  // of its frame
  static constexpr std::size_t kTextHeader = 256;       // how much to wait for
  static constexpr std::size_t kPiece = 128u << 10;     // what a cache holds
  static constexpr std::size_t kAhead = 1u << 20;       // allocated before the bytes are there

  GEERPC_HOT static MsgpackWriter begin(Buffer& out, MessageKind kind, std::uint64_t seq,
                                        std::size_t elements) {
    out.prepare(kLengthSize);
    out.commit(kLengthSize);  // finish() fills it in
    MsgpackWriter writer(out);
    writer.begin_array(elements);
    writer.integer(static_cast<std::uint8_t>(kind));
    writer.integer(seq);
    return writer;
  }
  void write_short(Buffer& out, MessageKind kind, std::uint64_t seq) const {
    const std::size_t start = out.size();
    begin(out, kind, seq, 2);
    finish(out, start, seq);
  }

  // The header of a frame that is too large says whose it is; the rest is read over, so that it
  // costs its sender that one call. A header that is wrong, or not complete within kMaxLostHeader
  // bytes, costs the connection.
  GEERPC_COLD std::size_t read_too_large(std::string_view input, std::size_t length,
                                         Message& message) {
    const std::size_t here = (std::min)(input.size() - kLengthSize, length);
    const std::size_t wanted = (std::min)(length, kMaxLostHeader);
    const auto wait_for = [&](std::size_t size) {
      look_at_ = (std::min)(wanted, size);
      missing_ = look_at_ - here;
      return std::size_t{0};
    };
    const auto refuse = [&] {
      message.reset();
      check_size(length);
    };
    if (here < look_at_) return wait_for(look_at_);
    try {
      read_frame(input.substr(kLengthSize, here), message);
    } catch (const MsgpackTooShort&) {
      if (here >= wanted) refuse();
      // A short one is looked at whenever more comes; beyond that, looking again costs as much as
      // all looks before.
      return wait_for(here < kShortHeader ? here + 1 : 2 * here);
    } catch (const Error&) {
      refuse();
    }
    look_at_ = 0;
    message.body = {};
    message.too_large = length;
    rest_ = length - here;
    return kLengthSize + here;
  }

  // Of a large frame the beginning is there. If its body is nothing but one text, that is collected
  // apart from here on, in pieces that are still in the cache, for a string to take over.
  GEERPC_COLD bool begin_text(std::string_view input, std::size_t length, Message& message) {
    const std::string_view here = input.substr(kLengthSize);
    if (looked_ || here.size() < kTextHeader || codec().id() != CodecId::msgpack) return false;
    looked_ = true;
    try {
      read_frame(here, message);
    } catch (const Error&) {  // again once all of it is there
      return message.reset(), false;
    }
    constexpr std::size_t head_size = 5;  // of a string with a size of 32 bits
    const std::string_view body = message.body;
    const std::size_t header_size = here.size() - body.size();
    const bool is_text =
        (message.kind == MessageKind::reply || message.kind == MessageKind::request ||
         message.kind == MessageKind::notify) &&
        header_size <= kShortHeader && body.size() >= head_size && body[0] == '\xDB' &&
        load_big_endian<4>(body.data() + 1) == length - header_size - head_size;
    message.reset();
    if (!is_text) return false;
    header_ = here.substr(0, header_size);
    in_text_ = true;
    rest_ = length - header_size - head_size;
    read_rest(body.substr(head_size), message);
    return true;
  }

  // More of a frame that is not kept in the input: of a text, or of one that is too large.
  GEERPC_COLD std::size_t read_rest(std::string_view input, Message& message) {
    const std::size_t here = (std::min)(input.size(), rest_);
    rest_ -= here;
    missing_ = (std::min)(rest_, kPiece);
    message.kind = MessageKind::nothing;
    if (in_text_) {
      collect(input.substr(0, here));
      if (rest_ == 0) end_text(message);
    }
    return here;
  }
  void collect(std::string_view piece) {
    const std::size_t size = text_.size() + piece.size();
    if (text_.capacity() < size) {
      std::string grown;  // by reserve(), a string might grow to twice what is asked for
      grown.reserve((std::max)(size, (std::min)(size + rest_, (std::max)(2 * size, kAhead))));
      grown += text_;
      text_.swap(grown);
    }
    text_ += piece;
  }
  void end_text(Message& message) {
    in_text_ = looked_ = false;
    read_frame(header_, message);
    message.unescaped_method = message.method;  // the call may outlive the header
    message.method = message.unescaped_method;
    message.large_text = std::exchange(text_, {});
  }

  GEERPC_HOT void read_frame(std::string_view frame, Message& message) {
    MsgpackReader reader(frame, limits().decode);
    auto elements = reader.begin_array();
    const auto require = [&] {
      if (!reader.next(elements)) {
        throw Error(StatusCode::invalid_argument, "the frame's header is too short");
      }
    };
    require();
    message.kind = static_cast<MessageKind>(reader.integer<std::uint8_t>());
    require();
    message.seq = reader.integer<std::uint64_t>();
    switch (message.kind) {
      case MessageKind::request:
      case MessageKind::notify:
        require();
        message.method = reader.string();
        if (!reader.next(elements)) break;
        message.timeout = std::chrono::nanoseconds(reader.integer<std::int64_t>());
        if (reader.next(elements) && !reader.try_null()) read_metadata(reader, message);
        break;
      case MessageKind::error:
        require();
        message.code = status_from_wire(reader.integer<std::int64_t>());
        require();
        message.text = reader.string();
        if (reader.next(elements)) message.may_have_run = reader.boolean();
        message.whole_connection = message.seq == 0;
        break;
      default:
        break;
    }
    while (reader.next(elements)) reader.skip();
    message.body = reader.rest();
  }

  static void read_metadata(MsgpackReader& reader, Message& message) {
    std::string_view key;
    for (auto entries = reader.begin_object(); reader.next_key(entries, key);) {
      message.metadata[std::string(key)] = reader.string();
    }
  }

  // Of the reading half.
  std::size_t missing_ = kLengthSize;
  std::size_t rest_ = 0;     // bytes of a frame that read_rest() sees to
  std::size_t look_at_ = 0;  // how much of one there must be to look for its header
  bool looked_ = false;      // begin_text() has seen the frame at work
  bool in_text_ = false;     // and its body is a text:
  std::string header_, text_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_FRAME_WIRE_HPP
