// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// One call of a Connection, its result checked.

#ifndef BENCH_HARNESS_CALL_HPP
#define BENCH_HARNESS_CALL_HPP

#include <cstddef>    // size_t
#include <cstdint>    // int32_t
#include <stdexcept>  // runtime_error
#include <string>     // string, to_string

namespace bench {

// Text to send: letters, of which the first eight differ from call to call, so that an exchanged
// reply is noticed.
class Text {
 public:
  explicit Text(std::size_t size) : text_(size, 'a') {
    for (std::size_t i = 0; i < size; ++i) text_[i] = static_cast<char>('a' + i * 7 % 26);
  }

  const std::string& next() {
    ++number_;
    for (std::size_t i = 0; i < 8 && i < text_.size(); ++i) {
      text_[i] = static_cast<char>('A' + (number_ >> (4 * i)) % 16);
    }
    return text_;
  }

  // Is this what was sent? Large texts are compared whole now and then only, and otherwise at both
  // ends: comparing a megabyte takes as long as a tenth of the call.
  bool came_back(const std::string& reply) const {
    constexpr std::size_t whole = 4096, end = 64;
    if (reply.size() != text_.size()) return false;
    if (reply.size() <= whole || number_ % 64 == 1) return reply == text_;
    return reply.compare(0, end, text_, 0, end) == 0 &&
           reply.compare(reply.size() - end, end, text_, text_.size() - end, end) == 0;
  }

 private:
  std::string text_;
  std::uint32_t number_ = 0;
};

[[noreturn]] inline void wrong_result(const std::string& method) {
  throw std::runtime_error(method + " returned something wrong");
}

// Makes the same kind of call again and again: Echo of `size` bytes, or Add if that is 0.
class Caller {
 public:
  explicit Caller(std::size_t size) : size_(size), text_(size) {}

  template <class Connection>
  void call(Connection& connection) {
    if (size_ != 0) {
      if (!text_.came_back(connection.echo(text_.next()))) wrong_result("Echo");
      return;
    }
    ++number_;
    if (connection.add(number_, 1000) != number_ + 1000) wrong_result("Add");
  }

 private:
  std::size_t size_;
  Text text_;
  std::int32_t number_ = 0;
};

}  // namespace bench

#endif  // BENCH_HARNESS_CALL_HPP
