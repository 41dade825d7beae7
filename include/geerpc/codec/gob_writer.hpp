// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The basic values of a gob stream, written, and the messages that they go in.

#ifndef GEERPC_CODEC_GOB_WRITER_HPP
#define GEERPC_CODEC_GOB_WRITER_HPP

#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <cstring>      // memcpy, memmove
#include <string_view>  // string_view

#include <geerpc/base/buffer.hpp>
#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

inline constexpr std::size_t kGobMaxUint = 9;

// How many bytes an unsigned integer takes.
inline std::size_t gob_uint_size_of(std::uint64_t value) noexcept {
  if (value < 0x80) return 1;
  std::size_t size = 1;
  for (; value != 0; value >>= 8) ++size;
  return size;
}

// The byte in front of n others: see gob_uint_size().
inline char gob_uint_head(std::size_t n) noexcept { return static_cast<char>(0x100 - n); }

// Writes one and returns the end; there must be room for kGobMaxUint bytes.
inline char* put_gob_uint(char* out, std::uint64_t value) noexcept {
  if (value < 0x80) {
    *out = static_cast<char>(value);
    return out + 1;
  }
  const std::size_t n = gob_uint_size_of(value) - 1;
  *out++ = gob_uint_head(n);
  for (std::size_t i = n; i-- != 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
  return out + n;
}

inline std::uint64_t gob_from_int(std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? ~bits << 1 | 1 : bits << 1;
}
inline std::uint64_t gob_from_double(double value) noexcept {
  std::uint64_t bits, bytes = 0;
  std::memcpy(&bits, &value, sizeof bits);
  for (int i = 0; i < 8; ++i, bits >>= 8) bytes = bytes << 8 | (bits & 0xFF);
  return bytes;
}

// The counterpart of GobReader.
class GobWriter {
 public:
  explicit GobWriter(Buffer& out) : out_(out) {}

  void uint(std::uint64_t value) {
    char* const p = out_.prepare(kGobMaxUint);
    out_.commit(static_cast<std::size_t>(put_gob_uint(p, value) - p));
  }
  void integer(std::int64_t value) { uint(gob_from_int(value)); }
  void number(double value) { uint(gob_from_double(value)); }
  // A string or bytes. Unless it is temporary it lives until the message has left.
  void string(std::string_view text, Lifetime lifetime = Lifetime::temporary) {
    uint(text.size());
    if (lifetime == Lifetime::call) return out_.append_lent(text);
    out_.append(text);
  }

  // What is encoded already.
  void raw(std::string_view bytes) { out_.append(bytes); }

  // Room for n numbers at once: put_gob_uint() them there, then commit() their bytes.
  char* prepare(std::size_t n) { return out_.prepare(n * kGobMaxUint); }
  void commit(std::size_t bytes) { out_.commit(bytes); }

  // A message begins, of which `at_least` bytes are expected; returns what end_message() wants.
  std::size_t begin_message(std::size_t at_least) {
    const std::size_t head = gob_uint_size_of(at_least);
    out_.prepare(head);
    out_.commit(head);
    head_ = head;
    return out_.size() - head;
  }
  // Puts the length in front. If it takes more digits than expected the message is moved; if less,
  // it gets leading zeros, which is as good.
  void end_message(std::size_t start) {
    std::uint64_t length = out_.size() - start - head_;
    if (const std::size_t head = gob_uint_size_of(length); head > head_) {
      out_.prepare(head - head_);  // from here on nothing is lent any more
      char* const contents = out_.data() + start + head_;
      std::memmove(contents + (head - head_), contents, static_cast<std::size_t>(length));
      out_.commit(head - head_);
      head_ = head;
    }
    char* const digits = out_.data() + start;
    for (std::size_t i = head_; i-- > 1; length >>= 8) digits[i] = static_cast<char>(length & 0xFF);
    digits[0] = head_ == 1 ? static_cast<char>(length) : gob_uint_head(head_ - 1);
  }

  void descend() {
    if (depth_left_ == 0) throw_too_deep(kMaxEncodeDepth);
    --depth_left_;
  }
  void ascend() { ++depth_left_; }

 private:
  Buffer& out_;
  std::size_t head_ = 0;  // of the message: bytes that its length has room in
  std::size_t depth_left_ = kMaxEncodeDepth;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_WRITER_HPP
