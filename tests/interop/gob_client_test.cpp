// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Our client makes in gob the calls that Go clients of GeeRPC and of net/rpc made, gets what the Go
// servers answered, and must send the same requests and see the same results.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <exception>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "../support/raw_socket.hpp"
#include "calls.hpp"
#include "gob_dump.hpp"
#include "recorded.hpp"
#include "services.hpp"

namespace {

using namespace interop;

// The arguments of the scripts about errors that are of types of their own.
struct Texts {
  std::string Num1, Num2;
};
GEERPC_FIELDS(Texts, Num1, Num2)
struct Unsigned {
  std::uint64_t Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Unsigned, Num1, Num2)
struct OneInCommon {
  Int Num2 = 0;
  std::string Other;
};
GEERPC_FIELDS(OneInCommon, Num2, Other)

// By the Go types of argument and result.
Start gob_starter(const nlohmann::json& call) {
  static const std::map<std::string, Start> by_types{
      {"svc.Args *int", start<Args, Int>},
      {"svc.Args *string", start<Args, std::string>},
      {"svc.ArithArgs *int", start<ArithArgs, Int>},
      {"string *int", start<std::string, Int>},
      {"struct { Num1 string; Num2 string } *int", start<Texts, Int>},
      {"struct { Num1 uint; Num2 uint } *int", start<Unsigned, Int>},
      {"struct { Num2 int; Other string } *int", start<OneInCommon, Int>},
      {"float64 *float32", start<double, float>},
      {"svc.ArithArgs *svc.Reply", start<ArithArgs, Reply>},
      {"*svc.ArithArgs *svc.Reply", start<ArithArgs, Reply>},
      {"string *string", echo<std::string>()},
      {"svc.ArithArgs *map[int]int", start<ArithArgs, std::map<Int, Int>>},
      {"svc.ArithArgs *[]int", start<ArithArgs, std::vector<Int>>},
      {"svc.ArithArgs *[2]int", start<ArithArgs, std::array<Int, 2>>},
      {"svc.SinkData *svc.SinkData", echo<SinkData>()},
      {"svc.SinkData *string", start<SinkData, std::string>},
      {"int64 *int64", echo<std::int64_t>()},
      {"uint64 *uint64", echo<std::uint64_t>()},
      {"float64 *float64", echo<double>()},
      {"float32 *float32", echo<float>()},
      {"bool *bool", echo<bool>()},
      {"[]uint8 *[]uint8", echo<Bytes>()},
      {"[]int *[]int", echo<std::vector<Int>>()},
      {"[]string *[]string", echo<std::vector<std::string>>()},
      {"[]svc.Item *[]svc.Item", echo<std::vector<Item>>()},
      {"[3]int *[3]int", echo<std::array<Int, 3>>()},
      {"map[string]int *map[string]int", echo<std::map<std::string, Int>>()},
      {"map[int]string *map[int]string", echo<std::map<Int, std::string>>()},
      {"map[string]svc.Item *map[string]svc.Item", echo<std::map<std::string, Item>>()},
      {"map[string][]int *map[string][]int", echo<std::map<std::string, std::vector<Int>>>()},
      {"svc.Item *svc.Item", echo<Item>()},
      {"*svc.Item *svc.Item", echo<Item>()},
      {"svc.Empty *svc.Empty", echo<Empty>()},
  };
  return by_types.at(call.at("args_type").get<std::string>() + " " +
                     call.at("reply_type").get<std::string>());
}

// Without what gob does not tell apart from nothing: nil and empty.
nlohmann::json without_empty(const nlohmann::json& value) {
  if (value.is_array()) {
    nlohmann::json result = nlohmann::json::array();
    for (const auto& element : value) result.push_back(without_empty(element));
    return result.empty() ? nlohmann::json() : result;
  }
  if (!value.is_object()) return value == "" ? nlohmann::json() : value;
  nlohmann::json result = nlohmann::json::object();
  for (const auto& [key, member] : value.items()) {
    nlohmann::json kept = without_empty(member);
    if (!kept.is_null()) result[key] = std::move(kept);
  }
  return result.empty() ? nlohmann::json() : result;
}

// Plays the Go server to one client: takes as many requests as were recorded for a step, then sends
// the recorded bytes.
struct GobServer {
  test::RawListener listener;
  Session session;
  bool has_option = false;
  std::string option;
  std::vector<GobMessage> requests;
  std::exception_ptr failure;
  std::thread thread;

  GobServer(const std::string& script, const std::string& protocol)
      : session(script, protocol), has_option(protocol == "geerpc-gob") {
    thread = std::thread([this] {
      try {
        run();
      } catch (...) {
        failure = std::current_exception();
      }
    });
  }
  ~GobServer() {
    if (thread.joinable()) thread.join();
  }
  void run() {
    test::RawSocket socket = listener.accept();
    const std::string& handshake = session.steps.front().from_server;
    if (!handshake.empty()) {
      CHECK(socket.recv_until("\n\r\n").rfind(
                has_option ? "CONNECT /_geeprc_ " : "CONNECT /_goRPC_ ", 0) == 0);
      CHECK(socket.silent_for(std::chrono::milliseconds(20)));  // Go would lose what comes now
      socket.send_all(handshake);
    }
    if (has_option) option = socket.recv_exact(512);
    GobMessages messages;
    for (std::size_t i = 1; i < session.steps.size(); ++i) {
      const Step& step = session.steps[i];
      if (step.from_client.empty()) continue;  // the Go client had given up the connection
      for (std::size_t n = 0; n < step.calls.size();) {
        const std::string more = socket.recv_some();
        if (more.empty()) throw std::runtime_error("the client closed early");
        for (GobMessage& message : messages.feed(more)) {
          requests.push_back(std::move(message));
          ++n;
        }
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

void check_gob_outcome(const Outcome& outcome, const nlohmann::json& call) {
  if (!call.contains("error")) {
    INFO((outcome.error ? outcome.error->what() : ""));
    REQUIRE_FALSE(outcome.error);
    const auto result = nlohmann::json::parse(outcome.result);
    CHECK(without_empty(result) == without_empty(call.at("reply")));
    return;
  }
  REQUIRE(outcome.error);
  CHECK(outcome.error->cause() == call.at("error").get<std::string>());
}

geerpc::ClientOptions options_for(const std::string& protocol) {
  geerpc::ClientOptions options;
  options.codec = &geerpc::gob_codec();
  if (protocol == "netrpc-gob") options.protocol = geerpc::Protocol::net_rpc;
  return options;
}

void replay_gob(const std::string& protocol, const std::string& script,
                const std::string& scheme = "tcp") {
  CAPTURE(protocol);
  CAPTURE(script);
  GobServer server(script, protocol);
  {
    const std::string port = std::to_string(server.listener.port());
    geerpc::Client client(scheme + "@127.0.0.1:" + port, options_for(protocol));
    for (const Step& step : server.session.steps) {
      if (step.from_client.empty() || step.calls.is_null()) continue;
      CAPTURE(step.label);
      std::vector<Finish> calls;
      for (const auto& call : step.calls) {
        calls.push_back(gob_starter(call)(client, call.at("method").get<std::string>(),
                                          call.at("args").dump()));
      }
      for (std::size_t i = 0; i < calls.size(); ++i)
        check_gob_outcome(calls[i](), step.calls.at(i));
    }
  }
  server.finish();

  if (server.has_option) {
    CHECK(server.option.back() == '\n');
    const auto option = nlohmann::json::parse(server.option);
    CHECK(option.at("MagicNumber") == 3927900);
    CHECK(option.at("CodecType") == "application/gob");
  }
  std::string recorded;
  for (std::size_t i = 1; i < server.session.steps.size(); ++i) {
    recorded += server.session.steps[i].from_client;
  }
  GobMessages messages;
  const std::vector<GobMessage> expected = messages.feed(recorded);
  REQUIRE(server.requests.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    // What is our own is skipped by a Go server: the deadline of a call that waited for the
    // dialling.
    nlohmann::json header = server.requests[i].header;
    header.erase("Timeout");
    CHECK(header == expected[i].header);
    CHECK(without_empty(server.requests[i].body) == without_empty(expected[i].body));
  }
}

}  // namespace

TEST_CASE("understands Go servers in gob over TCP and sends what Go clients send") {
  replay_gob("geerpc-gob", "tcp");
  replay_gob("netrpc-gob", "tcp");
}

TEST_CASE("understands Go servers in gob over HTTP CONNECT and waits for their answers") {
  replay_gob("geerpc-gob", "http", "http");
  replay_gob("netrpc-gob", "http", "http");
}

TEST_CASE("understands Go servers' errors in gob") {
  replay_gob("geerpc-gob", "bad-arg");
  replay_gob("netrpc-gob", "bad-arg");
  replay_gob("geerpc-gob", "handle-timeout");
  replay_gob("geerpc-gob", "unknown-method");
  replay_gob("geerpc-gob", "unknown-service");
}

TEST_CASE("the first request of a net/rpc client is, byte for byte, that of a Go client") {
  test::RawListener listener;
  const std::string expected = Session("tcp", "netrpc-gob").steps.at(1).from_client;
  std::thread server([&] {
    test::RawSocket socket = listener.accept();
    CHECK(socket.recv_exact(expected.size()) == expected);
    socket.send_all(Session("tcp", "netrpc-gob").steps.at(1).from_server);
    socket.wait_closed();
  });
  {
    geerpc::Client client(listener.address(), options_for("netrpc-gob"));
    CHECK(client.call<Int>("Foo.Sum", Args{3, 4}) == 7);
  }
  server.join();
}

TEST_CASE("gives the errors of Go servers in gob, which are mere texts, their codes") {
  const auto code_of = [&](const std::string& script, const std::string& protocol) {
    GobServer server(script, protocol);
    geerpc::Client client(server.listener.address(), options_for(protocol));
    const auto& call = server.session.steps.at(1).calls.at(0);
    const auto result = client.try_call<Int>(call.at("method").get<std::string>(), Args{300, 1});
    client.close();
    return result.error();
  };
  CHECK(code_of("unknown-method", "geerpc-gob").code() == geerpc::StatusCode::unimplemented);
  CHECK(code_of("unknown-service", "geerpc-gob").code() == geerpc::StatusCode::not_found);
  CHECK(code_of("handle-timeout", "geerpc-gob").code() == geerpc::StatusCode::deadline_exceeded);
  CHECK_FALSE(code_of("unknown-method", "geerpc-gob").may_have_run());
}
