// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The smallest frame that a multiplexed protocol can do with, in the machine's own byte order:
//
//   4 bytes   length of all that follows
//   8 bytes   sequence number, which the reply repeats
//   1 byte    method
//   ...       payload

#ifndef BENCH_RAW_FRAME_HPP
#define BENCH_RAW_FRAME_HPP

#include <cstddef>    // size_t
#include <cstdint>    // int32_t, uint32_t, uint64_t
#include <cstring>    // memcpy, memmove
#include <memory>     // unique_ptr
#include <stdexcept>  // runtime_error
#include <utility>    // move

#include "socket.hpp"

namespace raw {

enum class Method : char { add, echo, sleep };

constexpr std::size_t kLengthSize = 4, kHeaderSize = 13;

inline void put_header(char* to, std::size_t payload, std::uint64_t sequence, Method method) {
  const auto length = static_cast<std::uint32_t>(kHeaderSize - kLengthSize + payload);
  std::memcpy(to, &length, sizeof length);
  std::memcpy(to + kLengthSize, &sequence, sizeof sequence);
  to[kHeaderSize - 1] = static_cast<char>(method);
}

inline void put_int(char* to, std::int32_t value) { std::memcpy(to, &value, sizeof value); }
inline std::int32_t get_int(const char* from) {
  std::int32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// A received frame; its bytes stand in the receive buffer.
struct Frame {
  std::uint64_t sequence() const {
    std::uint64_t value;
    std::memcpy(&value, data + kLengthSize, sizeof value);
    return value;
  }
  Method method() const { return static_cast<Method>(data[kHeaderSize - 1]); }
  const char* payload() const { return data + kHeaderSize; }
  std::size_t payload_size() const { return size - kHeaderSize; }

  const char* data = nullptr;
  std::size_t size = 0;
};

// What was received and not yet used. Takes as much as there is with each system call.
class FrameReader {
 public:
  explicit FrameReader(const Socket& socket) : socket_(&socket) {}

  // The next whole frame, if it is here already. Valid until the next call of either function.
  bool buffered(Frame& frame) {
    if (end_ - begin_ < kHeaderSize) return false;
    const std::size_t size = next_size();
    if (end_ - begin_ < size) return false;
    frame = {buffer_.get() + begin_, size};
    begin_ += size;
    return true;
  }

  // One recv. False at the end of the connection.
  bool receive() {
    make_room();
    const std::size_t got = socket_->receive(buffer_.get() + end_, size_ - end_);
    end_ += got;
    return got != 0;
  }

  // Receives until a whole frame is here.
  bool next(Frame& frame) {
    while (!buffered(frame)) {
      if (!receive()) return false;
    }
    return true;
  }

 private:
  std::size_t next_size() const {
    std::uint32_t length;
    std::memcpy(&length, buffer_.get() + begin_, sizeof length);
    if (length < kHeaderSize - kLengthSize || length > (64u << 20)) {
      throw std::runtime_error("a frame has a wrong length");
    }
    return kLengthSize + length;
  }

  // The frame that has begun must fit; if nothing has begun, the whole buffer is free.
  void make_room() {
    if (begin_ == end_) begin_ = end_ = 0;
    const std::size_t size = end_ - begin_ < kHeaderSize ? kHeaderSize : next_size();
    if (begin_ + size <= size_) return;
    std::unique_ptr<char[]> larger;
    if (size > size_) larger.reset(new char[size]);
    std::memmove(larger ? larger.get() : buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (larger) {
      buffer_ = std::move(larger);
      size_ = size;
    }
  }

  const Socket* socket_;
  // Not initialised, so that what is never received needs no memory.
  std::size_t size_ = 64u << 10;
  std::unique_ptr<char[]> buffer_{new char[size_]};
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace raw

#endif  // BENCH_RAW_FRAME_HPP
