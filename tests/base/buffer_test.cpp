// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include <geerpc/geerpc.hpp>

using geerpc::Buffer;

TEST_CASE("a buffer gives back what was appended, in order") {
  Buffer buffer;
  CHECK(buffer.empty());
  CHECK(buffer.view().empty());
  buffer.append("hello");
  buffer.push_back(' ');
  buffer.append("world", 5);
  buffer.append(nullptr, 0);
  CHECK(buffer.view() == "hello world");
  buffer.consume(6);
  CHECK(buffer.view() == "world");
  buffer.truncate(3);
  CHECK(buffer.view() == "wor");
  buffer.consume(3);
  CHECK(buffer.empty());
}

TEST_CASE("a buffer gives room to write into, and keeps only what is committed") {
  Buffer buffer;
  buffer.append("ab");
  char* room = buffer.prepare(100);
  CHECK(buffer.room() >= 100);
  room[0] = 'c';
  room[1] = 'd';
  buffer.commit(1);
  CHECK(buffer.view() == "abc");
}

TEST_CASE("a buffer behaves like a queue of bytes whatever the sizes are") {
  Buffer buffer;
  std::string expected;
  unsigned state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 1103515245u + 12345u;
    const std::size_t n = (state >> 16) % 700;
    if ((state >> 8) % 2 == 0) {
      const std::string bytes(n, static_cast<char>('a' + i % 26));
      buffer.append(bytes);
      expected += bytes;
    } else {
      const std::size_t most = n < expected.size() ? n : expected.size();
      buffer.consume(most);
      expected.erase(0, most);
    }
    REQUIRE(buffer.view() == expected);
  }
}

TEST_CASE("a buffer that is drained now and then does not grow") {
  Buffer buffer;
  const std::string block(1000, 'x');
  for (int i = 0; i < 10000; ++i) {
    buffer.append(block);
    if (i > 0) buffer.consume(block.size());  // never quite empty
  }
  CHECK(buffer.size() == block.size());
  CHECK(buffer.capacity() <= 8192);
}

TEST_CASE("clearing a buffer keeps its memory, moving takes it along") {
  Buffer buffer;
  buffer.append(std::string(5000, 'x'));
  const std::size_t capacity = buffer.capacity();
  buffer.clear();
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == capacity);
  buffer.append("abc");
  Buffer other = std::move(buffer);
  CHECK(other.view() == "abc");
  CHECK(buffer.empty());  // NOLINT: a moved-from buffer is empty
  CHECK(buffer.capacity() == 0);
  buffer = std::move(other);
  CHECK(buffer.view() == "abc");
  Buffer third;
  third.append("third");
  third.swap(buffer);
  CHECK(third.view() == "abc");
  CHECK(buffer.view() == "third");
}

TEST_CASE("a buffer gives memory back only when it is empty and holds much") {
  Buffer buffer;
  buffer.append(std::string(5000, 'x'));
  buffer.release(100);
  CHECK(buffer.size() == 5000);
  buffer.clear();
  buffer.release(1 << 20);
  CHECK(buffer.capacity() >= 5000);
  buffer.release(100);
  CHECK(buffer.capacity() == 0);
  buffer.append("again");
  CHECK(buffer.view() == "again");
}
