// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The head of an HTTP request, made plain before cpp-httplib sees it: what it must not contain, and
// how long the body is.

#ifndef GEERPC_HTTP_HEAD_HPP
#define GEERPC_HTTP_HEAD_HPP

#include <algorithm>    // min
#include <cctype>       // tolower
#include <cstddef>      // size_t
#include <string>       // string, stoul, to_string
#include <string_view>  // string_view

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// A request head as it is handed through: lines end with CRLF, and there is one Content-Length.
struct HttpHead {
  std::string text;               // without the blank line
  std::size_t body = 0;           // the Content-Length
  bool expects_continue = false;  // the peer wants to hear something before it sends the body
  const char* refusal = nullptr;
};

inline HttpHead rewrite_http_head(std::string_view head, std::size_t max_body) {
  HttpHead result;
  bool has_length = false;
  while (!head.empty()) {
    const std::size_t end = head.find('\n');
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    if (result.text.empty()) {  // the request line
      (result.text += line) += "\r\n";
      continue;
    }
    const std::size_t colon = (std::min)(line.find(':'), line.size());
    if (line.find_first_of(" \t") < colon) {  // RFC 9112, 5.1 and 5.2: who reads it differs in how
      result.refusal = "400 Bad Request";
      break;
    }
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (name == "transfer-encoding") {
      result.refusal = "411 Length Required";
    } else if (name == "content-length") {
      std::string_view value = line.substr(colon + 1);
      value.remove_prefix((std::min)(value.find_first_not_of(" \t"), value.size()));
      const std::size_t digits = (std::min)(value.find_first_not_of("0123456789"), value.size());
      if (has_length || digits == 0 || value.find_first_not_of(" \t", digits) != value.npos) {
        result.refusal = "400 Bad Request";
        break;
      }
      has_length = true;
      result.body = digits > 9 ? max_body + 1 : std::stoul(std::string(value.substr(0, digits)));
      if (result.body > max_body) result.refusal = "413 Content Too Large";
    } else if (name == "content-encoding") {
      result.refusal = "415 Unsupported Media Type";  // it could inflate to anything
    } else if (name == "expect") {
      result.expects_continue = true;
    } else if (name != "range" && name != "accept-encoding") {
      // Nothing here has ranges, and many of them would multiply the answer; and to compress an
      // answer costs more than to send it.
      (result.text += line) += "\r\n";
    }
  }
  // Without a length, cpp-httplib would wait for the end of a POST.
  result.text += "Content-Length: " + std::to_string(result.body) + "\r\n";
  return result;
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_HTTP_HEAD_HPP
