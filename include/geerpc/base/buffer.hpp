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
    std::swap(limit_, other.limit_);
    std::swap(lent_, other.lent_);
    std::swap(may_borrow_, other.may_borrow_);
  }

  // The bytes that were appended and not yet consumed, without lent ones. Valid until the next
  // append or release.
  std::string_view view() const noexcept { return {data_ + begin_, end_ - begin_}; }
  char* data() noexcept { return data_ + begin_; }
  std::size_t size() const noexcept { return end_ - begin_ + lent_.size(); }
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
    if (limit_ - end_ < n) make_room(n);
    return data_ + end_;
  }
  void commit(std::size_t n) noexcept { end_ += n; }
  // How many bytes prepare() can give without moving anything.
  std::size_t room() const noexcept { return limit_ - end_; }

  void consume(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Drops what was appended after the first `size` bytes.
  void truncate(std::size_t size) noexcept {
    (void)take_lent();
    end_ = begin_ + size;
  }
  void clear() noexcept {
    begin_ = 0;
    truncate(0);
  }

  // Large bytes at the very end need not be copied if whoever owns the buffer knows that they live
  // long enough: it says so with let_borrow() and then collects them with take_lent(). If anything
  // is appended behind them, they are copied after all.
  void let_borrow(bool may) noexcept { may_borrow_ = may; }
  void append_lent(std::string_view s) {
    if (!may_borrow_ || s.size() < kWorthLending) return append(s);
    if (!lent_.empty()) make_room(0);
    lent_ = s;
    limit_ = end_;  // so that the next append looks
  }
  bool has_lent() const noexcept { return !lent_.empty(); }
  std::string_view take_lent() noexcept {
    limit_ = capacity_;
    return std::exchange(lent_, {});
  }

  // Gives the memory back if more than `keep` bytes of it are held and none are in use.
  void release(std::size_t keep = 0) noexcept {
    if (empty() && capacity_ > keep) Buffer().swap(*this);
  }

 private:
  static constexpr std::size_t kWorthLending = 16u << 10;

  void make_room(std::size_t n) {
    if (const std::string_view lent = take_lent(); !lent.empty()) append(lent);
    if (capacity_ - end_ >= n) return;
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
      limit_ = capacity_ = wanted;
    }
    begin_ = 0;
    end_ = used;
  }

  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
  std::size_t limit_ = 0;  // capacity_, or end_ while bytes are lent
  std::string_view lent_;  // behind the last byte
  bool may_borrow_ = false;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_BASE_BUFFER_HPP
