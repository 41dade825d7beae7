// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Which protocol a connection opens with, told by its first bytes: one port serves them all.

#ifndef GEERPC_PROTOCOL_RECOGNISE_HPP
#define GEERPC_PROTOCOL_RECOGNISE_HPP

#include <cstddef>      // size_t
#include <string_view>  // string_view

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

enum class Opening {
  unknown,  // more bytes are needed
  http,     // a request line: an upper-case word and a blank
  json,  // a JSON value, blanks allowed in front: GeeRPC's option, or a request of JSON-RPC. What
         // is none of it fails there
  gob,   // net/rpc
};

// A gob stream starts with the definition of a type, that is with its length and the negative
// number of the type, which is -64 or less and so has a first byte that is no text: then it is gob,
// even if the length looks like a letter.
inline Opening recognise(std::string_view input) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
  if (input.empty()) return Opening::unknown;
  if (byte(0) >= 0xF8) return Opening::gob;  // a long length
  if (input.size() < 2) return Opening::unknown;
  if (byte(1) >= 0xF8 || byte(1) == 0x7F) return Opening::gob;
  return byte(0) >= 'A' && byte(0) <= 'Z' ? Opening::http : Opening::json;
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_RECOGNISE_HPP
