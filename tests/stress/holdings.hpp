// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Holdings: whether a test case gave back all the threads and descriptors that it used.

#ifndef GEERPC_TESTS_STRESS_HOLDINGS_HPP
#define GEERPC_TESTS_STRESS_HOLDINGS_HPP

#include <cstddef>  // size_t

#include "../server/serving.hpp"
#include "../support/eventually.hpp"

namespace test {

// What the process holds now and held before.
class Holdings {
 public:
  bool as_before() const {
    return eventually(
        [this] { return running_threads() <= threads_ && open_descriptors() <= descriptors_; });
  }

 private:
  std::size_t threads_ = running_threads();
  std::size_t descriptors_ = open_descriptors();
};

}  // namespace test

#endif  // GEERPC_TESTS_STRESS_HOLDINGS_HPP
