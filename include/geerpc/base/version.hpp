// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The version, and the namespace that carries it. This is the one place where the version is
// written: CMake and amalgamate.py read it from here.

#ifndef GEERPC_BASE_VERSION_HPP
#define GEERPC_BASE_VERSION_HPP

#define GEERPC_VERSION_MAJOR 0
#define GEERPC_VERSION_MINOR 1
#define GEERPC_VERSION_PATCH 0

// One number to compare in #if: 10000 * major + 100 * minor + patch.
#define GEERPC_VERSION \
  (GEERPC_VERSION_MAJOR * 10000 + GEERPC_VERSION_MINOR * 100 + GEERPC_VERSION_PATCH)

// Everything lives in an inline namespace named after the ABI generation, so that two object files
// built against incompatible headers fail to link instead of misbehaving.
#define GEERPC_BEGIN_NAMESPACE \
  namespace geerpc {           \
  inline namespace v1 {
#define GEERPC_END_NAMESPACE \
  }                          \
  }

#endif  // GEERPC_BASE_VERSION_HPP
