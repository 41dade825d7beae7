// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// From an address to an open connection: connect, CONNECT, option.

#ifndef GEERPC_CLIENT_DIAL_HPP
#define GEERPC_CLIENT_DIAL_HPP

#include <functional>  // function
#include <memory>      // make_shared, shared_ptr
#include <string>      // string
#include <utility>     // move

#include <geerpc/base/hot_path.hpp>
#include <geerpc/client/connection.hpp>
#include <geerpc/client/options.hpp>
#include <geerpc/net/dialer.hpp>
#include <geerpc/protocol/http_connect.hpp>
#include <geerpc/protocol/option.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Asks for a tunnel and waits until it stands; a Go server loses what arrives earlier. Returns what
// was received behind the answer.
inline Buffer open_tunnel(const Socket& socket, const std::string& path,
                          SteadyClock::time_point deadline, const Waker& abort) {
  const std::string request = connect_request(path);
  // A new socket's buffer always has room for so little.
  if (socket.send_now(request.data(), request.size()).bytes !=
      static_cast<ssize_t>(request.size())) {
    throw Error(StatusCode::unavailable, "the connection broke during CONNECT");
  }
  Buffer input;
  std::size_t searched = 0;
  for (;;) {
    if (const std::size_t end = find_http_head_end(input.view(), searched)) {
      check_connect_answer(input.view().substr(0, end));
      input.consume(end);
      return input;
    }
    pollfd fds[2] = {{socket.fd(), POLLIN, 0}, {abort.fd(), POLLIN, 0}};
    if (!poll_until(fds, deadline)) {
      throw Error(StatusCode::deadline_exceeded, "no answer to CONNECT in time");
    }
    if (fds[1].revents != 0) throw Error(StatusCode::cancelled, "cancelled");
    char* const to = input.prepare(kMaxHttpHead);
    const Socket::Transfer got = socket.receive_now(to, kMaxHttpHead);
    if (got.bytes < 0 && would_block(got.error)) continue;
    if (got.bytes <= 0) {
      throw Error(StatusCode::unavailable, "the connection broke during CONNECT");
    }
    input.commit(static_cast<std::size_t>(got.bytes));
  }
}

// What GeeRPC's connections begin with.
inline std::string opening_option(const ClientOptions& options) {
  Option option;
  option.magic = kMagicNumber;
  option.codec = options.codec->content_type();
  option.connect_timeout = options.connect_timeout;
  option.handle_timeout = options.handle_timeout;
  option.call_timeout = options.call_timeout;
  option.extended = true;
  return encode_option(option, may_meet_go_server(*options.codec));
}

// Throws Error, always one that says that nothing ran.
GEERPC_COLD inline std::shared_ptr<ClientConnection> open_connection(
    const Address& address, const ClientOptions& options, SteadyClock::time_point deadline,
    const Waker& abort, std::function<void(bool)> poke_background) {
  Socket socket = dial(address, deadline, abort);
  Buffer unread;
  if (address.scheme() == Address::Scheme::http) {
    try {
      const std::string& path = options.connect_path;
      unread = open_tunnel(socket, path.empty() ? options.protocol->connect_path : path, deadline,
                           abort);
    } catch (const Error& error) {
      throw Error(error.code(), "dial " + address.str() + ": " + error.cause()).never_ran();
    }
  }
  WireLimits limits;
  limits.max_message = options.max_message_size;
  limits.decode = options.decode;
  return std::make_shared<ClientConnection>(
      std::move(socket), options.protocol->make_wire(*options.codec, limits),
      options.protocol->has_option ? opening_option(options) : std::string(), std::move(unread),
      options.max_queued_bytes, std::move(poke_background));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_DIAL_HPP
