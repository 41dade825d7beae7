// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>
#include <random>

#include "../support/eventually.hpp"
#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;

namespace {

void echo(const httplib::Request& request, httplib::Response& response) {
  if (request.path == "/throw") throw std::runtime_error("no");
  if (request.path == "/big") return response.set_content(std::string(8 << 20, 'b'), "text/plain");
  if (request.path == "/headers") {
    std::string text;
    for (const auto& header : request.headers) text += header.first + '=' + header.second + '\n';
    return response.set_content(text, "text/plain");
  }
  response.set_content(request.path + "|" + request.get_header_value("X"), "text/plain");
}

geerpc::detail::HttpLimits within(geerpc::detail::SteadyClock::duration time) {
  geerpc::detail::HttpLimits limits;
  limits.time = time;
  return limits;
}

// A server that echoes, and connections to it.
struct Echo {
  explicit Echo(geerpc::detail::HttpLimits limits = {})
      : server(echo, limits), address(server.listen("http@127.0.0.1:0").str()) {}

  // Everything that comes back until the server closes.
  std::string all(const std::string& bytes) {
    test::RawSocket socket(address);
    socket.try_send_all(bytes);
    return socket.recv_all();
  }
  std::string status(const std::string& bytes) {
    const std::string answer = all(bytes);
    return answer.substr(0, answer.find('\r'));
  }
  static std::string body(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  geerpc::detail::HttpServer server;
  std::string address;
};

constexpr const char* kOk = "HTTP/1.1 200 OK";

// Of this process, in KiB.
long peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_SUITE("http server") {
  TEST_CASE("answers one request per connection") {
    Echo echo;
    const std::string answer = echo.all(
        "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX: y\r\nConnection: keep-alive\r\n\r\n"
        "GET /2 HTTP/1.1\r\n\r\n");
    CHECK(answer.substr(0, answer.find('\r')) == kOk);
    CHECK(answer.find("\r\nConnection: close\r\n") != answer.npos);
    CHECK(Echo::body(answer) == "/a|y");
  }

  TEST_CASE("takes lines that end with a bare LF, and a body behind them") {
    Echo echo;
    CHECK(Echo::body(echo.all("POST /x HTTP/1.0\nX: y\nContent-Length: 5\n\nhello")) == "/x|y");
  }

  TEST_CASE("answers a request that arrives byte by byte, at once when its last byte is there") {
    Echo echo;
    test::RawSocket socket(echo.address);
    for (const char c : std::string("POST /slow HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")) {
      socket.send_all(std::string(1, c));
    }
    CHECK(Echo::body(socket.recv_all()) == "/slow|");
  }

  TEST_CASE("does not wait for the body of a POST without a length") {
    Echo echo(within(60s));
    const auto begin = test::Clock::now();
    CHECK(echo.status("POST / HTTP/1.1\r\nHost: x\r\n\r\n") == kOk);
    CHECK(test::Clock::now() - begin < 3s * test::kSlowdown);
  }

  TEST_CASE("answers HEAD without a body") {
    Echo echo;
    CHECK(Echo::body(echo.all("HEAD /a HTTP/1.0\r\n\r\n")).empty());
  }

  TEST_CASE("sends an answer of any size to a peer that reads slowly") {
    Echo echo;
    test::RawSocket socket(echo.address, 4096);
    socket.send_all("GET /big HTTP/1.1\r\n\r\n");
    CHECK(Echo::body(socket.recv_all()) == std::string(8 << 20, 'b'));
  }

  TEST_CASE("passes on no ranges, since many of them would multiply the answer") {
    Echo echo;
    std::string ranges = "0-";
    for (int i = 0; i < 2000; ++i) ranges += ",0-";
    const std::string answer =
        echo.all("GET /headers HTTP/1.1\r\nrAnge: bytes=" + ranges + "\r\n\r\n");
    CHECK(answer.substr(0, answer.find('\r')) == kOk);
    CHECK(answer.find("bytes=") == answer.npos);
  }

  TEST_CASE("turns an exception of the handler into 500 and lives on") {
    Echo echo;
    CHECK(echo.status("GET /throw HTTP/1.0\r\n\r\n") == "HTTP/1.1 500 Internal Server Error");
    CHECK(echo.status("GET / HTTP/1.0\r\n\r\n") == kOk);
  }

  TEST_CASE("refuses what is not HTTP with the reason's status") {
    Echo echo;
    CHECK(echo.status("\r\n\r\n") == "HTTP/1.1 400 Bad Request");
    CHECK(echo.status("GET /\r\n\r\n") == "HTTP/1.1 400 Bad Request");
    CHECK(echo.status("GET / HTTP/2.0\r\n\r\n") == "HTTP/1.1 400 Bad Request");
    CHECK(echo.status("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n") ==
          "HTTP/1.1 400 Bad Request");
    CHECK(echo.status("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n") == "HTTP/1.1 400 Bad Request");
    CHECK(echo.status("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n") ==
          "HTTP/1.1 400 Bad Request");
    CHECK(echo.status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "HTTP/1.1 411 Length Required");
    CHECK(echo.status("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n") ==
          "HTTP/1.1 413 Content Too Large");
    CHECK(echo.status("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n") ==
          "HTTP/1.1 413 Content Too Large");
    CHECK(echo.status("POST / HTTP/1.1\r\nContent-Length: 65536\r\n\r\n" +
                      std::string(65536, 'x')) == kOk);
  }

  TEST_CASE("refuses a header of many megabytes, and a line that never ends, at bounded cost") {
    Echo echo;
    const std::string endless(8 << 20, 'x');
    const std::string header = "GET / HTTP/1.1\r\nA: " + endless + "\r\n\r\n";
    const long before = peak_memory();
    CHECK(echo.status(header) == "HTTP/1.1 431 Request Header Fields Too Large");
    CHECK(echo.status(endless) == "HTTP/1.1 431 Request Header Fields Too Large");
    CHECK(peak_memory() - before < 8 << 10);  // not even one of them
    std::string many = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 3000; ++i) many += "A: b\r\n";
    CHECK(echo.status(many + "\r\n") == "HTTP/1.1 431 Request Header Fields Too Large");
  }

  TEST_CASE("survives random bytes") {
    Echo echo;
    std::mt19937 random(7);
    for (int i = 0; i < 50; ++i) {
      std::string bytes = i % 2 == 0 ? "" : "GET / HTTP/1.1\r\n";
      for (int n = 0; n < 300; ++n) bytes += static_cast<char>(random());
      test::RawSocket socket(echo.address);
      socket.try_send_all(bytes + "\r\n\r\n");
      socket.half_close();
      socket.wait_closed();
    }
    CHECK(echo.status("GET / HTTP/1.0\r\n\r\n") == kOk);
  }

  TEST_CASE("drops a peer that is silent, or sends half a request and falls silent") {
    Echo echo(within(50ms));
    for (const char* part :
         {"", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na"}) {
      test::RawSocket socket(echo.address);
      socket.send_all(part);
      CHECK(socket.wait_closed());
    }
  }

  TEST_CASE("drops a peer that sends a byte now and then, at the same time") {
    Echo echo(within(100ms));
    test::RawSocket socket(echo.address);
    const auto begin = test::Clock::now();
    CHECK(test::eventually([&] { return !socket.try_send_all("x"); }));
    CHECK(test::Clock::now() - begin < 5s * test::kSlowdown);
  }

  TEST_CASE("serves others while a thousand peers are silent") {
    Echo echo(within(60s));
    std::vector<test::RawSocket> silent;
    for (int i = 0; i < 200; ++i) silent.emplace_back(echo.address);
    const auto begin = test::Clock::now();
    CHECK(echo.status("GET / HTTP/1.0\r\n\r\n") == kOk);
    CHECK(test::Clock::now() - begin < 3s * test::kSlowdown);
    // More than it takes: the oldest make room.
    for (int i = 0; i < 800; ++i) silent.emplace_back(echo.address);
    CHECK(echo.status("GET / HTTP/1.0\r\n\r\n") == kOk);
    CHECK(silent.front().wait_closed());
  }

  TEST_CASE("answers a hundred that ask at the same time") {
    Echo echo(within(60s));
    std::vector<test::RawSocket> askers;
    for (int i = 0; i < 100; ++i) askers.emplace_back(echo.address);
    for (auto& asker : askers) asker.send_all("GET / HTTP/1.1\r\n\r\n");
    for (auto& asker : askers) CHECK(asker.recv_all().substr(0, 15) == kOk);
  }

  TEST_CASE("survives peers that go away without reading, and leaves SIGPIPE as it was") {
    struct sigaction before {
    }, after{};
    ::sigaction(SIGPIPE, nullptr, &before);
    REQUIRE((before.sa_handler == SIG_DFL));
    Echo echo;
    for (int i = 0; i < 100; ++i) {
      test::RawSocket socket(echo.address);
      socket.send_all(i % 10 == 0 ? "GET /big HTTP/1.1\r\n\r\n" : "GET /1 HTTP/1.1\r\n\r\n");
      socket.reset();
    }
    CHECK(echo.status("GET / HTTP/1.0\r\n\r\n") == kOk);
    ::sigaction(SIGPIPE, nullptr, &after);
    CHECK((after.sa_handler == SIG_DFL));
  }

  TEST_CASE("stops at once with idle, half-open and new connections") {
    Echo echo(within(60s));
    test::RawSocket idle(echo.address), half(echo.address), big(echo.address, 4096);
    half.send_all("GET / HT");
    big.send_all("GET /big HTTP/1.1\r\n\r\n");
    big.recv_until("\r\n\r\n");
    const auto begin = test::Clock::now();
    echo.server.stop();
    echo.server.stop();
    CHECK(test::Clock::now() - begin < 3s * test::kSlowdown);
    CHECK(idle.wait_closed());
    CHECK(half.wait_closed());
    CHECK(big.wait_closed());
    CHECK_THROWS_AS(echo.server.listen("http@127.0.0.1:0"), geerpc::Error);
  }

  TEST_CASE("starts and stops again and again") {
    for (int i = 0; i < 50; ++i) Echo();
  }

  TEST_CASE("fails loudly if the port is taken, and if it listens twice") {
    Echo echo;
    geerpc::detail::HttpServer second(::echo);
    try {
      second.listen(echo.address);
      FAIL("two servers share a port");
    } catch (const geerpc::Error& error) {
      CHECK(error.code() == geerpc::StatusCode::unavailable);
      CHECK(std::string(error.what()).find("in use") != std::string::npos);
    }
    CHECK_THROWS_AS(echo.server.listen("http@127.0.0.1:0"), geerpc::Error);
  }
}
