// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The headers of messages in gob. The names of the types travel, too: they are Go's.

#ifndef GEERPC_PROTOCOL_GOB_HEADERS_HPP
#define GEERPC_PROTOCOL_GOB_HEADERS_HPP

#include <cstdint>      // int64_t, uint64_t
#include <string_view>  // string_view

#include <geerpc/base/context.hpp>
#include <geerpc/reflect/fields.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// GeeRPC's, in both directions.
namespace gob_geerpc {
struct Header {
  std::string_view ServiceMethod;
  std::uint64_t Seq = 0;
  std::string_view Error;
};
GEERPC_FIELDS(Header, ServiceMethod, Seq, Error)
}  // namespace gob_geerpc

// The same with what only geerpc peers know, in requests and in errors; others skip it.
namespace gob_request {
struct Header {
  std::string_view ServiceMethod;
  std::uint64_t Seq = 0;
  std::int64_t Timeout = 0;  // nanoseconds that are left
  geerpc::Metadata Metadata;
};
GEERPC_FIELDS(Header, ServiceMethod, Seq, Timeout, Metadata)
}  // namespace gob_request
namespace gob_error {
struct Header {
  std::string_view ServiceMethod;
  std::uint64_t Seq = 0;
  std::string_view Error;
  int Code = 0;
  bool NeverRan = false;
};
GEERPC_FIELDS(Header, ServiceMethod, Seq, Error, Code, NeverRan)
}  // namespace gob_error

// net/rpc's.
namespace gob_net_rpc {
struct Request {
  std::string_view ServiceMethod;
  std::uint64_t Seq = 0;
};
GEERPC_FIELDS(Request, ServiceMethod, Seq)
struct Response {
  std::string_view ServiceMethod;
  std::uint64_t Seq = 0;
  std::string_view Error;
};
GEERPC_FIELDS(Response, ServiceMethod, Seq, Error)
}  // namespace gob_net_rpc

// All that may come; the views point into the input.
namespace gob_received {
struct Header {
  std::string_view ServiceMethod;
  std::uint64_t Seq = 0;
  std::string_view Error;
  std::int64_t Timeout = 0;
  geerpc::Metadata Metadata;
  std::int64_t Code = 0;
  bool NeverRan = false;
};
GEERPC_FIELDS(Header, ServiceMethod, Seq, Error, Timeout, Metadata, Code, NeverRan)
}  // namespace gob_received

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_GOB_HEADERS_HPP
