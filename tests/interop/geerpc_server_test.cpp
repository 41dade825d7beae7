// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Our server gets what a Go GeeRPC client sent, and must answer as the Go server did.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <map>
#include <string>
#include <vector>

#include "../support/raw_socket.hpp"
#include "recorded.hpp"
#include "services.hpp"

namespace {

using interop::Message;
using interop::Session;

// What the Go server said, but for the replies to nobody (Seq 0) that it makes of the bodies of
// unknown methods.
std::vector<Message> expected_replies(const std::string& recorded) {
  std::vector<Message> replies;
  for (Message& message : interop::parse_messages(recorded)) {
    if (message.seq() != 0) replies.push_back(std::move(message));
  }
  return replies;
}

std::vector<Message> receive_replies(test::RawSocket& socket, std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < 2 * n; ++i) text += socket.recv_until("\n");
  return interop::parse_messages(text);
}

// Calls that were sent together may be answered in any order.
void check_replies(const std::vector<Message>& replies, const std::vector<Message>& expected) {
  REQUIRE(replies.size() == expected.size());
  std::map<std::uint64_t, Message> by_seq;
  for (const Message& reply : replies) by_seq[reply.seq()] = reply;
  for (const Message& want : expected) {
    const Message& got = by_seq[want.seq()];
    const std::string error = want.field("Error").get<std::string>();
    if (error.rfind("json: ", 0) == 0) {  // the text of Go's own decoder, in Go's own terms
      CHECK(got.field("ServiceMethod") == want.field("ServiceMethod"));
      CHECK(got.field("Error").get<std::string>() != "");
      CHECK(got.body == "{}");
    } else {
      CHECK(got == want);
    }
  }
}

// The answer to CONNECT, if that was in the handshake: Go's status line, which Go clients compare,
// but lines end as HTTP says.
std::string connect_answer(const Session& session) {
  const std::string& recorded = session.steps.front().from_server;
  return recorded.empty() ? "" : recorded.substr(0, recorded.find('\n')) + "\r\n\r\n";
}

void replay_by_steps(const std::string& script) {
  CAPTURE(script);
  const Session session(script);
  interop::TestServer server;
  test::RawSocket socket(server.address);
  socket.send_all(session.steps.front().from_client);
  const std::string connected = connect_answer(session);
  CHECK(socket.recv_exact(connected.size()) == connected);
  for (std::size_t i = 1; i < session.steps.size(); ++i) {
    const interop::Step& step = session.steps[i];
    CAPTURE(step.label);
    socket.send_all(step.from_client);
    const auto expected = expected_replies(step.from_server);
    check_replies(receive_replies(socket, expected.size()), expected);
  }
  socket.half_close();
  CHECK(socket.recv_all() == "");
}

// As one stream, cut into pieces of `size` bytes.
void replay_stream(const std::string& script, std::size_t size) {
  CAPTURE(script);
  CAPTURE(size);
  const Session session(script);
  interop::TestServer server;
  test::RawSocket socket(server.address);
  const std::string& all = session.from_client;
  for (std::size_t i = 0; i < all.size(); i += size) socket.send_all(all.substr(i, size));
  socket.half_close();
  const std::string answer = socket.recv_all();
  const std::string connected = connect_answer(session);
  CHECK(answer.substr(0, connected.size()) == connected);
  const auto expected =
      expected_replies(session.from_server.substr(session.steps.front().from_server.size()));
  check_replies(interop::parse_messages(answer.substr(connected.size())), expected);
}

}  // namespace

TEST_CASE("answers a Go client over TCP byte for byte") { replay_by_steps("tcp"); }

TEST_CASE("answers a Go client over HTTP CONNECT byte for byte") { replay_by_steps("http"); }

TEST_CASE("answers a Go client's bad, missing and unknown arguments and methods as Go does") {
  for (const char* script : {"bad-arg", "nil-arg", "unknown-method", "unknown-service"}) {
    replay_by_steps(script);
  }
}

TEST_CASE("answers a Go client once when the handle timeout of its option passes") {
  replay_by_steps("handle-timeout");
}

TEST_CASE("answers all that a Go client sent before it closed its half, however it was cut") {
  for (const std::size_t size : {1u, 7u, 512u, 1u << 20}) {
    replay_stream("tcp", size);
    replay_stream("http", size);
    replay_stream("unknown-method", size);
  }
}

TEST_CASE("the description of the full and the zero value is that of the Go server") {
  const Session session("tcp");
  for (const interop::Step& step : session.steps) {
    if (step.label != "Kitchen.Describe") continue;
    interop::SinkData data;
    const std::string args = interop::parse_messages(step.from_client).at(0).body;
    geerpc::detail::decode(geerpc::json_codec(), args, data);
    CHECK(interop::describe(data) == step.calls.at(0).at("reply").get<std::string>());
    CHECK(interop::describe({}) ==
          "0,;false;0,0,0,0,0;0,0,0,0,0;0,0;;;;;;;;;0,0,0;;;;,*0[];nil;nil;nil;");
    return;
  }
  FAIL("the session has no such step");
}
