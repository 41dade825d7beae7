// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What a JSON-RPC request is (www.jsonrpc.org/specification, and 1.0 as Go's net/rpc/jsonrpc speaks
// it), and how its error codes and ours translate.
//
//   1.0  {"method":"Foo.Sum","params":[{"Num1":3}],"id":0}   {"id":0,"result":3,"error":null}
//   2.0  {"jsonrpc":"2.0","method":"Foo.Sum","params":{"Num1":3},"id":"a"}
//        {"jsonrpc":"2.0","id":"a","result":3}    or, in place of the result,
//        "error":{"code":-32601,"message":"rpc: can't find method Foo.Sum"}

#ifndef GEERPC_PROTOCOL_JSON_RPC_HPP
#define GEERPC_PROTOCOL_JSON_RPC_HPP

#include <cstddef>      // size_t
#include <string>       // string, to_string
#include <string_view>  // string_view

#include <geerpc/base/error.hpp>
#include <geerpc/codec/decode.hpp>
#include <geerpc/codec/json_reader.hpp>
#include <geerpc/protocol/message.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

enum class JsonRpcVersion { one, two };

// The codes that 2.0 defines. From -32000 down to -32099 they are the server's own: there stand our
// status codes, so that e.g. -32004 is deadline_exceeded.
inline constexpr int kJsonRpcParseError = -32700;
inline constexpr int kJsonRpcInvalidRequest = -32600;
inline constexpr int kJsonRpcMethodNotFound = -32601;
inline constexpr int kJsonRpcInvalidParams = -32602;
inline constexpr int kJsonRpcInternalError = -32603;
inline constexpr int kJsonRpcServerError = -32000;

inline int json_rpc_code(const Error& error) {
  const StatusCode code = error.code();
  if (code == StatusCode::internal) return kJsonRpcInternalError;
  if (!error.may_have_run()) {  // else these are a handler's own words
    if (code == StatusCode::invalid_argument) return kJsonRpcInvalidParams;
    if (code == StatusCode::not_found || code == StatusCode::unimplemented) {
      return kJsonRpcMethodNotFound;
    }
  }
  return kJsonRpcServerError - static_cast<int>(code);
}

// Gives an error what its code says. One that is no code of ours goes into the text.
inline void set_json_rpc_status(Message& message, long long code) {
  message.code = StatusCode::unknown;
  if (code == kJsonRpcInternalError) {
    message.code = StatusCode::internal;
  } else if (code == kJsonRpcMethodNotFound) {
    message.code = StatusCode::unimplemented;
    message.may_have_run = false;
  } else if (code == kJsonRpcInvalidParams) {
    message.code = StatusCode::invalid_argument;
  } else if (code == kJsonRpcInvalidRequest || code == kJsonRpcParseError) {
    message.code = StatusCode::invalid_argument;
    message.may_have_run = false;
  } else if (code < kJsonRpcServerError && code >= kJsonRpcServerError - 16) {
    message.code = status_from_wire(kJsonRpcServerError - code);
  } else {
    message.unescaped_text += " (JSON-RPC error " + std::to_string(code) + ")";
  }
}

// A member of an object: its value as it stands there, empty if there is none.
struct JsonMember {
  std::string_view name;
  std::string_view text{};
  bool exact = false;  // the name is spelt so, and not only in another case
};

// Looks for members by name; what stands under several spellings or twice is taken where it is
// exact, and last. The names of 2.0 are exact, Go matches them in any case. Throws if `text` is no
// object.
template <std::size_t N>
void find_members(std::string_view text, const DecodeLimits& limits, JsonMember (&members)[N]) {
  JsonReader reader(text, limits);
  std::string_view name;
  for (auto scope = reader.begin_object(); reader.next_key(scope, name);) {
    JsonMember* found = nullptr;
    bool exact = false;
    for (JsonMember& member : members) {
      if (!equal_folded(name, member.name)) continue;
      exact = name == member.name;
      if (exact || !member.exact) found = &member;
    }
    const std::string_view value = reader.raw();
    if (found == nullptr) continue;
    found->text = value;
    found->exact = exact;
  }
  reader.finish();
}

inline bool is_json_null(std::string_view text) noexcept { return text.empty() || text[0] == 'n'; }

// The views point into the text that was parsed.
struct JsonRpcRequest {
  JsonRpcVersion version = JsonRpcVersion::two;
  std::string_view id;      // as it came; empty if there is none, which in 2.0 is a notification
  std::string_view params;  // as they came; empty if there are none
  const char* problem = nullptr;  // why this is no request; it is to be answered with that
};

// What it costs to keep an id until the reply, and to look a name up, is bounded.
inline constexpr std::size_t kMaxJsonRpcId = 1024;
inline constexpr std::size_t kMaxJsonRpcMethod = 4096;

inline const char* check_json_rpc_id(std::string_view id, JsonRpcVersion version) {
  if (id.size() > kMaxJsonRpcId) return "the id is too long";
  for (const char *p = id.data(), *const end = p + id.size(); p != end;) {
    const std::size_t length = utf8_length(p, end);  // it is going to be echoed
    if (length == 0) return "the id is not UTF-8";
    p += length;
  }
  const char first = id.empty() ? 'n' : id[0];
  const bool allowed = first == '"' || first == '-' || first == 'n' || is_digit(first);
  if (allowed || version == JsonRpcVersion::one) return nullptr;  // there it may be anything
  return "the id must be a string, a number or null";
}

// `only_two`: as in a batch, what does not say "jsonrpc" is no request of 1.0 but none. The
// method's name goes into `method`. Throws Error(invalid_argument) if the text is no JSON.
inline JsonRpcRequest parse_json_rpc_request(std::string_view text, const DecodeLimits& limits,
                                             bool only_two, std::string& method) {
  JsonRpcRequest request;
  method.clear();
  JsonReader reader(text, limits);
  if (reader.peek() != Token::object) {
    reader.skip();
    reader.finish();
    request.problem = "a request must be an object";
    request.id = "null";
    return request;
  }
  JsonMember members[] = {{"jsonrpc"}, {"method"}, {"params"}, {"id"}};
  find_members(text, limits, members);
  auto& [jsonrpc, name, params, id] = members;
  const bool says_two = jsonrpc.exact && jsonrpc.text == "\"2.0\"";
  const bool one = !only_two && (!jsonrpc.exact || jsonrpc.text == "\"1.0\"");
  request.version = one ? JsonRpcVersion::one : JsonRpcVersion::two;
  const auto present = [&](const JsonMember& member) {
    return !member.text.empty() && (one || member.exact);
  };
  const auto fail = [&](const char* problem) {
    if (request.problem == nullptr) request.problem = problem;
  };
  if (!one && !says_two) fail("\"jsonrpc\" must be \"2.0\"");
  if (present(params)) request.params = params.text;
  if (!one && !is_json_null(request.params) && params.text[0] != '[' && params.text[0] != '{') {
    fail("the params must be an array or an object");
  }
  if (present(name) && name.text[0] == '"') {
    JsonReader(name.text).string(method);
  } else if (!one || (present(name) && !is_json_null(name.text))) {
    fail("the method must be a string");
  }
  if (method.size() > kMaxJsonRpcMethod) {
    method = std::string();  // an idle connection must not hold on to it
    fail("the name of the method is too long");
  }
  if (present(id)) {
    const char* const problem = check_json_rpc_id(id.text, request.version);
    if (problem == nullptr) {
      request.id = id.text;
    } else {
      fail(problem);
    }
  }
  if (request.id.empty() && (one || request.problem != nullptr)) request.id = "null";
  return request;
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_JSON_RPC_HPP
