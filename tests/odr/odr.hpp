// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What each translation unit of this program says about the library as it sees it. All must agree.

#ifndef GEERPC_TESTS_ODR_ODR_HPP
#define GEERPC_TESTS_ODR_ODR_HPP

#include <cstddef>       // size_t
#include <system_error>  // error_category

struct View {
  const std::error_category* category;  // one object in the whole program
  std::size_t sizes;                    // of the main types together
};

View view_of_everything();
View view_without_http();
View view_of_both_forms();

// Include <geerpc/…> first.
#define GEERPC_TEST_VIEW() \
  View { &geerpc::status_category(), sizeof(geerpc::Error) + 131 * sizeof(geerpc::Context) }

#endif  // GEERPC_TESTS_ODR_ODR_HPP
