// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "../support/raw_socket.hpp"

using namespace std::chrono_literals;

namespace {

// Looks like a Server to the page.
struct Counted {
  std::vector<geerpc::ServiceStats> stats() const {
    geerpc::MethodStats sum{"Sum", "Sum(Args) int"};
    sum.calls = 5;
    sum.errors = 2;
    sum.in_flight = 1;
    sum.total_time = 8ms;
    sum.max_time = 1500ms;
    return {{"Bar", {}}, {"Foo<T>", {{"Get", "Get() map<string, \"x\" & 'y'>"}, sum}}};
  }
  std::vector<geerpc::ServiceDescription> describe() const {
    return {{"Foo<T>",
             {{"Sum", {"Args"}, "int"}},
             {{"Args", {{"A", "map<string, int>"}, {"B", "int"}}}, {"Empty", {}}}}};
  }
};

std::string get(int port, const std::string& path, const std::string& method = "GET") {
  test::RawSocket socket("tcp@127.0.0.1:" + std::to_string(port));
  socket.send_all(method + " " + path + " HTTP/1.0\r\n\r\n");
  return socket.recv_all();
}

}  // namespace

TEST_SUITE("debug page") {
  TEST_CASE("shows services, methods with their types, and the counters, escaped") {
    const std::string page = geerpc::debug_page_html(Counted().stats());
    CHECK(page.find("<title>GeeRPC Services</title>") != page.npos);
    CHECK(page.find("Service Bar\n") < page.find("Service Foo&lt;T&gt;\n"));
    CHECK(page.find("<td>Get() map&lt;string, &#34;x&#34; &amp; &#39;y&#39;&gt;</td>") !=
          page.npos);
    CHECK(page.find("<td>Sum(Args) int</td><td>5</td><td>2</td><td>1</td><td>2.0 ms</td>"
                    "<td>1.5 s</td>") != page.npos);
    const std::string types = geerpc::debug_page_html(Counted().stats(), Counted().describe());
    CHECK(types.find("<pre>Args {A map&lt;string, int&gt;, B int}</pre>\n<pre>Empty {}</pre>") >
          types.find("1.5 s"));
    CHECK(page.find("<pre>") == page.npos);
  }

  TEST_CASE("is there for programs too") {
    const auto json = nlohmann::json::parse(geerpc::debug_page_json(Counted().stats()));
    const auto& sum = json["services"][1]["methods"][1];
    CHECK(json["services"][1]["name"] == "Foo<T>");
    CHECK(sum["name"] == "Sum");
    CHECK(sum["signature"] == "Sum(Args) int");
    CHECK(sum["calls"] == 5);
    CHECK(sum["errors"] == 2);
    CHECK(sum["in_flight"] == 1);
    CHECK(sum["total_us"] == doctest::Approx(8000));
    CHECK(sum["max_us"] == doctest::Approx(1500000));
    const auto typed =
        nlohmann::json::parse(geerpc::debug_page_json(Counted().stats(), Counted().describe()));
    CHECK(typed["services"][1]["types"][0]["fields"][1] ==
          nlohmann::json({{"name", "B"}, {"type", "int"}}));
    CHECK(typed["services"][0]["types"].empty());
  }

  TEST_CASE("does not fail over names that are not UTF-8") {
    CHECK_NOTHROW(geerpc::debug_page_json({{"\xff", {}}}));
  }

  TEST_CASE("has an HTTP port of its own") {
    Counted counted;
    geerpc::DebugServer server(counted);
    const int port = server.listen();
    const std::string page = get(port, "/debug/geerpc");
    CHECK(page.substr(0, 15) == "HTTP/1.1 200 OK");
    CHECK(page.find("\r\nContent-Type: text/html; charset=utf-8\r\n") != page.npos);
    CHECK(page.substr(page.find("\r\n\r\n") + 4) ==
          geerpc::debug_page_html(counted.stats(), counted.describe()));
    const std::string json = get(port, "/debug/geerpc.json");
    CHECK(json.substr(json.find("\r\n\r\n") + 4) ==
          geerpc::debug_page_json(counted.stats(), counted.describe()));
    CHECK(get(port, "/debug/geerpc", "POST").substr(9, 3) == "405");
    CHECK(get(port, "/").substr(9, 3) == "404");
    geerpc::DebugServer second(counted);
    CHECK_THROWS_AS(second.listen("127.0.0.1:" + std::to_string(port)), geerpc::Error);
  }
}
