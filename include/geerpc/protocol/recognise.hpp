// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Which protocol a connection opens with, told by its first bytes: one port serves them all.

#ifndef GEERPC_PROTOCOL_RECOGNISE_HPP
#define GEERPC_PROTOCOL_RECOGNISE_HPP

#include <string_view>  // string_view

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

enum class Opening {
  http,  // a request line: an upper-case word and a blank
  json,  // a JSON value, blanks allowed in front: GeeRPC's option, or a request of JSON-RPC. What
         // is none of it fails there
};

// `input` is not empty. No protocol of ours but HTTP starts with an upper-case letter.
inline Opening recognise(std::string_view input) {
  return input[0] >= 'A' && input[0] <= 'Z' ? Opening::http : Opening::json;
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_RECOGNISE_HPP
