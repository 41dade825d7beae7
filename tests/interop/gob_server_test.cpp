// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Our server gets what Go clients of GeeRPC and of net/rpc sent in gob, and must answer as the Go
// servers did.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <map>
#include <string>
#include <vector>

#include "../support/raw_socket.hpp"
#include "gob_dump.hpp"
#include "recorded.hpp"
#include "services.hpp"

namespace {

using interop::GobMessage;
using interop::GobMessages;
using interop::Session;

std::map<std::uint64_t, GobMessage> by_seq(const std::vector<GobMessage>& messages) {
  std::map<std::uint64_t, GobMessage> sorted;
  for (const GobMessage& message : messages) {
    CHECK(sorted.emplace(message.seq(), message).second);
  }
  return sorted;
}

// The text of an error, in which Go names a type with its package.
nlohmann::json without_package(nlohmann::json header) {
  if (!header.contains("Error")) return header;
  std::string text = header.at("Error").get<std::string>();  // in hex
  const std::string package = "7376632e";                    // "svc."
  const std::size_t at = text.find(package);
  if (at != text.npos) header["Error"] = text.erase(at, package.size());
  return header;
}

void check_replies(const std::vector<GobMessage>& got, const std::vector<GobMessage>& wanted) {
  REQUIRE(got.size() == wanted.size());
  const auto ours = by_seq(got);
  for (const auto& [seq, want] : by_seq(wanted)) {
    REQUIRE(ours.count(seq) == 1);
    CHECK(ours.at(seq).header == without_package(want.header));
    CHECK(ours.at(seq).body == want.body);
  }
}

// How many steps were answered byte for byte.
struct Tally {
  int same = 0, other = 0;
};

void shake_hands(test::RawSocket& socket, const Session& session) {
  socket.send_all(session.steps.front().from_client);
  const std::string& recorded = session.steps.front().from_server;
  if (recorded.empty()) return;
  // Go's status line, which Go clients compare; but lines end as HTTP says.
  const std::string answer = recorded.substr(0, recorded.find('\n')) + "\r\n\r\n";
  CHECK(socket.recv_exact(answer.size()) == answer);
}

Tally replay_by_steps(const std::string& protocol, const std::string& script) {
  CAPTURE(protocol);
  CAPTURE(script);
  const Session session(script, protocol);
  interop::TestServer server;
  test::RawSocket socket(server.address);
  shake_hands(socket, session);
  GobMessages theirs, ours;
  Tally tally;
  for (std::size_t i = 1; i < session.steps.size(); ++i) {
    const interop::Step& step = session.steps[i];
    CAPTURE(step.label);
    socket.send_all(step.from_client);
    const std::vector<GobMessage> wanted = theirs.feed(step.from_server);
    std::vector<GobMessage> got;
    std::string bytes;
    while (got.size() < wanted.size()) {
      const std::string more = socket.recv_some();
      REQUIRE_FALSE(more.empty());
      bytes += more;
      for (GobMessage& message : ours.feed(more)) got.push_back(std::move(message));
    }
    check_replies(got, wanted);
    (bytes == step.from_server ? tally.same : tally.other) += 1;
  }
  socket.half_close();
  const std::string rest = socket.recv_all();
  if (script != "nil-arg") CHECK(rest.empty());
  return tally;
}

// As one stream, cut into pieces of `size` bytes.
void replay_stream(const std::string& protocol, const std::string& script, std::size_t size) {
  CAPTURE(protocol);
  CAPTURE(script);
  CAPTURE(size);
  const Session session(script, protocol);
  interop::TestServer server;
  test::RawSocket socket(server.address);
  shake_hands(socket, session);
  const std::string rest = session.from_client.substr(session.steps.front().from_client.size());
  for (std::size_t i = 0; i < rest.size(); i += size) socket.send_all(rest.substr(i, size));
  socket.half_close();
  GobMessages theirs, ours;
  check_replies(ours.feed(socket.recv_all()),
                theirs.feed(session.from_server.substr(session.steps.front().from_server.size())));
}

}  // namespace

TEST_CASE("answers Go clients in gob as Go servers do, mostly byte for byte") {
  for (const std::string transport : {"tcp", "http"}) {
    for (const std::string protocol : {"geerpc-gob", "netrpc-gob"}) {
      const Tally tally = replay_by_steps(protocol, transport);
      // Different are the order of maps and of replies, and the names of types with packages.
      MESSAGE(protocol << " over " << transport << ": " << tally.same << " steps the same, "
                       << tally.other << " different");
      CHECK(tally.other <= 3);
    }
  }
}

TEST_CASE("answers bad arguments and unknown methods in gob with Go's texts, and goes on") {
  replay_by_steps("geerpc-gob", "bad-arg");
  replay_by_steps("netrpc-gob", "bad-arg");
  replay_by_steps("geerpc-gob", "unknown-method");
  replay_by_steps("geerpc-gob", "unknown-service");
}

TEST_CASE("answers a Go client once when the handle timeout of its option passes, in gob") {
  replay_by_steps("geerpc-gob", "handle-timeout");
}

TEST_CASE("answers all that Go clients sent in gob before they closed, however it was cut") {
  for (const std::size_t size : {1u, 7u, 512u, 1u << 20}) {
    replay_stream("geerpc-gob", "tcp", size);
    replay_stream("geerpc-gob", "http", size);
    replay_stream("netrpc-gob", "tcp", size);
    replay_stream("netrpc-gob", "http", size);
    replay_stream("netrpc-gob", "nil-arg", size);
  }
}

TEST_CASE("a header without a body, or with a part of one, gets what Go answers") {
  const Session session("nil-arg", "geerpc-gob");
  interop::TestServer server;
  const std::string whole = Session("tcp", "geerpc-gob").steps.at(1).from_client;
  const std::string header = session.steps.at(1).from_client;  // definition and value
  for (std::size_t size = header.size(); size < whole.size(); ++size) {
    CAPTURE(size);
    test::RawSocket socket(server.address);
    socket.send_all(session.steps.front().from_client + whole.substr(0, size));
    socket.half_close();
    GobMessages messages;
    const std::vector<GobMessage> got = messages.feed(socket.recv_all());
    REQUIRE(got.size() == 1);
    CHECK(got[0].seq() == 1);
    const std::string eof = "s:454f46", unexpected_eof = "s:756e657870656374656420454f46";
    CHECK(got[0].header.at("Error") == (size == header.size() ? eof : unexpected_eof));
    CHECK(got[0].body == nlohmann::json::object());
  }
  // A part of a header is no request yet.
  for (std::size_t size = 0; size < header.size(); ++size) {
    test::RawSocket socket(server.address);
    socket.send_all(session.steps.front().from_client + whole.substr(0, size));
    socket.half_close();
    CHECK(socket.recv_all().empty());
  }
}

TEST_CASE("a bad option in gob is answered as by Go: not at all") {
  interop::TestServer server;
  for (const char* option :
       {"{\"MagicNumber\":1,\"CodecType\":\"application/gob\"}\n",
        "{\"MagicNumber\":3927900,\"CodecType\":\"\"}\n", "{\"MagicNumber\":"}) {
    test::RawSocket socket(server.address);
    socket.send_all(option);
    socket.half_close();
    CHECK(socket.recv_all().empty());
  }
}

TEST_CASE("blanks between the option and a gob stream do no harm, and nothing there is lost") {
  const Session session("tcp", "geerpc-gob");
  interop::TestServer server;
  std::string option = session.steps.front().from_client;
  option.pop_back();
  for (const std::string between : {"", "\n", " \r\n\t\n"}) {
    test::RawSocket socket(server.address);
    socket.send_all(option + between + session.steps.at(1).from_client);
    const std::string& want = session.steps.at(1).from_server;
    CHECK(socket.recv_exact(want.size()) == want);
  }
}
