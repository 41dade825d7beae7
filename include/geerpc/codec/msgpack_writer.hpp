// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Writes MessagePack (github.com/msgpack/msgpack, spec.md), always in the shortest form.

#ifndef GEERPC_CODEC_MSGPACK_WRITER_HPP
#define GEERPC_CODEC_MSGPACK_WRITER_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint8_t … uint64_t
#include <cstring>      // memcpy
#include <string_view>  // string_view
#include <type_traits>  // is_signed

#include <geerpc/base/buffer.hpp>
#include <geerpc/codec/big_endian.hpp>
#include <geerpc/codec/field_key.hpp>
#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// The longest encodings of scalars and of the heads of strings, arrays and maps.
inline constexpr std::size_t kMsgpackMaxHead = 5;
inline constexpr std::size_t kMsgpackMaxScalar = 9;

// Where a writer puts its bytes: into a Buffer, …
class BufferSink {
 public:
  BufferSink(Buffer& out) noexcept : out_(out) {}
  char* prepare(std::size_t n) { return out_.prepare(n); }
  void commit(std::size_t n) { out_.commit(n); }
  void append(std::string_view bytes, Lifetime lifetime) {
    if (lifetime == Lifetime::call) return out_.append_lent(bytes);
    out_.append(bytes);
  }

 private:
  Buffer& out_;
};

// … or into memory that is known to be large enough.
class MemorySink {
 public:
  explicit MemorySink(char* out) noexcept : out_(out) {}
  char* prepare(std::size_t) { return out_; }
  void commit(std::size_t n) { out_ += n; }
  void append(std::string_view bytes, Lifetime) {
    if (bytes.empty()) return;  // memcpy must not see a null pointer
    std::memcpy(out_, bytes.data(), bytes.size());
    out_ += bytes.size();
  }
  char* end() const { return out_; }

 private:
  char* out_;
};

template <class Sink>
class BasicMsgpackWriter {
 public:
  static constexpr bool kTextKeys = false;  // map keys are values of any type
  // Small values of bounded size are worth one look at the room that is left for all their parts.
  static constexpr bool kBatches = std::is_same_v<Sink, BufferSink>;

  explicit BasicMsgpackWriter(Sink sink, std::size_t max_depth = kMaxEncodeDepth)
      : sink_(sink), depth_left_(max_depth), max_depth_(max_depth) {}

  void null() { head(0xC0); }
  void boolean(bool value) { head(value ? 0xC3 : 0xC2); }

  template <class T>
  void integer(T value) {
    if (value >= T(0)) {
      if (value < T(0x7F)) return head(static_cast<unsigned>(value));
      unsigned_integer(static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_signed_v<T>) {
      negative_integer(static_cast<std::int64_t>(value));
    }
  }
  void number(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    head(0xCA, bits);
  }
  void number(double value) {
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    head(0xCB, bits);
  }

  void string(std::string_view text, Lifetime lifetime = Lifetime::temporary) {
    const std::size_t n = checked(text.size());
    if (n < 32) {
      // The common short string: one look at the room that is left.
      char* p = sink_.prepare(1 + n);
      p[0] = static_cast<char>(0xA0 | n);
      if (n != 0) std::memcpy(p + 1, text.data(), n);
      sink_.commit(1 + n);
      return;
    }
    if (n < 0x100) {
      head(0xD9, static_cast<std::uint8_t>(n));
    } else {
      long_head(0xDA, n);
    }
    sink_.append(text, lifetime);
  }
  void bytes(std::string_view data, Lifetime lifetime = Lifetime::temporary) {
    const std::size_t n = checked(data.size());
    if (n < 0x100) {
      head(0xC4, static_cast<std::uint8_t>(n));
    } else {
      long_head(0xC5, n);
    }
    sink_.append(data, lifetime);
  }

  // An extension, which comes with its head.
  void extension(std::string_view bytes) { sink_.append(bytes, Lifetime::temporary); }

  // `count` values follow; for an object `count` keys, each with its value behind it.
  void begin_array(std::size_t count) {
    descend();
    if (count < 16) {
      head(0x90 | static_cast<unsigned>(count));
    } else {
      long_head(0xDC, checked(count));
    }
  }
  void end_array() { ++depth_left_; }
  void begin_object(std::size_t count) {
    descend();
    if (count < 16) {
      head(0x80 | static_cast<unsigned>(count));
    } else {
      long_head(0xDE, checked(count));
    }
  }
  void end_object() { ++depth_left_; }
  void key(std::string_view name) { string(name); }
  template <class Name>
  void field(Name) {
    if constexpr (has_msgpack_key_v<Name>) {
      constexpr auto& text = msgpack_key_v<Name>;
      std::memcpy(sink_.prepare(text.size()), text.data(), text.size());
      sink_.commit(text.size());
    } else {
      key(Name::text);
    }
  }

  Sink& sink() { return sink_; }
  std::size_t depth_left() const { return depth_left_; }
  FieldPath& path() { return path_; }

 private:
  static std::size_t checked(std::size_t n) {
    if (n > 0xFFFFFFFF) throw_bad_value("MessagePack can't hold more than 2^32 - 1 elements");
    return n;
  }
  void descend() {
    if (depth_left_ == 0) throw_too_deep(max_depth_);
    --depth_left_;
  }

  void head(unsigned type) {
    *sink_.prepare(1) = static_cast<char>(type);
    sink_.commit(1);
  }
  template <class T>
  void head(unsigned type, T argument) {
    char* p = sink_.prepare(1 + sizeof(T));
    *p = static_cast<char>(type);
    store_big_endian(p + 1, argument);
    sink_.commit(1 + sizeof(T));
  }
  // The head with a length of 16 bits, or the next one with 32.
  void long_head(unsigned type16, std::size_t n) {
    if (n < 0x10000) {
      head(type16, static_cast<std::uint16_t>(n));
    } else {
      head(type16 + 1, static_cast<std::uint32_t>(n));
    }
  }
  void unsigned_integer(std::uint64_t value) {
    if (value < 0x80) {
      head(static_cast<unsigned>(value));
    } else if (value < 0x100) {
      head(0xCC, static_cast<std::uint8_t>(value));
    } else if (value < 0x10000) {
      head(0xCD, static_cast<std::uint16_t>(value));
    } else if (value <= 0xFFFFFFFF) {
      head(0xCE, static_cast<std::uint32_t>(value));
    } else {
      head(0xCF, value);
    }
  }
  void negative_integer(std::int64_t value) {
    if (value >= -32) {
      head(static_cast<std::uint8_t>(value));
    } else if (value >= -0x80) {
      head(0xD0, static_cast<std::uint8_t>(value));
    } else if (value >= -0x8000) {
      head(0xD1, static_cast<std::uint16_t>(value));
    } else if (value >= -0x80000000LL) {
      head(0xD2, static_cast<std::uint32_t>(value));
    } else {
      head(0xD3, static_cast<std::uint64_t>(value));
    }
  }

  Sink sink_;
  std::size_t depth_left_;
  std::size_t max_depth_;
  FieldPath path_;
};

// The usual one: MsgpackWriter out(buffer); out.begin_array(2); out.integer(1); …
using MsgpackWriter = BasicMsgpackWriter<BufferSink>;

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_MSGPACK_WRITER_HPP
