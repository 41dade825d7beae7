// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Our client makes the calls that a Go GeeRPC client made, gets what the Go server answered, and
// must send the same requests and see the same results.

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

// Plays the Go server to one client: takes as many requests as were recorded for a step, then sends
// the recorded bytes. Go reads the option from one segment of 512 bytes.
struct GoServer {
  test::RawListener listener;
  Session session;
  std::string option;
  std::vector<Message> requests;
  std::exception_ptr failure;
  std::thread thread{[this] {
    try {
      run();
    } catch (...) {
      failure = std::current_exception();
    }
  }};

  explicit GoServer(const std::string& script) : session(script) {}
  ~GoServer() {
    if (thread.joinable()) thread.join();
  }
  void run() {
    test::RawSocket socket = listener.accept();
    const std::string& handshake = session.steps.front().from_server;
    if (!handshake.empty()) {
      socket.recv_until("\n\r\n");
      CHECK(socket.silent_for(std::chrono::milliseconds(20)));  // Go would lose what comes now
      socket.send_all(handshake);
    }
    option = socket.recv_exact(512);
    for (std::size_t i = 1; i < session.steps.size(); ++i) {
      const Step& step = session.steps[i];
      if (step.from_client.empty()) continue;  // the Go client had given up the connection
      for (std::size_t n = 0; n < step.calls.size(); ++n) {
        Message request;
        request.header = socket.recv_until("\n");
        request.body = socket.recv_until("\n");
        request.body.pop_back();
        requests.push_back(std::move(request));
      }
      socket.send_all(step.from_server);
    }
    socket.wait_closed();
  }
  void finish() {
    thread.join();
    if (failure) std::rethrow_exception(failure);
  }
};

void replay(const std::string& script, const std::string& scheme = "tcp") {
  CAPTURE(script);
  GoServer server(script);
  geerpc::ClientOptions options;
  options.codec = &geerpc::json_codec();
  {
    const std::string port = std::to_string(server.listener.port());
    geerpc::Client client(scheme + "@127.0.0.1:" + port, options);
    for (const Step& step : server.session.steps) {
      if (step.from_client.empty() || step.calls.is_null()) continue;
      CAPTURE(step.label);
      std::vector<Finish> calls;
      const auto requests = parse_messages(step.from_client);
      for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto& call = step.calls.at(i);
        calls.push_back(
            starter(call)(client, call.at("method").get<std::string>(), requests[i].body));
      }
      std::map<std::uint64_t, Message> replies;
      for (const Message& reply : parse_messages(step.from_server)) replies[reply.seq()] = reply;
      for (std::size_t i = 0; i < calls.size(); ++i) {
        check_outcome(calls[i](), step.calls.at(i), replies.at(requests[i].seq()).body);
      }
    }
  }
  server.finish();

  // The option, as Go reads it, and the same requests.
  CHECK(server.option.back() == '\n');
  const auto option = nlohmann::json::parse(server.option);
  CHECK(option.at("MagicNumber") == 3927900);
  CHECK(option.at("CodecType") == "application/json");
  std::string recorded;
  for (std::size_t i = 1; i < server.session.steps.size(); ++i) {
    recorded += server.session.steps[i].from_client;
  }
  const auto expected = parse_messages(recorded);
  REQUIRE(server.requests.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(server.requests[i].seq() == expected[i].seq());
    CHECK(server.requests[i].field("ServiceMethod") == expected[i].field("ServiceMethod"));
    CHECK(server.requests[i].field("Error") == "");
    CHECK(server.requests[i].body == expected[i].body);
  }
}

}  // namespace

TEST_CASE("understands a Go server over TCP and sends what a Go client sends") { replay("tcp"); }

TEST_CASE("understands a Go server over HTTP CONNECT and waits for its answer") {
  replay("http", "http");
}

TEST_CASE("understands a Go server's errors") {
  replay("bad-arg");
  replay("nil-arg");
  replay("handle-timeout");
}

TEST_CASE("ignores the replies to nobody that a Go server sends after an unknown method") {
  replay("unknown-method");
  replay("unknown-service");
}

TEST_CASE("gives the errors of a Go server, which are mere texts, their codes") {
  geerpc::ClientOptions options;
  options.codec = &geerpc::json_codec();
  const auto code_of = [&](const std::string& script) {
    GoServer server(script);
    const Step& step = server.session.steps.at(1);
    geerpc::Client client("tcp@127.0.0.1:" + std::to_string(server.listener.port()), options);
    const std::string method = step.calls.at(0).at("method").get<std::string>();
    const auto result = client.try_call<int>(method, Args{3, 4});
    // The server thread goes on to the session's next step.
    CHECK(client.call<int>("Foo.Sum", Args{3, 4}) == 7);
    client.close();
    server.finish();
    return result.error();
  };
  CHECK(code_of("unknown-method").code() == geerpc::StatusCode::unimplemented);
  CHECK(code_of("unknown-service").code() == geerpc::StatusCode::not_found);
  CHECK(code_of("handle-timeout").code() == geerpc::StatusCode::deadline_exceeded);
  CHECK_FALSE(code_of("unknown-method").may_have_run());
  CHECK(code_of("handle-timeout").may_have_run());
}
