// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Everything except what needs cpp-httplib. The parts stand in the order of their layers; each can
// be included alone, and brings along what it needs.

#ifndef GEERPC_CORE_HPP
#define GEERPC_CORE_HPP

// Errors, contexts, versions.
#include <geerpc/base/version.hpp>
#include <geerpc/base/status.hpp>
#include <geerpc/base/error.hpp>
#include <geerpc/base/result.hpp>
#include <geerpc/base/cancel.hpp>
#include <geerpc/base/context.hpp>

// Where servers are.
#include <geerpc/net/address.hpp>

// GEERPC_FIELDS and GEERPC_SERVICE.
#include <geerpc/reflect/fields.hpp>
#include <geerpc/reflect/service.hpp>

// How values travel.
#include <geerpc/codec/body.hpp>
#include <geerpc/codec/codec.hpp>

// Calling.
#include <geerpc/client/client.hpp>

// Serving.
#include <geerpc/server/server.hpp>

// Knowing who serves.
#include <geerpc/registry/registry.hpp>
#include <geerpc/registry/heartbeat.hpp>

// Calling one of many, or all.
#include <geerpc/cluster/discovery.hpp>
#include <geerpc/cluster/registry_discovery.hpp>
#include <geerpc/cluster/selector.hpp>
#include <geerpc/cluster/xclient.hpp>

// Watching.
#include <geerpc/observe/debug_page.hpp>

#endif  // GEERPC_CORE_HPP
