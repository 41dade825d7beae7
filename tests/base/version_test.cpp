// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <string>

#include <geerpc/geerpc.hpp>

#if defined(GEERPC_TEST_SINGLE_HEADER) != defined(GEERPC_SINGLE_HEADER)
#error "this build tests the other form of the library than it was asked to"
#endif

#define GEERPC_TEST_STRING_(x) #x
#define GEERPC_TEST_STRING(x) GEERPC_TEST_STRING_(x)

TEST_CASE("the combined version number orders versions") {
  static_assert(GEERPC_VERSION ==
                GEERPC_VERSION_MAJOR * 10000 + GEERPC_VERSION_MINOR * 100 + GEERPC_VERSION_PATCH);
  static_assert(GEERPC_VERSION >= 100);
}

// The macro comes from CMake, which reads version.hpp as text.
TEST_CASE("CMake knows the same version as the header") {
  const std::string version = GEERPC_TEST_STRING(GEERPC_VERSION_MAJOR) "." GEERPC_TEST_STRING(
      GEERPC_VERSION_MINOR) "." GEERPC_TEST_STRING(GEERPC_VERSION_PATCH);
#ifdef GEERPC_TEST_CMAKE_VERSION
  CHECK(version == GEERPC_TEST_CMAKE_VERSION);
#else
  MESSAGE("not built by CMake: nothing to compare with " << version);
#endif
}

TEST_CASE("the namespace carries the ABI generation and need not be spelled") {
  static_assert(std::is_same_v<geerpc::Error, geerpc::v1::Error>);
}
