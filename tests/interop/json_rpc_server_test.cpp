// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Our server gets what a client of Go's net/rpc/jsonrpc sent, and must answer as Go's server did.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <map>
#include <string>

#include "../support/raw_socket.hpp"
#include "recorded.hpp"
#include "services.hpp"

namespace {

using interop::Session;

// By their ids, since calls that were sent together may be answered in any order.
std::map<std::string, std::string> replies_of(const std::string& text) {
  std::map<std::string, std::string> replies;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string id = line.substr(0, line.find(','));  // {"id":7
    CHECK(replies.emplace(id, line).second);
  }
  return replies;
}

void check_replies(const std::string& got, const std::string& recorded) {
  const auto replies = replies_of(got), expected = replies_of(recorded);
  REQUIRE(replies.size() == expected.size());
  for (const auto& [id, want] : expected) {
    REQUIRE(replies.count(id) == 1);
    const std::string& reply = replies.at(id);
    const std::string begin = id + ",\"result\":null,\"error\":\"";
    if (want.rfind(begin + "json: ", 0) == 0) {  // the text of Go's own decoder, in Go's own terms
      CHECK(reply.rfind(begin, 0) == 0);
      CHECK(reply.size() > begin.size() + 2);
    } else {
      CHECK(reply == want);
    }
  }
}

void replay_lines_by_steps(const std::string& script) {
  CAPTURE(script);
  const Session session(script, "jsonrpc");
  geerpc::Server server;
  interop::add_services(server);
  test::RawSocket socket(server.listen("tcp@127.0.0.1:0").str());
  for (const interop::Step& step : session.steps) {
    CAPTURE(step.label);
    socket.send_all(step.from_client);
    std::string got;
    const auto lines = std::count(step.from_server.begin(), step.from_server.end(), '\n');
    for (std::ptrdiff_t i = 0; i < lines; ++i) got += socket.recv_until("\n");
    check_replies(got, step.from_server);
  }
  socket.half_close();
  CHECK(socket.recv_all() == "");
}

// As one stream, cut into pieces of `size` bytes.
void replay_lines(const std::string& script, std::size_t size) {
  CAPTURE(script);
  CAPTURE(size);
  const Session session(script, "jsonrpc");
  geerpc::Server server;
  interop::add_services(server);
  test::RawSocket socket(server.listen("tcp@127.0.0.1:0").str());
  const std::string& all = session.from_client;
  for (std::size_t i = 0; i < all.size(); i += size) socket.send_all(all.substr(i, size));
  socket.half_close();
  check_replies(socket.recv_all(), session.from_server);
}

}  // namespace

TEST_CASE("answers a Go client of net/rpc/jsonrpc byte for byte") { replay_lines_by_steps("tcp"); }

TEST_CASE("answers a Go client's bad and missing arguments of jsonrpc as Go does") {
  replay_lines_by_steps("bad-arg");
  replay_lines_by_steps("nil-arg");
}

TEST_CASE("answers all that a Go client of jsonrpc sent before it closed its half") {
  for (const std::size_t size : {1u, 7u, 512u, 1u << 20}) {
    replay_lines("tcp", size);
    replay_lines("bad-arg", size);
  }
}
