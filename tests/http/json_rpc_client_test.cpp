// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The client for JSON-RPC over HTTP, against our server and against others in literal bytes.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "../support/eventually.hpp"
#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;
using geerpc::Context;
using geerpc::Error;
using geerpc::JsonRpcHttpClient;
using geerpc::StatusCode;

namespace {

template <class F>
Error error_of(F call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return {StatusCode::ok, ""};
}

// Answers one request with these bytes, and keeps what it got.
struct OneAnswer {
  explicit OneAnswer(std::string text) : answer(std::move(text)) {}
  ~OneAnswer() { thread.join(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener.port()); }

  test::RawListener listener;
  std::string answer, head, body;
  std::thread thread{[this] {
    try {
      test::RawSocket peer = listener.accept();
      head = peer.recv_until("\r\n\r\n");
      const std::size_t at = head.find("Content-Length: ") + 16;
      body = peer.recv_exact(std::stoul(head.substr(at)));
      peer.send_all(answer);
    } catch (const std::exception& failure) {
      head = failure.what();
    }
  }};
};

std::string ok(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

TEST_SUITE("JSON-RPC over HTTP, the client") {
  TEST_CASE("it calls our server, notifies it, and gets its errors") {
    geerpc::Server server;
    std::atomic<int> heard{0};
    server.add("Math.Add", [](int a, int b) { return a + b; });
    server.add("Math.Nothing", [] {});
    server.add("Say.This", [&](int n) { heard += n; });
    server.add("Fail.Now", []() -> int { throw Error(StatusCode::permission_denied, "no"); });
    geerpc::serve_http(server);
    const std::uint16_t port = server.listen("tcp@127.0.0.1:0").port();
    const std::string host = "http://127.0.0.1:" + std::to_string(port);
    const JsonRpcHttpClient client(host);
    CHECK(client.call<int>("Math.Add", 3, 4) == 7);
    CHECK_NOTHROW(client.call<void>("Math.Nothing"));
    CHECK_NOTHROW(client.notify("Say.This", 5));
    CHECK(test::eventually([&] { return heard == 5; }));
    const Error denied = error_of([&] { client.call<int>("Fail.Now"); });
    CHECK(denied.code() == StatusCode::permission_denied);
    CHECK(denied.cause() == "no");
    CHECK(denied.address() == host + "/jsonrpc");
    CHECK(error_of([&] { client.call<int>("Math.Nope"); }).code() == StatusCode::unimplemented);
    CHECK(error_of([&] {
            JsonRpcHttpClient(host + "/other").call<int>("Math.Add", 1, 2);
          }).code() == StatusCode::not_found);
  }

  TEST_CASE("it posts what the specification says") {
    OneAnswer server(ok("{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":0}"));
    geerpc::JsonRpcHttpClientOptions options;
    options.headers["Authorization"] = "Bearer token";
    CHECK(JsonRpcHttpClient(server.url() + "/api?x=1", options).call<int>("sum", 3, 4) == 7);
    CHECK(server.head.substr(0, 28) == "POST /api?x=1 HTTP/1.1\r\n" + server.head.substr(24, 4));
    CHECK(server.head.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
    CHECK(server.head.find("\r\nAuthorization: Bearer token\r\n") != std::string::npos);
    CHECK(server.body == "{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"id\":0,\"params\":[3,4]}\n");
  }

  TEST_CASE("errors with any status are understood, and nonsense is an error") {
    const auto code = [](const std::string& answer) {
      OneAnswer server(answer);
      return error_of([&] { JsonRpcHttpClient(server.url()).call<int>("a.b"); }).code();
    };
    CHECK(code(ok("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"x\"},\"id\":0}",
                  "404 Not Found")) == StatusCode::unimplemented);
    CHECK(code("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") == StatusCode::unavailable);
    CHECK(code("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhtml") == StatusCode::data_loss);
    CHECK(code("HTTP/1.1 204 OK\r\n\r\n") == StatusCode::data_loss);
    CHECK(code(ok("{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":1}")) == StatusCode::data_loss);
    CHECK(code(ok("{\"jsonrpc\":\"2.0\",\"result\":\"text\",\"id\":0}")) ==
          StatusCode::invalid_argument);
    CHECK(code(ok("[1")) != StatusCode::ok);
    CHECK(code("nonsense\r\n\r\n") != StatusCode::ok);
  }

  TEST_CASE("a call ends at its deadline") {
    test::RawListener listener;  // accepts and says nothing
    const JsonRpcHttpClient client("http://127.0.0.1:" + std::to_string(listener.port()));
    const Error late =
        error_of([&] { client.call<int>(Context::with_timeout(50ms), "Math.Add", 1, 2); });
    CHECK(late.code() == StatusCode::deadline_exceeded);
  }
}
