// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The basic values of a gob stream, read. Error texts are those of Go's encoding/gob, since that is
// what a Go peer gets to see.

#ifndef GEERPC_CODEC_GOB_READER_HPP
#define GEERPC_CODEC_GOB_READER_HPP

#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <cstring>      // memcpy
#include <string>       // to_string
#include <string_view>  // string_view

#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// How many bytes an unsigned integer has that begins with this one: it is the number itself, or the
// negative of how many bytes follow, highest first.
inline std::size_t gob_uint_size(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xF8) throw_bad_value("gob: encoded unsigned integer out of range");
  return std::size_t{257} - first;
}

// The length that a message begins with, and how many bytes that takes; false if these are not all
// there yet.
inline bool read_gob_length(std::string_view in, std::size_t& head, std::uint64_t& length) {
  if (in.empty()) return false;
  const auto first = static_cast<unsigned char>(in[0]);
  head = gob_uint_size(first);
  if (in.size() < head) return false;
  length = head == 1 ? first : 0;
  for (std::size_t i = 1; i < head; ++i) length = length << 8 | static_cast<unsigned char>(in[i]);
  constexpr std::uint64_t max = std::uint64_t{1} << 33;  // Go's own limit, 8 GiB
  if (length > max) throw_bad_value("invalid message length");
  if (length == 0) throw_bad_value("EOF");  // what Go makes of an empty message
  return true;
}

// Thrown where a value goes on in a message that is not all there yet.
struct GobNeedsMore {
  std::size_t bytes;  // that are missing at least
};

// Reads from gob messages: each is an unsigned length and so many bytes. A value lies in one
// message, but for interface values, which may go on in the next ones. What throws throws
// Error(invalid_argument).
class GobReader {
 public:
  // `in` holds messages, of which begin_message() enters the first. If `more_may_come` the last one
  // need not be whole.
  explicit GobReader(std::string_view in, bool more_may_come = false)
      : p_(in.data()),
        end_(in.data()),
        all_end_(in.data() + in.size()),
        more_may_come_(more_may_come) {}

  // Enters the next message, behind the current one.
  void begin_message() {
    const std::string_view rest(end_, static_cast<std::size_t>(all_end_ - end_));
    std::size_t head = 0;
    std::uint64_t length = 0;
    const bool has_length = read_gob_length(rest, head, length);
    if (!has_length || length > rest.size() - head) {
      if (!more_may_come_) throw_short();
      if (!has_length) throw GobNeedsMore{head > rest.size() ? head - rest.size() : 1};
      throw GobNeedsMore{static_cast<std::size_t>(length) - (rest.size() - head)};
    }
    p_ = end_ + head;
    end_ = p_ + length;
  }

  bool at_end() const noexcept { return p_ == end_; }
  const char* position() const noexcept { return p_; }
  const char* message_end() const noexcept { return end_; }
  // Bytes of the message.
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - p_); }

  std::uint64_t uint() {
    if (p_ == end_) throw_short();
    const auto first = static_cast<unsigned char>(*p_);
    if (first < 0x80) {
      ++p_;
      return first;
    }
    const std::size_t n = gob_uint_size(first);
    if (left() < n) throw_short();
    std::uint64_t value = 0;
    for (std::size_t i = 1; i < n; ++i) value = value << 8 | static_cast<unsigned char>(p_[i]);
    p_ += n;
    return value;
  }
  // The lowest bit says whether the others are inverted.
  std::int64_t integer() {
    const std::uint64_t u = uint();
    return static_cast<std::int64_t>((u & 1) != 0 ? ~(u >> 1) : u >> 1);
  }
  // The bytes of a double from the other end, where the zeros of simple numbers are.
  double number() {
    std::uint64_t bytes = uint(), bits = 0;
    for (int i = 0; i < 8; ++i, bytes >>= 8) bits = bits << 8 | (bytes & 0xFF);
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  // A string or bytes, as a view into the input.
  std::string_view string() {
    const std::uint64_t n = uint();
    if (n > left()) {
      throw_bad_value("gob: bad string slice length: " + std::to_string(n));
    }
    const std::string_view text(p_, static_cast<std::size_t>(n));
    p_ += n;
    return text;
  }
  // How many elements follow, each of which takes a byte at least. They may go on in the next
  // message.
  std::size_t count() {
    const std::uint64_t n = uint();
    if (n > static_cast<std::size_t>(all_end_ - p_)) throw_short();
    return static_cast<std::size_t>(n);
  }

  // Called in front of each element of a container. A struct may end with its message, and so take
  // no byte at all: without this, counts inside of each other would make many elements of few
  // bytes.
  void begin_element() const {
    if (p_ == end_) throw_short();
  }

  // The number of the field that follows in a struct of `fields` fields; false at its end, which is
  // a zero or the end of the message. `next` is 0 before the first field.
  bool next_field(std::size_t& next, std::size_t fields) {
    if (p_ == end_) return false;
    const std::uint64_t delta = uint();
    if (delta == 0) return false;
    if (delta > fields - next) throw_bad_value("gob: bad data: field numbers out of bounds");
    next += static_cast<std::size_t>(delta);
    return true;
  }

  [[noreturn]] static void throw_short() { throw_bad_value("unexpected EOF"); }

 private:
  const char* p_;
  const char* end_;      // of the message
  const char* all_end_;  // of the input
  bool more_may_come_;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_READER_HPP
