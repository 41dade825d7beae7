// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What is on the path of every call, and what is beside it. Compilers can't know: they leave
// functions of headers out of line that one place alone calls, and inline into them what happens
// once in a connection's life. Each use of these was measured.

#ifndef GEERPC_BASE_HOT_PATH_HPP
#define GEERPC_BASE_HOT_PATH_HPP

#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define GEERPC_HOT __attribute__((always_inline))
#define GEERPC_COLD __attribute__((noinline, cold))
#else
#define GEERPC_HOT
#define GEERPC_COLD
#endif

#endif  // GEERPC_BASE_HOT_PATH_HPP
