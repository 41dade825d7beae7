// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include "odr.hpp"

// NOLINTNEXTLINE: twice on purpose
#include <geerpc/geerpc.hpp>

#ifdef GEERPC_SINGLE_HEADER
#error "these should be the parts"
#endif

View view_of_everything() { return GEERPC_TEST_VIEW(); }
