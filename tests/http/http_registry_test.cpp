// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <optional>
#include <thread>

#include "../support/eventually.hpp"
#include "../support/own_host.hpp"
#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::HttpRegistry;
using geerpc::StatusCode;

namespace {

constexpr auto kTimeout = std::chrono::duration_cast<std::chrono::milliseconds>(test::kPatience);

// A registry that gives the same answer to everything.
struct Fake {
  explicit Fake(const httplib::Response& answer)
      : server([answer](const httplib::Request&, httplib::Response& to) { to = answer; }),
        registry("http://127.0.0.1:" + std::to_string(server.listen("http@127.0.0.1:0").port()),
                 {"", kTimeout}) {}

  StatusCode list_code() {
    try {
      registry.list();
      return StatusCode::ok;
    } catch (const geerpc::Error& error) {
      CHECK(std::string(error.what()).find("http://127.0.0.1:") != std::string::npos);
      return error.code();
    }
  }

  geerpc::detail::HttpServer server;
  HttpRegistry registry;
};

httplib::Response answer(int status, const std::string& header = "",
                         const std::string& value = "") {
  httplib::Response response;
  response.status = status;
  if (!header.empty()) response.set_header(header, value);
  return response;
}

httplib::Response content(const std::string& body, const char* type) {
  httplib::Response response = answer(200);
  response.set_content(body, type);
  return response;
}

httplib::Response json(const std::string& body) {
  return content(body, "application/json; charset=utf-8");
}

// How listing ends at a peer that answers with `bytes` and then closes.
StatusCode list_from(const std::string& bytes, std::string* what = nullptr) {
  test::RawListener listener;
  std::thread peer([&] {
    test::RawSocket socket = listener.accept();
    socket.recv_until("\r\n\r\n");
    socket.try_send_all(bytes);
    socket.half_close();
    socket.wait_closed();
  });
  HttpRegistry registry("http://127.0.0.1:" + std::to_string(listener.port()), {"", kTimeout});
  StatusCode code = StatusCode::ok;
  try {
    registry.list();
  } catch (const geerpc::Error& error) {
    code = error.code();
    if (what != nullptr) *what = error.what();
  }
  peer.join();
  return code;
}

}  // namespace

TEST_SUITE("http registry") {
  TEST_CASE("registers, lists and forgets at a registry server") {
    geerpc::Registry registry;
    geerpc::RegistryServer server(registry);
    server.listen("127.0.0.1:0");
    HttpRegistry client(server.url());
    CHECK(client.put({Address("tcp@b:2"), {"Foo"}}) == 5min);
    CHECK(client.put(Address("tcp@a:1")) == 5min);
    geerpc::ServerList list = client.list();
    REQUIRE(list.servers.size() == 2);
    CHECK(list.servers[0].address == Address("tcp@a:1"));
    CHECK(list.servers[0].services.empty());
    CHECK(list.servers[1].services == std::vector<std::string>{"Foo"});
    CHECK(list.revision == registry.list().revision);
    CHECK(list.instance == registry.list().instance);
    CHECK(list.ttl == 5min);
    CHECK(list.uptime.has_value());
    client.remove("tcp@b:2");
    CHECK(client.list().servers.size() == 1);
  }

  TEST_CASE("understands a Go registry") {
    Fake go(answer(200, "X-Geerpc-Servers", "http@127.0.0.1:7002,tcp@[::]:43211"));
    const geerpc::ServerList list = go.registry.list();
    REQUIRE(list.servers.size() == 2);
    CHECK(list.servers[1].address.str() == "tcp@[::]:43211");
    CHECK(list.instance.empty());
    CHECK_FALSE(list.ttl.has_value());
    CHECK(go.registry.put(Address("tcp@a:1")) == std::nullopt);
    CHECK(Fake(answer(200, "X-Geerpc-Servers", "")).registry.list().servers.empty());
  }

  TEST_CASE("drops blanks, duplicates and single addresses that make no sense") {
    Fake go(answer(200, "X-Geerpc-Servers", " tcp@b:2 ,, nonsense,tcp@a:1,tcp@b:2, "));
    const geerpc::ServerList list = go.registry.list();
    REQUIRE(list.servers.size() == 2);
    CHECK(list.servers[0].address.str() == "tcp@a:1");
  }

  TEST_CASE("takes nothing but 2xx for a success") {
    CHECK(Fake(answer(404, "X-Geerpc-Servers", "tcp@a:1")).list_code() == StatusCode::not_found);
    CHECK(Fake(answer(500, "X-Geerpc-Servers", "tcp@a:1")).list_code() == StatusCode::unavailable);
    CHECK(Fake(answer(503)).list_code() == StatusCode::unavailable);
    CHECK(Fake(answer(401)).list_code() == StatusCode::unauthenticated);
    CHECK(Fake(answer(403)).list_code() == StatusCode::permission_denied);
    CHECK(Fake(answer(302, "Location", "http://elsewhere/")).list_code() ==
          StatusCode::unavailable);
    Fake go(answer(405));
    CHECK_THROWS_AS(go.registry.put(Address("tcp@a:1")), geerpc::Error);
    CHECK_THROWS_AS(go.registry.remove("tcp@a:1"), geerpc::Error);
  }

  TEST_CASE("takes no nonsense for a list") {
    CHECK(Fake(answer(200)).list_code() == StatusCode::data_loss);
    CHECK(Fake(content("<html>", "text/html")).list_code() == StatusCode::data_loss);
    CHECK(Fake(answer(200, "X-Geerpc-Servers", "a,b,c")).list_code() == StatusCode::data_loss);
    for (const char* body :
         {"", "{", "[]", "null", "{}", "{\"servers\":7}", "{\"servers\":[7]}",
          "{\"servers\":[{\"address\":7}]}", "{\"servers\":[{\"address\":\"x\"}]}", "\xff"}) {
      CAPTURE(body);
      CHECK(Fake(json(body)).list_code() == StatusCode::data_loss);
    }
    CHECK(Fake(json(std::string(1 << 20, '['))).list_code() == StatusCode::data_loss);
  }

  TEST_CASE("does not mind nonsense in details") {
    Fake fake(
        json("{\"servers\":[{\"address\":\"tcp@a:1\",\"services\":7,\"age_ms\":-1}],"
             "\"revision\":\"x\",\"ttl_ms\":1e99,\"instance\":7,\"uptime_ms\":"
             "18446744073709551615,\"more\":{}}"));
    const geerpc::ServerList list = fake.registry.list();
    CHECK(list.servers.size() == 1);
    CHECK(list.revision == 0);
    CHECK_FALSE(list.ttl.has_value());
    CHECK(list.uptime > 1h);
  }

  TEST_CASE("says what happened when nobody is there, or is silent") {
    std::string address;
    {
      test::RawListener listener(test::own_address());
      address = listener.address().substr(4);  // without "tcp@"
      HttpRegistry silent("http://" + address, {"", 50ms});
      try {
        silent.list();
        FAIL("it answered");
      } catch (const geerpc::Error& error) {
        CHECK(error.code() == StatusCode::deadline_exceeded);
      }
    }
    try {
      HttpRegistry("http://" + address).list();
      FAIL("it answered");
    } catch (const geerpc::Error& error) {
      CHECK(error.code() == StatusCode::unavailable);
      CHECK(std::string(error.what()).find("refused") != std::string::npos);
    }
  }

  TEST_CASE("sends exactly one request, closing") {
    test::RawListener listener;
    const std::string host = "127.0.0.1:" + std::to_string(listener.port());
    std::thread caller([&] {
      HttpRegistry registry("http://" + host + "/a?b", {"secret", 10s});
      registry.put({Address("tcp@a:1"), {"Foo", "Bar"}});
    });
    test::RawSocket socket = listener.accept();
    const std::string request = socket.recv_until("\r\n\r\n");
    CHECK(request.substr(0, request.find('\r')) == "POST /a?b HTTP/1.1");
    for (const std::string& line :
         {"Host: " + host, std::string("Connection: close"), std::string("Content-Length: 0"),
          std::string("Accept: application/json"), std::string("Authorization: Bearer secret"),
          std::string("X-Geerpc-Server: tcp@a:1"), std::string("X-Geerpc-Services: Foo,Bar")}) {
      CAPTURE(line);
      CHECK(request.find("\r\n" + line + "\r\n") != request.npos);
    }
    socket.send_all("HTTP/1.1 204 No Content\r\n\r\n");
    socket.close();
    caller.join();
  }

  TEST_CASE("reads answers with a length, in chunks, and up to the end") {
    const std::string list = "{\"servers\":[{\"address\":\"tcp@a:1\"}]}";
    const std::string type = "Content-Type: application/json\r\n";
    CHECK(list_from("HTTP/1.1 200 OK\r\nX-Geerpc-Servers: tcp@a:1\r\nContent-Length: 0\r\n\r\n") ==
          StatusCode::ok);
    CHECK(list_from("HTTP/1.1 200 OK\r\n" + type + "Content-Length: 35\r\n\r\n" + list) ==
          StatusCode::ok);
    CHECK(list_from("HTTP/1.1 200 OK\r\n" + type + "Transfer-Encoding: chunked\r\n\r\n23\r\n" +
                    list + "\r\n0\r\n\r\n") == StatusCode::ok);
    CHECK(list_from("HTTP/1.0 200 OK\r\n" + type + "\r\n" + list) == StatusCode::ok);
  }

  TEST_CASE("refuses what is not HTTP, and what was cut off") {
    CHECK(list_from("+PONG\r\n\r\n") == StatusCode::data_loss);
    CHECK(list_from("HTTP/1.1 20 OK\r\n\r\n") == StatusCode::data_loss);
    CHECK(
        list_from("HTTP/1.1 200 OK\r\nX-Geerpc-Servers: tcp@a:1\r\nContent-Length: 5\r\n\r\nab") ==
        StatusCode::data_loss);
    CHECK(list_from("HTTP/1.1 200 OK\r\nX-Geerpc-Servers: tcp@a:1\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n5\r\nab") == StatusCode::data_loss);
    CHECK(list_from("HTTP/1.1 200 OK\r\nContent") == StatusCode::data_loss);
    CHECK(list_from("") == StatusCode::unavailable);
  }

  TEST_CASE("refuses an answer that would cost too much, and says what it was") {
    std::string what;
    CHECK(list_from("HTTP/1.1 200 OK\r\nX-Geerpc-Servers: " + std::string(8200, 'x') + "\r\n\r\n",
                    &what) == StatusCode::resource_exhausted);
    CHECK(what.find("8192 bytes") != what.npos);
    CHECK(list_from(std::string(32 << 20, 'x')) == StatusCode::resource_exhausted);
    CHECK(list_from("HTTP/1.1 200 " + std::string(8000, 'x') + "\r\n\r\n") ==
          StatusCode::resource_exhausted);
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 20000; ++i) many += "A: b\r\n";
    CHECK(list_from(many) == StatusCode::resource_exhausted);
    CHECK(list_from("HTTP/1.1 200 OK\r\n\r\n" + std::string(9 << 20, 'x')) ==
          StatusCode::resource_exhausted);
  }

  TEST_CASE("gives up at its deadline when the registry sends one byte now and then") {
    test::RawListener listener;
    std::thread peer([&] {
      test::RawSocket socket = listener.accept();
      socket.send_all("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");
      test::eventually([&] { return !socket.try_send_all("x"); });
    });
    HttpRegistry registry("http://127.0.0.1:" + std::to_string(listener.port()));
    const auto begin = test::Clock::now();
    try {
      registry.list(geerpc::Context::with_timeout(100ms));
      FAIL("it answered");
    } catch (const geerpc::Error& error) {
      CHECK(error.code() == StatusCode::deadline_exceeded);
    }
    CHECK(test::Clock::now() - begin < 3s * test::kSlowdown);
    peer.join();
  }

  TEST_CASE("gives up at once when it is cancelled") {
    test::RawListener listener;
    geerpc::CancelSource source;
    std::thread peer([&] {
      test::RawSocket socket = listener.accept();
      socket.recv_until("\r\n\r\n");
      source.cancel();
      socket.wait_closed();
    });
    HttpRegistry registry("http://127.0.0.1:" + std::to_string(listener.port()));
    for (const bool before : {false, true}) {
      CAPTURE(before);
      const auto begin = test::Clock::now();
      try {
        registry.list(geerpc::Context::with_cancel(source.token()));
        FAIL("it answered");
      } catch (const geerpc::Error& error) {
        CHECK(error.code() == StatusCode::cancelled);
      }
      CHECK(test::Clock::now() - begin < 3s * test::kSlowdown);
    }
    peer.join();
  }

  TEST_CASE("raises no SIGPIPE when the registry closes before it reads") {
    struct sigaction handler {};
    ::sigaction(SIGPIPE, nullptr, &handler);
    REQUIRE((handler.sa_handler == SIG_DFL));  // it would end this program
    test::RawListener listener;
    std::thread peer([&] {
      for (int i = 0; i < 20; ++i) listener.accept().reset();
    });
    HttpRegistry registry("http://127.0.0.1:" + std::to_string(listener.port()));
    const std::vector<std::string> services(250, std::string(250, 'x'));
    for (int i = 0; i < 20; ++i) {
      CHECK_THROWS_AS(registry.put({Address("tcp@a:1"), services}), geerpc::Error);
    }
    peer.join();
  }

  TEST_CASE("lets no value smuggle in another header") {
    HttpRegistry registry("http://127.0.0.1:1");
    try {
      registry.put({Address("tcp@a:1"), {"Foo\r\nX-Geerpc-Server: tcp@b:2"}});
      FAIL("it was sent");
    } catch (const geerpc::Error& error) {
      CHECK(error.code() == StatusCode::invalid_argument);
    }
    for (const char* token : {"a\r\nX: y", "a b", "%41", "\""}) {
      CAPTURE(token);
      CHECK_THROWS_AS(HttpRegistry("http://127.0.0.1:1", {token}), geerpc::Error);
    }
  }

  TEST_CASE("knows the address of this machine as its registry sees it") {
    HttpRegistry local("http://127.0.0.1:1");
    CHECK(local.local_host(true, geerpc::Context()) == "127.0.0.1");
    CHECK(local.local_host(false, geerpc::Context()) == "127.0.0.1");
  }

  TEST_CASE("refuses a malformed URL at once") {
    CHECK_THROWS_AS(HttpRegistry("127.0.0.1:9999"), geerpc::Error);
    CHECK_THROWS_AS(geerpc::RegistryRef("https://h/"), geerpc::Error);
    CHECK_THROWS_AS(geerpc::RegistryRef(std::shared_ptr<geerpc::Registry>()), geerpc::Error);
  }
}
