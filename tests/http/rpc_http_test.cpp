// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HTTP on the port of the RPC server, and on one of its own: JSON-RPC and the debug page.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../support/eventually.hpp"
#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;
using geerpc::HttpOptions;
using geerpc::Server;
using geerpc::ServerOptions;

namespace {

struct Pair {
  int a = 0, b = 0;
};
GEERPC_FIELDS(Pair, a, b)

struct Answer {
  int status = 0;
  std::string head, body;

  std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == head.npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

struct Browser : test::RawSocket {
  using RawSocket::RawSocket;
  explicit Browser(const geerpc::Address& address) : RawSocket(address.str()) {}

  Answer receive(bool has_body = true) {
    Answer answer;
    answer.head = recv_until("\r\n\r\n");
    answer.status = std::stoi(answer.head.substr(9, 3));
    const std::string length = answer.header("Content-Length");
    if (has_body && !length.empty()) answer.body = recv_exact(std::stoul(length));
    return answer;
  }
  Answer ask(const std::string& request) {
    send_all(request);
    return receive(request.compare(0, 5, "HEAD ") != 0);
  }
  Answer get(const std::string& path) {
    return ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  Answer post(const std::string& text, const std::string& headers = kJson,
              const std::string& path = "/jsonrpc") {
    return ask(post_text(text, headers, path));
  }
  static std::string post_text(const std::string& text, const std::string& headers = kJson,
                               const std::string& path = "/jsonrpc") {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + headers +
           "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  }

  static const std::string kJson;
};
const std::string Browser::kJson = "Content-Type: application/json\r\n";

std::string call(const std::string& method, const std::string& params, const std::string& id) {
  return "{\"jsonrpc\":\"2.0\",\"method\":\"" + method + "\",\"params\":" + params +
         ",\"id\":" + id + "}";
}
std::string result(const std::string& id, const std::string& value) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":" + value + "}";
}

struct Fixture {
  explicit Fixture(const HttpOptions& http = {}, ServerOptions options = {})
      : server(std::move(options)) {
    server.add("Math.Sum", [](const Pair& pair) { return pair.a + pair.b; });
    server.add("Echo.Text", [](std::string text) { return text; });
    server.add("Say.This", [this](int n) { heard += n; });
    server.add("Wait.Open", [this](const geerpc::Context& context) {
      ++waiting;
      while (!open && !context.cancelled()) context.sleep_for(1ms);
      --waiting;
      return open.load();
    });
    server.add("Who.Calls",
               [](const geerpc::Context& context) { return std::string(context.peer()); });
    geerpc::serve_http(server, http);
    address = server.listen("tcp@127.0.0.1:0");
  }
  ~Fixture() { open = true; }

  std::atomic<int> heard{0}, waiting{0};
  std::atomic<bool> open{false};
  Server server;
  geerpc::Address address;
};

}  // namespace

TEST_SUITE("HTTP on the RPC port") {
  // Run alone, this is where the thread sanitizer meets what cpp-httplib makes at its first
  // request.
  TEST_CASE("the first requests may come at the same time") {
    Fixture fixture;
    std::atomic<int> ready{0}, right{0};
    std::vector<std::thread> browsers;
    for (int i = 0; i < 4; ++i) {
      browsers.emplace_back([&] {
        Browser browser(fixture.address);
        ++ready;
        while (ready < 4) std::this_thread::yield();
        right += browser.post(call("Math.Sum", "{\"a\":3,\"b\":4}", "1")).body == result("1", "7");
      });
    }
    for (std::thread& browser : browsers) browser.join();
    CHECK(right == 4);
  }

  TEST_CASE("JSON-RPC is posted, the debug page got, and everything else goes on") {
    Fixture fixture;
    Browser browser(fixture.address);
    const Answer sum = browser.post(call("Math.Sum", "{\"a\":3,\"b\":4}", "\"x\""));
    CHECK(sum.status == 200);
    CHECK(sum.body == result("\"x\"", "7"));
    CHECK(sum.header("Content-Type") == "application/json");
    CHECK(sum.header("X-Content-Type-Options") == "nosniff");
    CHECK(sum.header("Access-Control-Allow-Origin") == "");
    // The connection stays for the next ones.
    const Answer page = browser.get("/debug/geerpc");
    CHECK(page.status == 200);
    CHECK(page.body.find("<td>Sum(Pair) int</td><td>1</td>") != page.body.npos);
    CHECK(page.body.find("<pre>Pair {a int, b int}</pre>") != page.body.npos);
    CHECK(browser.get("/debug/geerpc.json").header("Content-Type") == "application/json");
    CHECK(browser.ask("HEAD /debug/geerpc HTTP/1.1\r\n\r\n").status == 200);
    CHECK(browser.post(call("Math.Sum", "[{}]", "1")).body == result("1", "0"));

    geerpc::Client client(fixture.address);
    CHECK(client.call<int>("Math.Sum", Pair{1, 2}) == 3);
    geerpc::Client tunnel(geerpc::Address("http@127.0.0.1:0").with_port(fixture.address.port()));
    CHECK(tunnel.call<int>("Math.Sum", Pair{1, 2}) == 3);
    geerpc::ClientOptions json_rpc;
    json_rpc.protocol = geerpc::Protocol::json_rpc_2;
    geerpc::Client stream(fixture.address, json_rpc);
    CHECK(stream.call<int>("Math.Sum", Pair{1, 2}) == 3);
  }

  TEST_CASE("without it, HTTP gets what it always got") {
    Server server;
    Browser browser(server.listen("tcp@127.0.0.1:0"));
    CHECK(browser.post(call("Math.Sum", "[{}]", "1")).status == 404);
  }

  TEST_CASE("batches, notifications and errors are answered as on a stream") {
    Fixture fixture;
    Browser browser(fixture.address);
    CHECK(browser
              .post("[" + call("Math.Sum", "[{\"a\":1}]", "1") + "," +
                    call("Echo.Text", "[\"\"]", "2") + "]\n")
              .body == "[" + result("1", "1") + "," + result("2", "\"\"") + "]");
    CHECK(browser.post("{\"method\":\"Math.Sum\",\"params\":[{\"a\":1}],\"id\":5}").body ==
          "{\"id\":5,\"result\":1,\"error\":null}");

    const std::string notification = "{\"jsonrpc\":\"2.0\",\"method\":\"Say.This\",\"params\":[1]}";
    for (const std::string& text : {notification, "[" + notification + "," + notification + "]"}) {
      const Answer none = browser.post(text);
      CHECK(none.status == 204);
      CHECK(none.head.find("Content-Length") == none.head.npos);
    }
    CHECK(test::eventually([&] { return fixture.heard == 3; }));

    const Answer unknown = browser.post(call("Math.Nope", "[]", "1"));
    CHECK(unknown.status == 200);
    CHECK(unknown.body.find("\"code\":-32601") != unknown.body.npos);
    for (const char* text : {"{\"jsonrpc\":", "", " ", "{} {}", "nul", "{\"a\":1,}"}) {
      CAPTURE(text);
      const Answer error = browser.post(text);
      CHECK(error.status == 200);
      CHECK(error.body.find("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,") == 0);
    }
    for (const char* text : {"1", "\"x\"", "[]", "null", "{\"jsonrpc\":\"2.0\"}"}) {
      CAPTURE(text);
      CHECK(browser.post(text).body.find(
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,") == 0);
    }
    CHECK(browser.post("[1]").body.find("[{\"jsonrpc\":\"2.0\",\"id\":null,") == 0);
  }

  TEST_CASE("what is no call of JSON-RPC has its status") {
    Fixture fixture;
    const auto status = [&](const std::string& request) {
      return Browser(fixture.address).ask(request).status;
    };
    const std::string text = call("Math.Sum", "[{}]", "1");
    CHECK(status(Browser::post_text(text, "Content-Type: text/plain\r\n")) == 415);
    CHECK(status(Browser::post_text(text, "")) == 415);
    CHECK(status(Browser::post_text(text, "Content-Type: Application/JSON ; charset=utf-8\r\n")) ==
          200);
    CHECK(status(Browser::post_text(text, Browser::kJson + "Content-Encoding: gzip\r\n")) == 415);
    CHECK(status(Browser::post_text(text, Browser::kJson, "/other")) == 404);
    CHECK(status("GET /jsonrpc HTTP/1.1\r\n\r\n") == 405);
    CHECK(status("OPTIONS /jsonrpc HTTP/1.1\r\n\r\n") == 405);
    CHECK(status("DELETE /debug/geerpc HTTP/1.1\r\n\r\n") == 405);
    CHECK(status("GET / HTTP/1.1\r\n\r\n") == 404);
    CHECK(status("GET /" + std::string(20000, 'x') + " HTTP/1.1\r\n\r\n") == 431);
    CHECK(status("GET / SPDY/9\r\n\r\n") == 400);
    CHECK(status("GET\r\n\r\n") == 400);
    CHECK(status("POST /jsonrpc HTTP/1.1\r\n" + Browser::kJson +
                 "Transfer-Encoding: chunked\r\n\r\n") == 411);
    CHECK(status("POST /jsonrpc HTTP/1.1\r\n" + Browser::kJson + "Content-Length: x\r\n\r\n") ==
          400);
    CHECK(status("POST /jsonrpc HTTP/1.1\r\n" + Browser::kJson +
                 "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}") == 400);
    CHECK(status("POST /jsonrpc HTTP/1.1\r\n" + Browser::kJson +
                 "Content-Length: 99999999999999999999\r\n\r\n") == 413);
    // What one reader takes for a field, and the next one does not.
    CHECK(status("POST /jsonrpc HTTP/1.1\r\n" + Browser::kJson +
                 "Content-Length: 2\r\nTransfer-Encoding : chunked\r\n\r\n{}") == 400);
    CHECK(status("POST /jsonrpc HTTP/1.1\r\n" + Browser::kJson +
                 "Content-Length: 2\r\nX: 1,\r\n Transfer-Encoding: chunked\r\n\r\n{}") == 400);
  }

  TEST_CASE("a connection stays open as long as the client wants it") {
    Fixture fixture;
    const std::string text = call("Math.Sum", "[{}]", "1");
    Browser closing(fixture.address);
    const Answer last = closing.post(text, Browser::kJson + "Connection: close\r\n");
    CHECK(last.body == result("1", "0"));
    CHECK(last.header("Connection") == "close");
    CHECK(closing.recv_all() == "");
    Browser old(fixture.address);
    old.send_all("POST /jsonrpc HTTP/1.0\r\n" + Browser::kJson +
                 "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
    CHECK(old.recv_all().find(result("1", "0")) != std::string::npos);
    // Several at once are answered one after another.
    Browser eager(fixture.address);
    std::string all;
    for (int i = 0; i < 50; ++i)
      all += Browser::post_text(call("Math.Sum", "[{}]", std::to_string(i)));
    eager.send_all(all);
    for (int i = 0; i < 50; ++i) CHECK(eager.receive().body == result(std::to_string(i), "0"));
  }

  TEST_CASE("a request may come byte by byte, and ask whether it may") {
    Fixture fixture;
    Browser slow(fixture.address);
    for (const char c : Browser::post_text(call("Math.Sum", "[{}]", "1"))) {
      slow.send_all(std::string(1, c));
    }
    CHECK(slow.receive().body == result("1", "0"));
    Browser polite(fixture.address);
    const std::string text = call("Math.Sum", "[{}]", "1");
    polite.send_all("POST /jsonrpc HTTP/1.1\r\n" + Browser::kJson +
                    "Expect: 100-continue\r\nContent-Length: " + std::to_string(text.size()) +
                    "\r\n\r\n");
    CHECK(polite.recv_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    polite.send_all(text);
    CHECK(polite.receive().body == result("1", "0"));
  }

  TEST_CASE("bodies and batches are bounded") {
    HttpOptions http;
    http.max_body_size = 1000;
    ServerOptions options;
    options.max_batch_size = 2;
    Fixture fixture(http, options);
    CHECK(Browser(fixture.address).post(std::string(1001, ' ')).status == 413);
    Browser browser(fixture.address);
    const std::string one = call("Math.Sum", "[{}]", "1");
    CHECK(browser.post(std::string(1000 - one.size(), ' ') + one).body == result("1", "0"));
    CHECK(browser.post("[" + one + "," + one + "," + one + "]").body.find("-32600") !=
          std::string::npos);
    const std::string large = call("Echo.Text", "[\"" + std::string(900, 'x') + "\"]", "1");
    CHECK(browser.post(large).status == 200);
    ServerOptions small;
    small.max_message_size = 500;
    Fixture limited({}, small);
    CHECK(Browser(limited.address).post(std::string(501, ' ')).status == 413);
    Browser answered(limited.address);
    CHECK(answered.post(call("Echo.Text", "[\"" + std::string(420, 'x') + "\"]", "1"))
              .body.find("\"result\":\"xxx") != std::string::npos);
  }

  TEST_CASE("web pages may call only if their origin is allowed to") {
    const std::string text = call("Math.Sum", "[{}]", "1");
    const std::string preflight =
        "OPTIONS /jsonrpc HTTP/1.1\r\nOrigin: http://a.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n";
    HttpOptions http;
    http.allowed_origins = {"http://a.example", "http://b.example"};
    Fixture fixture(http);
    Browser browser(fixture.address);
    const Answer may = browser.ask(preflight);
    CHECK(may.status == 204);
    CHECK(may.header("Access-Control-Allow-Origin") == "http://a.example");
    CHECK(may.header("Access-Control-Allow-Methods") == "POST");
    CHECK(may.header("Access-Control-Allow-Headers") == "Content-Type");
    CHECK(may.header("Vary") == "Origin");
    const Answer answer = browser.post(text, Browser::kJson + "Origin: http://b.example\r\n");
    CHECK(answer.header("Access-Control-Allow-Origin") == "http://b.example");
    CHECK(answer.body == result("1", "0"));
    const Answer other = browser.post(text, Browser::kJson + "Origin: http://c.example\r\n");
    CHECK(other.status == 403);
    CHECK(other.header("Access-Control-Allow-Origin") == "");
    CHECK(other.header("Vary") == "Origin");
    http.allowed_origins = {"*"};
    Fixture open(http);
    CHECK(Browser(open.address).ask(preflight).header("Access-Control-Allow-Origin") == "*");
    Fixture closed;
    const Answer refused = Browser(closed.address).ask(preflight);
    CHECK(refused.status == 403);
    CHECK(refused.header("Access-Control-Allow-Origin") == "");
    // A page whose host name leads here seems to be of this origin.
    CHECK(Browser(closed.address)
              .post(call("Say.This", "[1]", "1"), Browser::kJson + "Origin: http://x\r\n")
              .status == 403);
    CHECK(closed.heard == 0);
  }

  TEST_CASE("a slow call holds up nobody, and is answered when its time is over") {
    HttpOptions http;
    http.call_timeout = 100ms * test::kSlowdown;
    Fixture fixture(http);
    Browser slow(fixture.address), batch(fixture.address);
    slow.send_all(Browser::post_text(call("Wait.Open", "[]", "1")));
    batch.send_all(Browser::post_text("[" + call("Wait.Open", "[]", "1") + "," +
                                      call("Math.Sum", "[{}]", "2") + "]"));
    CHECK(test::eventually([&] { return fixture.waiting == 2; }));
    CHECK(Browser(fixture.address).post(call("Math.Sum", "[{}]", "1")).body == result("1", "0"));
    const Answer late = slow.receive();
    CHECK(late.status == 200);
    CHECK(late.body.find("\"error\":{\"code\":-32004,") != late.body.npos);
    const std::string both = batch.receive().body;
    CHECK(both.find("[" + result("2", "0")) == 0);
    CHECK(both.find("-32004") != both.npos);
    // Both connections go on.
    CHECK(slow.post(call("Math.Sum", "[{}]", "1")).body == result("1", "0"));
    CHECK(test::eventually([&] { return fixture.server.calls_in_flight() == 0; }));
  }

  TEST_CASE("as many slow calls as there are connections run at the same time") {
    Fixture fixture;
    std::vector<std::unique_ptr<Browser>> browsers;
    for (int i = 0; i < 40; ++i) {
      browsers.push_back(std::make_unique<Browser>(fixture.address));
      browsers.back()->send_all(Browser::post_text(call("Wait.Open", "[]", "1")));
    }
    CHECK(test::eventually([&] { return fixture.waiting == 40; }));
    fixture.open = true;
    for (auto& browser : browsers) CHECK(browser->receive().body == result("1", "true"));
  }

  TEST_CASE("a peer that sends slowly or not at all is given up") {
    HttpOptions http;
    http.receive_timeout = http.idle_timeout = 100ms * test::kSlowdown;
    Fixture fixture(http);
    Browser half(fixture.address), body(fixture.address), idle(fixture.address);
    half.send_all("POST /jsonrpc HT");
    body.send_all("POST /jsonrpc HTTP/1.1\r\nContent-Length: 10\r\n\r\n{");
    CHECK(idle.post(call("Math.Sum", "[{}]", "1")).status == 200);
    CHECK(half.receive().status == 408);
    CHECK(body.receive().status == 408);
    CHECK(idle.wait_closed());
    CHECK(half.wait_closed());
    CHECK(test::eventually([&] { return fixture.server.connections() == 0; }));
  }

  TEST_CASE("a handler sees the address of the HTTP client") {
    Fixture fixture;
    Browser browser(fixture.address);
    CHECK(browser.post(call("Who.Calls", "[]", "1")).body.find("\"result\":\"tcp@127.0.0.1:") !=
          std::string::npos);
  }

  TEST_CASE("stop() ends HTTP connections, and those whose calls never end") {
    auto fixture = std::make_unique<Fixture>();
    Browser idle(fixture->address), waiting(fixture->address);
    CHECK(idle.post(call("Math.Sum", "[{}]", "1")).status == 200);
    waiting.send_all(Browser::post_text(call("Wait.Open", "[]", "1")));
    CHECK(test::eventually([&] { return fixture->waiting == 1; }));
    fixture->server.stop(0ms);
    CHECK(idle.wait_closed());
    CHECK(waiting.recv_all() != "");  // the call was cancelled, and answered
    CHECK(fixture->server.connections() == 0);
  }

  TEST_CASE("parts of it can be left out") {
    HttpOptions http;
    http.json_rpc_path = "";
    http.debug_page = false;
    Fixture fixture(http);
    Browser browser(fixture.address);
    CHECK(browser.post(call("Math.Sum", "[{}]", "1")).status == 404);
    CHECK(Browser(fixture.address).get("/debug/geerpc").status == 404);
  }

  TEST_CASE("a port of its own speaks nothing else") {
    Server server;
    server.add("Math.Sum", [](const Pair& pair) { return pair.a + pair.b; });
    const geerpc::Address http = geerpc::listen_http(server, "127.0.0.1:0");
    const geerpc::Address rpc = server.listen("tcp@127.0.0.1:0");
    CHECK(Browser(http).post(call("Math.Sum", "[{}]", "1")).body == result("1", "0"));
    Browser stream(http);
    stream.send_all(call("Math.Sum", "[{}]", "1") + "\r\n\r\n");
    CHECK(stream.receive().status == 400);
    CHECK(Browser(rpc).get("/debug/geerpc").status == 404);
    geerpc::Client client(rpc);
    CHECK(client.call<int>("Math.Sum", Pair{1, 2}) == 3);
    CHECK_THROWS_AS(geerpc::listen_http(server, "nonsense"), geerpc::Error);
  }

  TEST_CASE("many connections post at once") {
    Fixture fixture;
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        Browser browser(fixture.address);
        for (int i = 0; i < 200; ++i) {
          const std::string id = std::to_string(t * 1000 + i);
          right += browser.post(call("Echo.Text", "[\"" + id + "\"]", id)).body ==
                   result(id, "\"" + id + "\"");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(right == 1600);
  }
}
