// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#ifndef GEERPC_NO_HTTP
#define GEERPC_NO_HTTP
#endif
#include <geerpc/geerpc.hpp>

#include "odr.hpp"

#ifdef CPPHTTPLIB_HTTPLIB_H
#error "GEERPC_NO_HTTP must keep cpp-httplib out"
#endif

View view_without_http() { return GEERPC_TEST_VIEW(); }
