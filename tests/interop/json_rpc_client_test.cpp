// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Our client makes the calls that a client of Go's net/rpc/jsonrpc made, gets what Go's server
// answered, and must send the same bytes and see the same results.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "../support/raw_socket.hpp"
#include "calls.hpp"
#include "recorded.hpp"

namespace {

using namespace interop;

// The first argument in the params of a request, and the result in a reply, as they were written.
std::string part_of(const std::string& line, const std::string& begin, const std::string& end) {
  const std::size_t from = line.find(begin) + begin.size();
  return line.substr(from, line.rfind(end) - from);
}
std::string argument(const std::string& line) { return part_of(line, "\"params\":[", "],\"id\""); }
std::string result(const std::string& line) { return part_of(line, "\"result\":", ",\"error\""); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Plays Go's server to one client: takes as many requests as were recorded for a step, then sends
// the recorded bytes.
struct JsonRpcServer {
  test::RawListener listener;
  Session session;
  std::string received;
  std::thread thread{[this] { run(); }};

  explicit JsonRpcServer(const std::string& script) : session(script, "jsonrpc") {}
  ~JsonRpcServer() {
    if (thread.joinable()) thread.join();
  }
  void run() {
    try {
      test::RawSocket socket = listener.accept();
      for (const Step& step : session.steps) {
        if (step.from_client.empty()) continue;  // the Go client had given up the connection
        for (std::size_t n = 0; n < step.calls.size(); ++n) received += socket.recv_until("\n");
        socket.send_all(step.from_server);
      }
      socket.wait_closed();
    } catch (const std::exception& failure) {
      received += failure.what();
    }
  }
};

void replay_json_rpc(const std::string& script) {
  CAPTURE(script);
  JsonRpcServer server(script);
  geerpc::ClientOptions options;
  options.protocol = geerpc::Protocol::json_rpc_1;
  std::string expected;
  {
    geerpc::Client client("tcp@127.0.0.1:" + std::to_string(server.listener.port()), options);
    for (const Step& step : server.session.steps) {
      if (step.from_client.empty()) continue;
      CAPTURE(step.label);
      expected += step.from_client;
      const auto requests = lines_of(step.from_client);
      std::map<std::string, std::string> replies;  // by {"id":…
      for (const std::string& line : lines_of(step.from_server)) {
        replies[line.substr(6, line.find(',') - 6)] = line;
      }
      std::vector<Finish> calls;
      for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto& call = step.calls.at(i);
        calls.push_back(
            starter(call)(client, call.at("method").get<std::string>(), argument(requests[i])));
      }
      for (std::size_t i = 0; i < calls.size(); ++i) {
        const std::size_t id = requests[i].rfind(':') + 1;
        const std::string& reply = replies.at(requests[i].substr(id, requests[i].size() - id - 1));
        check_outcome(calls[i](), step.calls.at(i), result(reply));
      }
    }
  }
  server.thread.join();
  CHECK(server.received == expected);
}

}  // namespace

TEST_CASE("sends byte for byte what a Go client of jsonrpc sends, and understands the answers") {
  replay_json_rpc("tcp");
}

TEST_CASE("understands the errors of Go's jsonrpc") {
  replay_json_rpc("bad-arg");
  replay_json_rpc("nil-arg");
}
