// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Address: where a server listens, in GeeRPC's form "protocol@address".

#ifndef GEERPC_NET_ADDRESS_HPP
#define GEERPC_NET_ADDRESS_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint16_t
#include <functional>   // hash
#include <string>       // string, to_string
#include <string_view>  // string_view

#include <geerpc/base/result.hpp>

GEERPC_BEGIN_NAMESPACE

// An immutable, valid address, or an empty one:
//   tcp@host:port   host is a name, an IPv4 address or a bracketed IPv6 address; empty: every one
//   http@host:port  the same port, reached through HTTP CONNECT
//   unix@path       a unix socket; "unix@@name" is an abstract name (Linux)
// Port 0 lets the system choose when listening. What is not of this form is refused with the
// reason; so are commas, blanks and control characters, which could smuggle a second address into
// a list.
class Address {
 public:
  enum class Scheme { tcp, http, unix_socket };

  // Empty: no address.
  Address() = default;

  // Parse; throw Error(invalid_argument).
  Address(std::string_view text) { parse(text); }
  Address(const std::string& text) { parse(text); }
  Address(const char* text) { parse(text); }

  static Result<Address> try_parse(std::string_view text) {
    try {
      return Address(text);
    } catch (const Error& error) {
      return error;
    }
  }

  bool empty() const noexcept { return text_.empty(); }
  const std::string& str() const noexcept { return text_; }
  Scheme scheme() const noexcept { return scheme_; }
  const std::string& host() const noexcept { return host_; }  // without brackets
  std::uint16_t port() const noexcept { return port_; }
  const std::string& path() const noexcept { return path_; }  // of a unix socket
  bool is_abstract() const noexcept { return !path_.empty() && path_.front() == '@'; }

  // True if the host stands for all of a machine's addresses, so that nobody else can dial it.
  bool is_wildcard() const noexcept {
    return scheme_ != Scheme::unix_socket && !empty() &&
           (host_.empty() || host_ == "0.0.0.0" || host_ == "::" || host_ == "0:0:0:0:0:0:0:0");
  }
  // True if only this machine can reach it.
  bool is_loopback() const noexcept {
    return !empty() && (scheme_ == Scheme::unix_socket || host_ == "localhost" || host_ == "::1" ||
                        host_.compare(0, 4, "127.") == 0);
  }

  // The same address with another host (brackets are added where needed) or port.
  Address with_host(std::string_view host) const {
    const bool bare_v6 = host.find(':') != host.npos && host.front() != '[';
    return Address(std::string(scheme_name()) + '@' +
                   (bare_v6 ? '[' + std::string(host) + ']' : std::string(host)) + ':' +
                   std::to_string(port_));
  }
  Address with_port(std::uint16_t port) const {
    Address changed = *this;
    changed.port_ = port;
    changed.print();
    return changed;
  }

  friend bool operator==(const Address& a, const Address& b) noexcept { return a.text_ == b.text_; }
  friend bool operator!=(const Address& a, const Address& b) noexcept { return a.text_ != b.text_; }
  friend bool operator<(const Address& a, const Address& b) noexcept { return a.text_ < b.text_; }

 private:
  // sockaddr_un.sun_path holds 108 bytes on Linux, one of them for the final (or leading) NUL.
  static constexpr std::size_t kMaxPath = 107;
  static constexpr std::size_t kMaxHost = 255;  // RFC 1035, 2.3.4

  const char* scheme_name() const noexcept {
    return scheme_ == Scheme::tcp ? "tcp" : scheme_ == Scheme::http ? "http" : "unix";
  }

  [[noreturn]] static void refuse(std::string_view text, const std::string& reason) {
    std::string shown;
    for (const char c : text.substr(0, 80)) shown += c < ' ' || c == 127 ? '?' : c;
    if (text.size() > 80) shown += "...";
    throw Error(StatusCode::invalid_argument, "address '" + shown + "': " + reason);
  }

  void parse(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at == text.npos) refuse(text, "wrong format, expect protocol@addr");
    for (const char c : text) {
      if (static_cast<unsigned char>(c) <= ' ' || c == 127 || c == ',') {
        refuse(text, "blanks, commas and control characters are not allowed");
      }
    }
    const std::string_view scheme = text.substr(0, at);
    const std::string_view rest = text.substr(at + 1);
    if (scheme == "unix") {
      scheme_ = Scheme::unix_socket;
      parse_path(text, rest);
    } else if (scheme == "tcp" || scheme == "http") {
      scheme_ = scheme == "tcp" ? Scheme::tcp : Scheme::http;
      parse_host_port(text, rest);
    } else {
      refuse(text, "unknown protocol, expect tcp, http or unix");
    }
    print();
  }

  void parse_path(std::string_view text, std::string_view path) {
    if (path.empty() || path == "@") refuse(text, "the path of the unix socket is empty");
    if (path.size() > kMaxPath) {
      refuse(text, "the path of a unix socket has at most " + std::to_string(kMaxPath) + " bytes");
    }
    path_ = path;
  }

  void parse_host_port(std::string_view text, std::string_view rest) {
    const std::size_t colon = rest.rfind(':');
    if (colon == rest.npos) refuse(text, "the port is missing, expect host:port");
    std::string_view host = rest.substr(0, colon);
    const std::string_view port = rest.substr(colon + 1);
    const char* host_characters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    if (!host.empty() && host.front() == '[') {
      if (host.back() != ']' || host.size() < 4) refuse(text, "the bracketed host is malformed");
      host = host.substr(1, host.size() - 2);
      if (host.find(':') == host.npos) refuse(text, "brackets are for IPv6 addresses");
      host_characters = "abcdefABCDEF0123456789:.%ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ-_";
    } else if (host.find(':') != host.npos) {
      refuse(text, "an IPv6 address needs brackets, e.g. tcp@[::1]:9000");
    }
    if (host.size() > kMaxHost) refuse(text, "the host name is too long");
    if (host.find_first_not_of(host_characters) != host.npos) {
      refuse(text, "the host has a character that no host name has");
    }
    if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != port.npos) {
      refuse(text, "the port is not a number from 0 to 65535");
    }
    unsigned number = 0;
    for (const char c : port) number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > 65535) refuse(text, "the port is not a number from 0 to 65535");
    host_ = host;
    port_ = static_cast<std::uint16_t>(number);
  }

  void print() {
    text_ = scheme_name();
    text_ += '@';
    if (scheme_ == Scheme::unix_socket) {
      text_ += path_;
      return;
    }
    text_ += host_.find(':') == host_.npos ? host_ : '[' + host_ + ']';
    text_ += ':' + std::to_string(port_);
  }

  Scheme scheme_ = Scheme::tcp;
  std::uint16_t port_ = 0;
  std::string host_;
  std::string path_;
  std::string text_;
};

GEERPC_END_NAMESPACE

template <>
struct std::hash<geerpc::Address> {
  std::size_t operator()(const geerpc::Address& address) const noexcept {
    return std::hash<std::string>()(address.str());
  }
};

#endif  // GEERPC_NET_ADDRESS_HPP
