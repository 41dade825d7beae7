// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What a server costs at least: a thread for each connection, which answers in order.
//
//   raw-server [plain]     one send for each reply
//   raw-server batched     one send for the replies to all requests of one recv

#include <chrono>     // milliseconds
#include <cstdlib>    // _Exit
#include <exception>  // exception
#include <stdexcept>  // invalid_argument, runtime_error
#include <string>     // string
#include <thread>     // sleep_for, thread
#include <utility>    // move
#include <vector>     // vector

#include <harness/harness.hpp>
#include <harness/team.hpp>

#include "frame.hpp"

namespace {

using raw::Frame;
using raw::Method;

// The reply to `request`: the request itself if nothing in it changes, or what is put at `small`.
Frame answer(const Frame& request, char* small) {
  switch (request.method()) {
    case Method::echo:
      return request;
    case Method::sleep:
      std::this_thread::sleep_for(std::chrono::milliseconds(raw::get_int(request.payload())));
      return request;
    case Method::add: {
      const char* const arguments = request.payload();
      const std::int32_t sum = raw::get_int(arguments) + raw::get_int(arguments + 4);
      raw::put_header(small, sizeof sum, request.sequence(), Method::add);
      raw::put_int(small + raw::kHeaderSize, sum);
      return {small, raw::kHeaderSize + sizeof sum};
    }
  }
  throw std::runtime_error("a request has an unknown method");
}

void serve_plain(const raw::Socket& socket) {
  raw::FrameReader reader(socket);
  char small[raw::kHeaderSize + 4];
  for (Frame request; reader.next(request);) {
    const Frame reply = answer(request, small);
    socket.send(reply.data, reply.size);
  }
}

void serve_batched(const raw::Socket& socket) {
  raw::FrameReader reader(socket);
  char small[raw::kHeaderSize + 4];
  std::vector<char> replies;
  while (reader.receive()) {
    for (Frame request; reader.buffered(request);) {
      const Frame reply = answer(request, small);
      replies.insert(replies.end(), reply.data, reply.data + reply.size);
    }
    if (!replies.empty()) socket.send(replies.data(), replies.size());
    replies.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = bench::Arguments(argc, argv).word(0);
  if (!mode.empty() && mode != "plain" && mode != "batched") {
    bench::fail("raw-server has no mode " + mode);
  }
  const auto serve = mode == "batched" ? serve_batched : serve_plain;
  const raw::Socket listener = raw::Socket::listening();
  std::thread([&] {
    for (;;) {
      std::thread([serve, socket = listener.accepted()] {
        try {
          serve(socket);
        } catch (const std::exception&) {
          // The client went away; so does its thread.
        }
      }).detach();
    }
  }).detach();
  // The threads end with the program.
  std::_Exit(bench::serve_until_stdin_ends(listener.port()));
}
