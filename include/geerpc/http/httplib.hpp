// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// cpp-httplib, unless GEERPC_NO_HTTP leaves it out. Nothing else includes it.

#ifndef GEERPC_HTTP_HTTPLIB_HPP
#define GEERPC_HTTP_HTTPLIB_HPP

#ifndef GEERPC_NO_HTTP
#include <httplib.h>
#endif

#endif  // GEERPC_HTTP_HTTPLIB_HPP
