// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Everything. Define GEERPC_NO_HTTP to leave out what needs cpp-httplib.

#ifndef GEERPC_GEERPC_HPP
#define GEERPC_GEERPC_HPP

#include <geerpc/core.hpp>

// Over HTTP: the registry, the debug page, and JSON-RPC.
#include <geerpc/http/http_registry.hpp>
#include <geerpc/http/registry_server.hpp>
#include <geerpc/http/debug_server.hpp>
#include <geerpc/http/rpc_http.hpp>
#include <geerpc/http/json_rpc_client.hpp>

#endif  // GEERPC_GEERPC_HPP
