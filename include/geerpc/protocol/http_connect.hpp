// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HTTP CONNECT in front of a plain RPC connection, as Go's net/rpc and GeeRPC have it. This is the
// little of HTTP that the RPC port speaks; everything else is cpp-httplib's.

#ifndef GEERPC_PROTOCOL_HTTP_CONNECT_HPP
#define GEERPC_PROTOCOL_HTTP_CONNECT_HPP

#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/base/error.hpp>
#include <geerpc/base/function_ref.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What a server offers at a path: the words behind the 200, which Go clients compare literally.
inline constexpr std::string_view kConnectedToGeeRpc = "Connected to Gee RPC";
inline constexpr std::string_view kConnectedToGoRpc = "Connected to Go RPC";
inline constexpr std::size_t kMaxHttpHead = 8192;

// The end of an HTTP head at the start of `input`, one past its blank line; 0 if it is not there
// yet. Lines end with LF, with or without CR (Go sends a bare LF). `searched` remembers how far
// earlier calls looked. Throws Error(resource_exhausted) for a head that is longer than `limit`.
inline std::size_t find_http_head_end(std::string_view input, std::size_t& searched,
                                      std::size_t limit = kMaxHttpHead) {
  for (; searched < input.size(); ++searched) {
    if (searched >= limit) {
      throw Error(StatusCode::resource_exhausted,
                  "HTTP head of more than " + std::to_string(limit) + " bytes");
    }
    if (input[searched] != '\n') continue;
    const bool blank =
        (searched >= 1 && input[searched - 1] == '\n') ||
        (searched >= 2 && input[searched - 1] == '\r' && input[searched - 2] == '\n');
    if (blank) return ++searched;
  }
  return 0;
}

// The first line of a head, without its end.
inline std::string_view first_line(std::string_view head) {
  std::string_view line = head.substr(0, head.find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// The request of the client: CONNECT asks for a tunnel to `path`.
inline std::string connect_request(std::string_view path) {
  return "CONNECT " + std::string(path) + " HTTP/1.0\r\n\r\n";
}

// The server's answer to a request head, in GeeRPC's and Go's words. `offer` gives the words for a
// path, or none.
struct ConnectAnswer {
  std::string_view connected;  // the words; empty: refused
  std::string text;
};
inline ConnectAnswer answer_connect(std::string_view head,
                                    FunctionRef<std::string_view(std::string_view path)> offer) {
  const auto refuse = [](const std::string& status, const std::string& body,
                         const std::string& header = "") {
    return ConnectAnswer{"", "HTTP/1.0 " + status + "\r\n" + header +
                                 "Content-Type: text/plain; charset=utf-8\r\nContent-Length: " +
                                 std::to_string(body.size()) + "\r\n\r\n" + body};
  };
  const std::string_view line = first_line(head);
  const std::size_t method_end = line.find(' ');
  const std::size_t path_end = method_end == line.npos ? line.npos : line.find(' ', method_end + 1);
  if (path_end == line.npos || line.substr(path_end + 1, 7) != "HTTP/1.") {
    return refuse("400 Bad Request", "400 bad request\n");
  }
  const std::string_view words = offer(line.substr(method_end + 1, path_end - method_end - 1));
  if (words.empty()) return refuse("404 Not Found", "404 page not found\n");
  if (line.substr(0, method_end) != "CONNECT") {
    return refuse("405 Method Not Allowed", "405 must CONNECT\n", "Allow: CONNECT\r\n");
  }
  return {words, "HTTP/1.0 200 " + std::string(words) + "\r\n\r\n"};
}

// Throws Error(unavailable) unless the head of the server's answer says that the tunnel stands. As
// Go we take any HTTP/1.x, but unlike Go any reason behind the 200.
inline void check_connect_answer(std::string_view head) {
  const std::string_view line = first_line(head);
  const std::size_t space = line.find(' ');
  const std::string_view status = space == line.npos ? "" : line.substr(space + 1);
  const bool ok = status.substr(0, 4) == "200 " || status == "200";
  if (line.substr(0, 7) == "HTTP/1." && ok) return;
  std::string shown;
  for (const char c : (status.empty() ? line : status).substr(0, 100)) shown += c < ' ' ? '?' : c;
  throw Error(StatusCode::unavailable, "unexpected HTTP response: " + shown);
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_HTTP_CONNECT_HPP
