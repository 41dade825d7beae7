// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include "odr.hpp"

int main() {
  const View mine = GEERPC_TEST_VIEW();
  for (const View& view : {view_of_everything(), view_without_http(), view_of_both_forms()}) {
    if (view.category != mine.category || view.sizes != mine.sizes) return 1;
  }
  return 0;
}
