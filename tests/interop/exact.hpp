// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Exact: bytes without any behind them.

#ifndef GEERPC_TESTS_INTEROP_EXACT_HPP
#define GEERPC_TESTS_INTEROP_EXACT_HPP

#include <cstddef>      // size_t
#include <memory>       // unique_ptr
#include <string_view>  // string_view

namespace interop {

// A copy in memory of exactly that size, so that a sanitizer sees any byte read too far.
class Exact {
 public:
  explicit Exact(std::string_view bytes) : size_(bytes.size()), copy_(new char[bytes.size()]) {
    bytes.copy(copy_.get(), size_);
  }
  std::string_view view() const { return {copy_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> copy_;
};

}  // namespace interop

#endif  // GEERPC_TESTS_INTEROP_EXACT_HPP
