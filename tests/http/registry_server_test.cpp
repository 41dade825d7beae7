// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

#include "../support/eventually.hpp"
#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::StatusCode;

namespace {

// A registry server, and requests to it byte by byte.
struct Served {
  explicit Served(geerpc::RegistryServerOptions options = {})
      : server(registry, std::move(options)),
        address("http@127.0.0.1:" + std::to_string(server.listen("127.0.0.1:0"))) {}

  std::string ask(const std::string& request) {
    test::RawSocket socket(address);
    socket.send_all(request);
    socket.half_close();
    return socket.recv_all();
  }
  std::string send(const std::string& method, const std::string& headers = "",
                   const std::string& path = geerpc::kRegistryPath) {
    return ask(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
               "\r\n");
  }
  static std::string status(const std::string& answer) { return answer.substr(9, 3); }
  static std::string body(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  std::string listed() {
    const std::string answer = send("GET");
    const std::string name = "X-Geerpc-Servers: ";
    const std::size_t begin = answer.find(name) + name.size();
    return answer.substr(begin, answer.find('\r', begin) - begin);
  }

  geerpc::Registry registry;
  geerpc::RegistryServer server;
  std::string address;
};

// The lines of an answer in a fixed order, without those that say nothing to Go's clients.
std::vector<std::string> same_lines(const std::string& answer) {
  std::vector<std::string> lines;
  std::istringstream in(answer);
  for (std::string line; std::getline(in, line);) {
    if (line != "Connection: close\r" && line != "Accept-Ranges: bytes\r") lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_SUITE("registry server") {
  TEST_CASE("answers a recorded session of Go and curl with the same headers") {
    struct {
      const char* request;
      const char* response;
    } const session[] = {
        {"POST /_geerpc_/registry HTTP/1.1\r\nHost: 127.0.0.1:9996\r\nUser-Agent: "
         "Go-http-client/1.1\r\nContent-Length: 0\r\nX-Geerpc-Server: tcp@[::]:43211\r\n"
         "Accept-Encoding: gzip\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {"POST /_geerpc_/registry HTTP/1.1\r\nHost: 127.0.0.1:9996\r\nUser-Agent: "
         "Go-http-client/1.1\r\nContent-Length: 0\r\nX-Geerpc-Server: http@127.0.0.1:7002\r\n"
         "Accept-Encoding: gzip\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {"GET /_geerpc_/registry HTTP/1.1\r\nHost: 127.0.0.1:9996\r\nUser-Agent: "
         "Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n",
         "HTTP/1.1 200 OK\r\nX-Geerpc-Servers: http@127.0.0.1:7002,tcp@[::]:43211\r\n"
         "Content-Length: 0\r\n\r\n"},
        {"POST /_geerpc_/registry HTTP/1.1\r\nHost: 127.0.0.1:9996\r\nUser-Agent: curl/7.88.1\r\n"
         "Accept: */*\r\n\r\n",
         "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"},
    };
    Served served;
    for (const auto& exchange : session) {
      test::RawSocket socket(served.address);
      socket.send_all(exchange.request);
      CHECK(same_lines(socket.recv_all()) == same_lines(exchange.response));
    }
    // What Go answers to other methods, plus Allow, which HTTP demands.
    for (const std::string method : {"PUT", "HEAD"}) {
      test::RawSocket socket(served.address);
      socket.send_all(method +
                      " /_geerpc_/registry HTTP/1.1\r\nHost: 127.0.0.1:9996\r\nUser-Agent: "
                      "curl/7.88.1\r\nAccept: */*\r\n\r\n");
      std::vector<std::string> expected = same_lines(
          "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, POST, DELETE\r\n"
          "Content-Length: 0\r\n\r\n");
      CHECK(same_lines(socket.recv_all()) == expected);
    }
  }

  TEST_CASE("has the header even when there are no servers") {
    Served served;
    CHECK(served.send("GET").find("\r\nX-Geerpc-Servers: \r\n") != std::string::npos);
  }

  TEST_CASE("speaks JSON to those who ask for it") {
    Served served;
    const std::string put = served.send(
        "POST",
        "Accept: application/json\r\nX-Geerpc-Server: tcp@a:1\r\nX-Geerpc-Services: Foo, Bar\r\n");
    CHECK(nlohmann::json::parse(Served::body(put)) == nlohmann::json{{"ttl_ms", 300000}});
    const std::string answer = served.send("GET", "Accept: application/json\r\n");
    CHECK(answer.find("\r\nContent-Type: application/json\r\n") != answer.npos);
    CHECK(answer.find("\r\nCache-Control: no-store\r\n") != answer.npos);
    CHECK(answer.find("X-Geerpc-Servers") == answer.npos);
    const nlohmann::json json = nlohmann::json::parse(Served::body(answer));
    CHECK(json["ttl_ms"] == 300000);
    CHECK(json["revision"] == served.registry.list().revision);
    CHECK(json["instance"] == served.registry.list().instance);
    CHECK(json["uptime_ms"].is_number_unsigned());
    REQUIRE(json["servers"].size() == 1);
    CHECK(json["servers"][0]["address"] == "tcp@a:1");
    CHECK(json["servers"][0]["services"] == nlohmann::json{"Bar", "Foo"});
    CHECK(json["servers"][0]["age_ms"].is_number_unsigned());
  }

  TEST_CASE("forgets a server on DELETE, also one that it does not know") {
    Served served;
    served.send("POST", "X-Geerpc-Server: tcp@a:1\r\n");
    served.send("POST", "X-Geerpc-Server: tcp@b:2\r\n");
    CHECK(Served::status(served.send("DELETE", "X-Geerpc-Server: tcp@a:1\r\n")) == "200");
    CHECK(Served::status(served.send("DELETE", "X-Geerpc-Server: tcp@a:1\r\n")) == "200");
    CHECK(Served::status(served.send("DELETE")) == "400");
    CHECK(served.listed() == "tcp@b:2");
  }

  TEST_CASE("lets nobody smuggle in a second server or another header") {
    Served served;
    for (const std::string bad :
         {"tcp@a:1,tcp@evil:2", "tcp@a:1 tcp@evil:2", "tcp@a:1\ttcp@evil:2", "tcp@a:1@evil:2",
          "a:1", "tcp@", "@", "tcp@a", "tcp@a:99999", "udp@a:1", "tcp@a:0", "tcp@\x80:1"}) {
      CAPTURE(bad);
      const std::string answer = served.send("POST", "X-Geerpc-Server: " + bad + "\r\n");
      CHECK(Served::status(answer) == "400");
      CHECK(answer.find("\r\nX-Geerpc-Error: ") != answer.npos);
      CHECK(Served::body(answer).empty());
    }
    served.send("POST", "X-Geerpc-Server: tcp@a:1\r,tcp@evil:2\r\n");
    CHECK(served.listed() == "");
    // The old folding of lines, which not everybody knows.
    CHECK(Served::status(served.send("POST", "X-Geerpc-Server: tcp@a:1\r\n tcp@evil:2\r\n")) ==
          "400");
    CHECK(served.listed() == "");
    // A second header line is a header of its own: the first one counts.
    served.send("POST", "X-Geerpc-Server: tcp@a:1\nX-Geerpc-Server: tcp@b:2\r\n");
    CHECK(served.listed() == "tcp@a:1");
  }

  TEST_CASE("knows its path only") {
    Served served;
    CHECK(Served::status(served.send("GET", "", "/")) == "404");
    CHECK(Served::body(served.send("GET", "", "/_geerpc_/registry/x")) == "404 page not found\n");
    CHECK(Served::status(served.send("GET", "", "/_geerpc_/registry?x=y")) == "200");
  }

  TEST_CASE("is full when its registry is") {
    geerpc::RegistryOptions options;
    options.max_servers = 1;
    geerpc::Registry registry(options);
    geerpc::RegistryServer server(registry);
    server.listen("127.0.0.1:0");
    geerpc::HttpRegistry client(server.url());
    client.put(Address("tcp@a:1"));
    try {
      client.put(Address("tcp@a:2"));
      FAIL("it took it");
    } catch (const geerpc::Error& error) {
      CHECK(std::string(error.what()).find("max_servers") != std::string::npos);
    }
  }

  TEST_CASE("asks for its token on every request") {
    Served served(geerpc::RegistryServerOptions{"secret"});
    served.registry.put(Address("tcp@a:1"));
    for (const char* header :
         {"", "Authorization: Bearer \r\n", "Authorization: Bearer secreT\r\n",
          "Authorization: Bearer secre\r\n", "Authorization: Bearer secret1\r\n",
          "Authorization: Bearer secretsecret\r\n", "Authorization: secret\r\n",
          "Authorization: Basic secret\r\n"}) {
      CAPTURE(header);
      for (const char* method : {"GET", "POST", "DELETE", "PUT"}) {
        const std::string answer =
            served.send(method, std::string(header) + "X-Geerpc-Server: tcp@evil:2\r\n");
        CHECK(Served::status(answer) == "401");
        CHECK(answer.find("tcp@a:1") == answer.npos);
      }
    }
    CHECK(served.registry.size() == 1);
    CHECK(Served::status(served.send("GET", "Authorization: bearer secret\r\n")) == "200");

    geerpc::HttpRegistry good(served.server.url(), {"secret"}), bad(served.server.url());
    CHECK(good.list().servers.size() == 1);
    try {
      bad.list();
      FAIL("it answered");
    } catch (const geerpc::Error& error) {
      CHECK(error.code() == StatusCode::unauthenticated);
    }
  }

  TEST_CASE("compares tokens as equal only if they are") {
    using geerpc::detail::equal_in_constant_time;
    CHECK(equal_in_constant_time("abc", "abc"));
    CHECK_FALSE(equal_in_constant_time("", "abc"));
    CHECK_FALSE(equal_in_constant_time("ab", "abc"));
    CHECK_FALSE(equal_in_constant_time("abcabc", "abc"));
    CHECK_FALSE(equal_in_constant_time("abd", "abc"));
  }

  TEST_CASE("lists a thousand servers in both forms") {
    Served served;
    for (int i = 0; i < 1000; ++i) {
      served.registry.put(
          Address("tcp@10.20.30." + std::to_string(i % 250) + ":" + std::to_string(50000 + i)));
    }
    const std::string header = served.listed();
    CHECK(std::count(header.begin(), header.end(), ',') == 999);
    CHECK(geerpc::HttpRegistry(served.server.url()).list().servers.size() == 1000);
  }

  TEST_CASE("has a URL for this machine even if it listens on all addresses") {
    geerpc::Registry registry;
    geerpc::RegistryServer server(registry);
    const auto port = server.listen("0.0.0.0:0");
    CHECK(server.url() == "http://127.0.0.1:" + std::to_string(port) + "/_geerpc_/registry");
    CHECK(geerpc::HttpRegistry(server.url()).list().servers.empty());
  }

  TEST_CASE("refuses a taken port and a malformed address") {
    Served served;
    geerpc::RegistryServer other(served.registry);
    CHECK_THROWS_AS(other.listen(served.address), geerpc::Error);
    CHECK_THROWS_AS(other.listen("nonsense"), geerpc::Error);
  }
}
