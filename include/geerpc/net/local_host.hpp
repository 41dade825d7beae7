// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The address under which another machine reaches this one.

#ifndef GEERPC_NET_LOCAL_HOST_HPP
#define GEERPC_NET_LOCAL_HOST_HPP

#include <string>  // string

#include <geerpc/net/resolver.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The address of this machine from which packets to `remote` leave, e.g. "192.168.1.7": what a
// server that listens on all addresses tells others. `ipv4_only` for one that listens on IPv4
// alone. No packet is sent: connecting a datagram socket only looks at the routing table.
// Throws Error(unavailable).
inline std::string local_host_towards(const Address& remote, bool ipv4_only,
                                      SteadyClock::time_point deadline) {
  const Waker never;
  for (const SocketAddress& target : resolve(remote, deadline, never)) {
    if (ipv4_only && target.family() != AF_INET) continue;
    const FileDescriptor fd(open_socket(target.family(), SOCK_DGRAM));
    if (!fd || ::connect(fd.get(), target.get(), target.length) != 0) continue;
    SocketAddress local;
    local.length = sizeof local.storage;
    if (::getsockname(fd.get(), local.get(), &local.length) != 0) continue;
    return to_address(local, Address::Scheme::tcp).host();
  }
  throw Error(StatusCode::unavailable,
              "no route to " + remote.str() + ": set the address to advertise");
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_LOCAL_HOST_HPP
