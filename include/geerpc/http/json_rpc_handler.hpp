// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What an RPC server answers over HTTP: POST of JSON-RPC, and GET of the debug page.

#ifndef GEERPC_HTTP_JSON_RPC_HANDLER_HPP
#define GEERPC_HTTP_JSON_RPC_HANDLER_HPP

#include <algorithm>  // find
#include <cctype>     // tolower
#include <chrono>     // nanoseconds, seconds
#include <cstddef>    // size_t
#include <optional>   // optional
#include <string>     // string
#include <utility>    // move
#include <vector>     // vector

#include <geerpc/http/debug_server.hpp>
#include <geerpc/server/plain_http.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

// Plain values. A duration of zero means "no limit".
struct HttpOptions {
  // Where JSON-RPC is posted to; empty: nowhere.
  std::string json_rpc_path = "/jsonrpc";
  // Whether kDebugPath and kDebugJsonPath are there: names, types and counters of all methods.
  bool debug_page = true;

  // Origins ("https://example.org") whose web pages may call, or "*" for all (CORS). None: no page
  // may. Programs that are no browsers name no origin, and may.
  std::vector<std::string> allowed_origins;

  // Bytes of a posted text; a larger one is refused (413). Never more than
  // ServerOptions::max_message_size.
  std::size_t max_body_size = 4u << 20;

  // From the first byte of a request to its last.
  std::chrono::nanoseconds receive_timeout = std::chrono::seconds(10);
  // Of each call; then its answer is an error.
  std::chrono::nanoseconds call_timeout = std::chrono::seconds(30);
  // How long a connection is kept open for its next request.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(30);
};

namespace detail {

// "application/json; charset=utf-8" is JSON. A page of another origin can't send that without being
// allowed to, as it can text/plain and forms.
inline bool is_json_type(const std::string& content_type) {
  std::string type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  for (char& c : type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return type == "application/json" || type == "application/json-rpc" ||
         type == "application/jsonrequest";
}

// Thread-safe.
class JsonRpcHandler {
 public:
  explicit JsonRpcHandler(const HttpOptions& options) : options_(options) {}

  void operator()(const httplib::Request& request, httplib::Response& response,
                  const RpcAccess& rpc) const {
    if (rpc.json_rpc && request.path == options_.json_rpc_path) {
      return answer(request, response, rpc);
    }
    if (options_.debug_page && (request.path == kDebugPath || request.path == kDebugJsonPath)) {
      return debug_handler([&] { return rpc.services.stats(); },
                           [&] { return rpc.services.describe(); })(request, response);
    }
    refuse(response, 404, "404 page not found\n");
  }

 private:
  static void refuse(httplib::Response& response, int status, const char* text) {
    response.status = status;
    response.set_content(text, "text/plain; charset=utf-8");
  }

  void answer(const httplib::Request& request, httplib::Response& response,
              const RpcAccess& rpc) const {
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Cache-Control", "no-store");
    // No page is of this server's origin, though one may seem so whose host name was made to lead
    // here (DNS rebinding).
    const std::string origin = request.get_header_value("Origin");
    if (!origin.empty() && !allow_origin(origin, response)) {
      return refuse(response, 403, "403 the server does not allow this page's origin\n");
    }
    if (request.method == "OPTIONS" && !origin.empty()) {
      response.status = 204;
      response.set_header("Access-Control-Allow-Methods", "POST");
      response.set_header("Access-Control-Allow-Headers", "Content-Type");
      response.set_header("Access-Control-Max-Age", "600");
      return;
    }
    if (request.method != "POST") {
      response.set_header("Allow", "POST");
      return refuse(response, 405, "405 POST a JSON-RPC request\n");
    }
    if (!is_json_type(request.get_header_value("Content-Type"))) {
      return refuse(response, 415, "415 the Content-Type must be application/json\n");
    }
    try {
      const std::optional<std::string> text =
          rpc.answer_json_rpc(request.body, options_.call_timeout);
      if (!text) {
        response.status = 204;
      } else {
        response.set_content(*text, "application/json");
      }
    } catch (const Error& error) {
      refuse(response, error.code() == StatusCode::deadline_exceeded ? 504 : 503,
             (error.cause() + '\n').c_str());
    }
  }

  bool allow_origin(const std::string& origin, httplib::Response& response) const {
    const auto has = [&](const std::string& one) {
      const auto& allowed = options_.allowed_origins;
      return std::find(allowed.begin(), allowed.end(), one) != allowed.end();
    };
    response.set_header("Vary", "Origin");
    if (!has("*") && !has(origin)) return false;
    response.set_header("Access-Control-Allow-Origin", has("*") ? "*" : origin);
    return true;
  }

  const HttpOptions options_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_JSON_RPC_HANDLER_HPP
