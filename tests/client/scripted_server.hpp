// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A server that does exactly what a test says, byte by byte: it reads the client's option and
// requests and writes frames, good or bad (docs/protocol.md). It shares no code with the library.

#ifndef GEERPC_TESTS_CLIENT_SCRIPTED_SERVER_HPP
#define GEERPC_TESTS_CLIENT_SCRIPTED_SERVER_HPP

#include <chrono>     // milliseconds
#include <cstdint>    // uint64_t
#include <stdexcept>  // runtime_error
#include <string>     // string
#include <utility>    // move

#include <geerpc/geerpc.hpp>

#include "../support/raw_socket.hpp"

namespace test {

// MessagePack's shortest forms, for what is small here anyway.
inline std::string tiny(unsigned value) {
  if (value < 128) return std::string(1, static_cast<char>(value));
  if (value < 256) return std::string("\xCC") + static_cast<char>(value);
  throw std::runtime_error("not a small number");
}
inline std::string text(const std::string& value) {
  if (value.size() > 255) throw std::runtime_error("not a short text");
  return std::string("\xD9") + static_cast<char>(value.size()) + value;
}

inline std::string length_prefix(std::uint32_t length) {
  std::string bytes(4, '\0');
  for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<char>(length >> (24 - 8 * i));
  return bytes;
}
inline std::string frame(const std::string& content) {
  return length_prefix(static_cast<std::uint32_t>(content.size())) + content;
}
inline std::string reply_frame(unsigned seq, unsigned result) {
  return frame("\x92\x01" + tiny(seq) + tiny(result));
}
inline std::string error_frame(unsigned seq, geerpc::StatusCode code, const std::string& why,
                               bool may_have_run) {
  return frame("\x95\x02" + tiny(seq) + tiny(static_cast<unsigned>(code)) + text(why) +
               (may_have_run ? "\xC3" : "\xC2"));
}
inline std::string goaway_frame(unsigned requests_read) {
  return frame("\x92\x05" + tiny(requests_read));
}

// What a client sent.
struct Frame {
  enum Kind { request = 0, cancel = 3, notify = 4 };
  int kind = 0;
  unsigned seq = 0;
  std::string rest;  // of the header, and the body
};

// One connection of a client.
class Peer {
 public:
  explicit Peer(RawSocket accepted) : socket(std::move(accepted)) {}

  std::string read_option() { return socket.recv_until("\n"); }
  Frame read_frame() {
    std::uint32_t length = 0;
    for (const char c : socket.recv_exact(4)) length = length << 8 | static_cast<unsigned char>(c);
    const std::string content = socket.recv_exact(length);
    Frame frame;
    frame.kind = content.at(1);
    std::size_t at = 2;
    const auto byte = [&] { return static_cast<unsigned char>(content.at(at++)); };
    const unsigned first = byte();
    if (first < 128) {
      frame.seq = first;
    } else if (first == 0xCC) {
      frame.seq = byte();
    } else if (first == 0xCD) {
      frame.seq = byte();
      frame.seq = frame.seq << 8 | byte();
    } else {
      throw std::runtime_error("unexpected sequence number");
    }
    frame.rest = content.substr(at);
    return frame;
  }
  // The next request, with cancellations dropped that come before it.
  Frame read_request() {
    for (;;) {
      Frame frame = read_frame();
      if (frame.kind == Frame::request) return frame;
    }
  }
  void reply(unsigned seq, unsigned result) { socket.send_all(reply_frame(seq, result)); }

  RawSocket socket;
};

class ScriptedServer {
 public:
  const std::string& address() const { return listener_.address(); }
  // The next connection, its option read.
  Peer accept() {
    Peer peer = accept_silently();
    peer.read_option();
    return peer;
  }
  Peer accept_silently() { return Peer(listener_.accept()); }
  void close() { listener_.close(); }

 private:
  RawListener listener_;
};

inline geerpc::Context within(std::chrono::milliseconds time) {
  return geerpc::Context::with_timeout(time);
}

}  // namespace test

#endif  // GEERPC_TESTS_CLIENT_SCRIPTED_SERVER_HPP
