// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The arguments of a call as JSON-RPC has them: always a list, or an object with their names.

#ifndef GEERPC_CODEC_JSON_RPC_PARAMS_HPP
#define GEERPC_CODEC_JSON_RPC_PARAMS_HPP

#include <cstddef>      // size_t
#include <string>       // string, to_string
#include <string_view>  // string_view

#include <geerpc/codec/json_reader.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// The text of `count` arguments in the form that they have in plain JSON (none is null, one is
// itself, several are an array), out of the text of JSON-RPC's params.
//
// Strict is 2.0. An object is for methods with one parameter, and is that, so that a struct takes
// its fields by name: C++ has no names of parameters. Else it is 1.0, read as Go's net/rpc/jsonrpc
// does: a single argument may be missing, and then is zero; what is too much is dropped.
//
// Throws Error(invalid_argument).
inline std::string_view json_rpc_args(std::string_view params, std::size_t count, bool strict,
                                      const DecodeLimits& limits) {
  JsonReader reader(params, limits);
  const Token token = reader.peek();
  if (token == Token::null) throw_bad_value("jsonrpc: request body missing params");  // Go's words
  if (count == 0) return "null";
  if (strict && token == Token::object) {
    if (count == 1) return params;
    throw_bad_value("the parameters of this method have no names: expected an array of " +
                    std::to_string(count));
  }
  if (count > 1) return params;
  auto scope = reader.begin_array();
  if (!reader.next(scope)) {
    if (!strict) return "null";
    throw_bad_value("expected a parameter, found none");
  }
  const std::string_view argument = reader.raw();
  if (strict && reader.next(scope)) throw_bad_value("expected one parameter, found more");
  return argument;
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_JSON_RPC_PARAMS_HPP
