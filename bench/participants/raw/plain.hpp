// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// One call at a time: the physical limit. Replies stand in a buffer that is used again, so there is
// nothing but one send and one recv.

#ifndef BENCH_RAW_PLAIN_HPP
#define BENCH_RAW_PLAIN_HPP

#include <cstdint>    // int32_t, uint64_t
#include <cstring>    // memcpy
#include <stdexcept>  // runtime_error
#include <string>     // string

#include "frame.hpp"

namespace raw {

class Plain {
 public:
  explicit Plain(int port) : socket_(Socket::connected(port)) {}

  std::int32_t add(std::int32_t a, std::int32_t b) {
    char arguments[8];
    put_int(arguments, a);
    put_int(arguments + 4, b);
    return get_int(call(Method::add, arguments, sizeof arguments).data());
  }
  std::int32_t sleep(std::int32_t milliseconds) {
    char argument[4];
    put_int(argument, milliseconds);
    return get_int(call(Method::sleep, argument, sizeof argument).data());
  }
  const std::string& echo(const std::string& text) {
    return call(Method::echo, text.data(), text.size());
  }

  static constexpr bool kShared = false;

 private:
  const std::string& call(Method method, const char* payload, std::size_t size) {
    constexpr std::size_t small = 8192;
    char request[small];
    put_header(request, size, ++sequence_, method);
    if (kHeaderSize + size <= small) {
      std::memcpy(request + kHeaderSize, payload, size);
      socket_.send(request, kHeaderSize + size);
    } else {
      socket_.send(request, kHeaderSize, payload, size);
    }
    return receive();
  }

  // The first recv takes the header and what fits beside it; the rest of a large body goes straight
  // into its place.
  const std::string& receive() {
    char buffer[16u << 10];
    std::size_t got = 0;
    while (got < kHeaderSize) got += some(buffer + got, sizeof buffer - got);
    std::uint32_t length;
    std::memcpy(&length, buffer, sizeof length);
    const Frame frame{buffer, kLengthSize + length};
    if (frame.sequence() != sequence_) throw std::runtime_error("a reply to another call");
    const std::size_t here = got - kHeaderSize;
    if (here > frame.payload_size()) throw std::runtime_error("more than one reply");
    reply_.resize(frame.payload_size());
    std::memcpy(reply_.data(), frame.payload(), here);
    for (std::size_t at = here; at < reply_.size();) {
      at += some(reply_.data() + at, reply_.size() - at);
    }
    return reply_;
  }

  std::size_t some(char* to, std::size_t size) {
    const std::size_t got = socket_.receive(to, size);
    if (got == 0) throw std::runtime_error("the server closed the connection");
    return got;
  }

  Socket socket_;
  std::uint64_t sequence_ = 0;
  std::string reply_;
};

}  // namespace raw

#endif  // BENCH_RAW_PLAIN_HPP
