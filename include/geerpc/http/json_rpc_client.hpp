// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonRpcHttpClient: calls a server that takes JSON-RPC 2.0 by HTTP POST.

#ifndef GEERPC_HTTP_JSON_RPC_CLIENT_HPP
#define GEERPC_HTTP_JSON_RPC_CLIENT_HPP

#include <chrono>       // nanoseconds, seconds
#include <cstdint>      // uint64_t
#include <map>          // map
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move

#include <geerpc/base/result.hpp>
#include <geerpc/client/call.hpp>
#include <geerpc/http/exchange.hpp>
#include <geerpc/http/url.hpp>
#include <geerpc/protocol/json_rpc_client_wire.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

struct JsonRpcHttpClientOptions {
  // For calls whose context has no deadline.
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  // Sent with every request, e.g. {"Authorization", "Bearer …"}.
  std::map<std::string, std::string> headers;
  // Nesting of the values that are read.
  DecodeLimits decode;
};

// Each call has a connection of its own, and ends at its deadline: for servers that offer nothing
// else, or behind what lets only HTTP through. A Client with Protocol::json_rpc_2 is many times as
// fast. Thread-safe.
//
//   geerpc::JsonRpcHttpClient client("http://127.0.0.1:9999/jsonrpc");
//   int sum = client.call<int>("Foo.Sum", Args{1, 2});
//
// Arguments travel by position. An answer has at most 8 MiB.
class JsonRpcHttpClient {
 public:
  // Throws Error(invalid_argument) if the URL is malformed. Connects to nothing yet.
  explicit JsonRpcHttpClient(std::string_view url, JsonRpcHttpClientOptions options = {})
      : url_(url, "/jsonrpc"), options_(std::move(options)) {}

  // Calls `method`, waits for its result and returns it. Throws Error.
  template <class R, class... A>
  R call(const Context& context, std::string_view method, const A&... args) const {
    return try_call<R>(context, method, args...).value();
  }
  template <class R, class... A>
  R call(std::string_view method, const A&... args) const {
    return try_call<R>(Context(), method, args...).value();
  }

  // The same, but returns the Error instead of throwing it.
  template <class R, class... A>
  Result<R> try_call(const Context& context, std::string_view method, const A&... args) const {
    const auto body = [&](const Codec& codec, Buffer& out) {
      detail::encode_args(codec, out, args...);
    };
    try {
      const std::string answer = post(context, detail::MessageKind::request, method, body);
      detail::JsonRpcClientWire wire(limits(), detail::JsonRpcVersion::two);
      detail::Message message;
      if (wire.read(answer, message) == 0) message.kind = detail::MessageKind::nothing;
      check(message);
      detail::ResultSlot<R> slot;
      slot.decode(wire.codec(), message.encoded_body(), options_.decode);
      return slot.take();
    } catch (const Error& error) {
      return error.in_call(method, url_.str());
    }
  }
  template <class R, class... A>
  Result<R> try_call(std::string_view method, const A&... args) const {
    return try_call<R>(Context(), method, args...);
  }

  // Returns when the server has taken it; what becomes of it nothing tells. Throws Error.
  template <class... A>
  void notify(const Context& context, std::string_view method, const A&... args) const {
    const auto body = [&](const Codec& codec, Buffer& out) {
      detail::encode_args(codec, out, args...);
    };
    try {
      post(context, detail::MessageKind::notify, method, body);
    } catch (const Error& error) {
      throw error.in_call(method, url_.str());
    }
  }
  template <class... A>
  void notify(std::string_view method, const A&... args) const {
    notify(Context(), method, args...);
  }

 private:
  static constexpr std::uint64_t kSeq = 1;

  static void check(const detail::Message& message) {
    if (message.kind == detail::MessageKind::error) {
      const Error error(message.code, std::string(message.text));
      throw message.may_have_run ? error : error.never_ran();
    }
    if (message.kind != detail::MessageKind::reply || message.seq != kSeq) {
      throw Error(StatusCode::data_loss, "what the server answered is no answer to this call");
    }
  }

  detail::WireLimits limits() const {
    detail::WireLimits limits;
    limits.decode = options_.decode;
    return limits;
  }

  // Returns the answer's text.
  std::string post(const Context& caller, detail::MessageKind kind, std::string_view method,
                   detail::EncodeBody args) const {
    Context context = caller;
    if (!context.has_deadline()) context.set_timeout(options_.timeout);
    detail::RequestHeader header;
    header.kind = kind;
    header.seq = kSeq;
    header.method = method;
    Buffer text;
    detail::JsonRpcClientWire(limits(), detail::JsonRpcVersion::two)
        .write_request(text, header, args);
    httplib::Request request;
    request.method = "POST";
    request.path = url_.path();
    request.body = text.view();
    request.headers.emplace("Host", url_.host());
    request.headers.emplace("Accept", "application/json");
    request.headers.emplace("Content-Type", "application/json");
    for (const auto& [name, value] : options_.headers) request.headers.emplace(name, value);
    detail::HttpTunnel tunnel(context, url_.address());
    httplib::Response response = detail::http_exchange(tunnel, context, request);
    const bool is_answer =
        response.body.find_first_not_of(" \r\n\t") != std::string::npos &&
        response.get_header_value("Content-Type").compare(0, 16, "application/json") == 0;
    // Some servers send errors of JSON-RPC with a status that is none.
    if (!is_answer && (response.status < 200 || response.status >= 300)) {
      throw Error(detail::status_from_http(response.status),
                  "HTTP status " + std::to_string(response.status));
    }
    if (!is_answer && kind == detail::MessageKind::request) {
      throw Error(StatusCode::data_loss, "the server answered nothing");
    }
    return std::move(response.body) + '\n';
  }

  const Url url_;
  const JsonRpcHttpClientOptions options_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_JSON_RPC_CLIENT_HPP
