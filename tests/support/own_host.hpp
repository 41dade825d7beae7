// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// own_host(): a loopback address of this process alone. A port of 127.0.0.1 that a test lets go, to
// find nobody there or to listen on it again, can be given to another test that runs at the same
// time; one of this address can't.

#ifndef GEERPC_TESTS_SUPPORT_OWN_HOST_HPP
#define GEERPC_TESTS_SUPPORT_OWN_HOST_HPP

#include <unistd.h>

#include <string>

namespace test {

inline std::string own_host() {
  const auto id = static_cast<unsigned>(::getpid());  // at most 22 bits on Linux
  return "127." + std::to_string(64 + (id >> 16) % 64) + '.' + std::to_string(id >> 8 & 255) + '.' +
         std::to_string(id & 255);
}

// Where a server listens there.
inline std::string own_address() { return "tcp@" + own_host() + ":0"; }

}  // namespace test

#endif  // GEERPC_TESTS_SUPPORT_OWN_HOST_HPP
