// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/core.hpp>

#include "odr.hpp"

int main() {
  const View mine = GEERPC_TEST_VIEW();
  const View other = view_without_http();
  return mine.category == other.category && mine.sizes == other.sizes ? 0 : 1;
}
