// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Buffer: the growable bytes that codecs write into and sockets read from.

#ifndef GEERPC_BASE_BUFFER_HPP
#define GEERPC_BASE_BUFFER_HPP

#include <cstddef>      // size_t
#include <cstdlib>      // free, malloc
#include <cstring>      // memcpy, memmove
#include <new>          // bad_alloc
#include <string_view>  // string_view
#include <utility>      // exchange, swap

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

// A byte queue: append at the end, consume at the front. Unlike std::string it does not clear the
// memory that a read is about to fill. Not thread-safe.
class Buffer {
 public:
  Buffer() noexcept = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  ~Buffer() { std::free(data_); }

  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }

  // The bytes that were appended and not yet consumed. Valid until the next append or release.
  std::string_view view() const noexcept { return {data_ + begin_, size()}; }
  char* data() noexcept { return data_ + begin_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }
  std::size_t capacity() const noexcept { return capacity_; }

  void append(const void* bytes, std::size_t n) {
    if (n == 0) return;  // memcpy must not see a null pointer
    std::memcpy(prepare(n), bytes, n);
    end_ += n;
  }
  void append(std::string_view s) { append(s.data(), s.size()); }
  void push_back(char c) {
    *prepare(1) = c;
    ++end_;
  }

  // Room for at least n more bytes behind the end; commit(k <= n) makes k of them part of the
  // contents. Throws std::bad_alloc.
  char* prepare(std::size_t n) {
    if (capacity_ - end_ < n) make_room(n);
    return data_ + end_;
  }
  void commit(std::size_t n) noexcept { end_ += n; }
  // How many bytes prepare() can give without moving anything.
  std::size_t room() const noexcept { return capacity_ - end_; }

  void consume(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Drops what was appended after the first `size` bytes.
  void truncate(std::size_t size) noexcept { end_ = begin_ + size; }
  void clear() noexcept { begin_ = end_ = 0; }

  // Gives the memory back if more than `keep` bytes of it are held and none are in use.
  void release(std::size_t keep = 0) noexcept {
    if (empty() && capacity_ > keep) Buffer().swap(*this);
  }

 private:
  void make_room(std::size_t n) {
    const std::size_t used = size();
    // Moving is worth it only while it moves less than it frees; else a queue that is never quite
    // empty would be moved at every append.
    if (begin_ >= used && capacity_ - used >= n) {
      std::memmove(data_, data_ + begin_, used);
    } else {
      std::size_t wanted = capacity_ < 256 ? 512 : capacity_ * 2;
      if (wanted < used + n) wanted = used + n;
      char* grown = static_cast<char*>(std::malloc(wanted));
      if (grown == nullptr) throw std::bad_alloc();
      if (used != 0) std::memcpy(grown, data_ + begin_, used);
      std::free(data_);
      data_ = grown;
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = used;
  }

  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_BUFFER_HPP
