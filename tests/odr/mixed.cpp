// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// A program may get a part through one library and the single header through another.
#include <geerpc/base/context.hpp>

#include GEERPC_TEST_SINGLE
#include <geerpc/geerpc.hpp>

#include "odr.hpp"

#ifndef GEERPC_SINGLE_HEADER
#error "GEERPC_TEST_SINGLE should be the single header"
#endif

View view_of_both_forms() { return GEERPC_TEST_VIEW(); }
