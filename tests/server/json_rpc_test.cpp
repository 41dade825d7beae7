// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JSON-RPC on the port of everything else.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <thread>

#include "../support/temp_dir.hpp"
#include "serving.hpp"

using namespace std::chrono_literals;
using geerpc::ServerOptions;
using test::RawSocket;
using test::Serving;

namespace {

std::string call(const std::string& method, const std::string& params, const std::string& id) {
  return "{\"jsonrpc\":\"2.0\",\"method\":\"" + method + "\",\"params\":" + params +
         ",\"id\":" + id + "}";
}
std::string notification(const std::string& method, const std::string& params) {
  return "{\"jsonrpc\":\"2.0\",\"method\":\"" + method + "\",\"params\":" + params + "}";
}
std::string result(const std::string& id, const std::string& value) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":" + value + "}";
}
std::string error(const std::string& id, int code, const std::string& text) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"error\":{\"code\":" + std::to_string(code) +
         ",\"message\":\"" + text + "\"}}";
}

struct Peer : RawSocket {
  using RawSocket::RawSocket;
  explicit Peer(const Serving& serving) : RawSocket(serving.address.str()) {}

  std::string ask(const std::string& request) {
    send_all(request + "\n");
    return line();
  }
  std::string line() {
    std::string text = recv_until("\n");
    text.pop_back();
    return text;
  }
};

}  // namespace

TEST_SUITE("JSON-RPC") {
  TEST_CASE("arguments are taken by position and by name") {
    Serving serving;
    serving.server.add("Math.Subtract", [](int a, int b) { return a - b; });
    serving.server.add("Math.Nothing", [] {});
    serving.server.add("Math.Negate", [](int a) { return -a; });
    Peer peer(serving);
    CHECK(peer.ask(call("Math.Subtract", "[42,23]", "1")) == result("1", "19"));
    CHECK(peer.ask(call("Math.Subtract", "[ 23, 42 ]", "\"2\"")) == result("\"2\"", "-19"));
    CHECK(peer.ask(call("Foo.Sum", "{\"Num2\":4,\"Num1\":3}", "null")) == result("null", "7"));
    CHECK(peer.ask(call("Foo.Sum", "[{\"num1\":3}]", "1.5")) == result("1.5", "3"));
    CHECK(peer.ask(call("Foo.Sum", "{}", "4")) == result("4", "0"));
    CHECK(peer.ask(call("Echo.Text", "[\"h\\u00e9\"]", "5")) == result("5", "\"h\xc3\xa9\""));
    CHECK(peer.ask(call("Math.Nothing", "[]", "6")) == result("6", "null"));
    CHECK(peer.ask("{\"jsonrpc\":\"2.0\",\"method\":\"Math.Nothing\",\"id\":7}") ==
          result("7", "null"));
    CHECK(peer.ask(call("Math.Negate", "[1,2]", "8")) ==
          error("8", -32602, "expected one parameter, found more"));
    CHECK(peer.ask(call("Math.Negate", "[]", "9")) ==
          error("9", -32602, "expected a parameter, found none"));
    CHECK(peer.ask(call("Math.Subtract", "[1]", "10")) ==
          error("10", -32602, "expected 2 values, found 1"));
    CHECK(
        peer.ask(call("Math.Subtract", "{\"a\":1,\"b\":2}", "11")) ==
        error("11", -32602, "the parameters of this method have no names: expected an array of 2"));
    CHECK(peer.ask(call("Foo.Sum", "{\"Num1\":\"x\"}", "12")) ==
          error("12", -32602, "expected an integer, found a string at byte 8 (field Args.Num1)"));
  }

  TEST_CASE("what can't be called is an error with its code, and the connection lives on") {
    Serving serving;
    serving.server.add("Fail.Text",
                       [](std::string text) -> int { throw std::runtime_error(text); });
    serving.server.add("Fail.Code", [](int code) -> int {
      throw geerpc::Error(static_cast<geerpc::StatusCode>(code), "text");
    });
    Peer peer(serving);
    CHECK(peer.ask(call("Foo.Nope", "[]", "1")) ==
          error("1", -32601, "rpc: can't find method Foo.Nope"));
    CHECK(peer.ask(call("Nope.Sum", "[]", "1")) ==
          error("1", -32601, "rpc: can't find service Nope.Sum"));
    CHECK(peer.ask(call("foobar", "[]", "1")) ==
          error("1", -32601, "rpc: service/method request ill-formed: foobar"));
    CHECK(peer.ask(call("Fail.Text", "[\"no\"]", "1")) == error("1", -32002, "no"));
    CHECK(peer.ask(call("Fail.Code", "[3]", "1")) == error("1", -32003, "text"));
    CHECK(peer.ask(call("Fail.Code", "[13]", "1")) == error("1", -32603, "text"));
    CHECK(peer.ask("{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":[]}") ==
          error("null", -32600, "the method must be a string"));
    CHECK(peer.ask("[]") == error("null", -32600, "the batch is empty"));
    CHECK(peer.ask("[1]") == "[" + error("null", -32600, "a request must be an object") + "]");
    CHECK(peer.ask(call("Foo.Sum", "[{\"Num1\":1}]", "2")) == result("2", "1"));
  }

  TEST_CASE("1.0 is answered as Go does, also between requests of 2.0") {
    Serving serving;
    serving.server.add("Math.Nothing", [] {});
    serving.server.add("Math.Maybe", [](int) { return std::optional<int>(); });
    Peer peer(serving);
    CHECK(peer.ask("{\"method\":\"Foo.Sum\",\"params\":[{\"Num1\":3,\"Num2\":4}],\"id\":0}") ==
          "{\"id\":0,\"result\":7,\"error\":null}");
    CHECK(peer.ask(call("Foo.Sum", "[{}]", "1")) == result("1", "0"));
    CHECK(peer.ask("{\"METHOD\":\"Foo.Sum\",\"params\":[],\"more\":0}") ==
          "{\"id\":null,\"result\":0,\"error\":null}");
    CHECK(peer.ask("{\"method\":\"Foo.Sum\",\"params\":[null,5],\"id\":{\"a\":1}}") ==
          "{\"id\":{\"a\":1},\"result\":0,\"error\":null}");
    CHECK(peer.ask("{\"method\":\"Foo.Sum\",\"id\":2}") ==
          "{\"id\":2,\"result\":null,\"error\":\"jsonrpc: request body missing params\"}");
    CHECK(peer.ask("{\"method\":\"Foo.Nope\",\"id\":3}") ==
          "{\"id\":3,\"result\":null,\"error\":\"rpc: can't find method Foo.Nope\"}");
    CHECK(peer.ask("{}") ==
          "{\"id\":null,\"result\":null,\"error\":\"rpc: service/method request ill-formed: \"}");
    // A null result would end a Go client.
    CHECK(peer.ask("{\"method\":\"Math.Nothing\",\"params\":[0],\"id\":4}") ==
          "{\"id\":4,\"result\":{},\"error\":null}");
    CHECK(peer.ask("{\"method\":\"Math.Maybe\",\"params\":[0],\"id\":5}") ==
          "{\"id\":5,\"result\":{},\"error\":null}");
    CHECK(peer.ask(call("Math.Maybe", "[0]", "6")) == result("6", "null"));
  }

  TEST_CASE("a notification runs and is not answered, whatever becomes of it") {
    Serving serving;
    std::atomic<int> heard{0};
    serving.server.add("Say.This", [&](int n) { heard += n; });
    Peer peer(serving);
    peer.send_all(notification("Say.This", "[1]") + notification("Say.That", "[1]") +
                  notification("Say.This", "[\"x\"]") + notification("nodot", "{}") + "[" +
                  notification("Say.This", "[10]") + "," + notification("Say.This", "[100]") + "]");
    CHECK(peer.ask(call("Foo.Sum", "[{}]", "1")) == result("1", "0"));
    CHECK(test::eventually([&] { return heard == 111; }));
  }

  TEST_CASE("a batch is answered with one array, in which slow calls do not hold up others") {
    Serving serving;
    Peer peer(serving);
    peer.send_all("[" + call("Wait.Gate", "[]", "1") + "," + call("Foo.Sum", "[{}]", "2") + "," +
                  notification("Foo.Sum", "[{}]") + "," + call("Foo.Nope", "[{}]", "3") + "]\n" +
                  call("Foo.Sum", "[{\"Num1\":5}]", "4"));
    CHECK(peer.line() == result("4", "5"));  // overtakes the batch
    CHECK(serving.gate.wait_for(1));
    CHECK(test::eventually([&] { return serving.ended("Foo.Sum") == 3; }));
    CHECK(peer.ask("[" + call("Foo.Sum", "[{}]", "5") + "]") == "[" + result("5", "0") + "]");
    serving.gate.open();
    const std::string sum = result("2", "0"),
                      nope = error("3", -32601, "rpc: can't find method Foo.Nope"),
                      last = "," + result("1", "true") + "]";
    const std::string answers = peer.line();
    CHECK((answers == "[" + sum + "," + nope + last || answers == "[" + nope + "," + sum + last));
  }

  TEST_CASE("ids may repeat, each call gets its own answer") {
    Serving serving;
    Peer peer(serving);
    std::string requests;
    for (int i = 0; i < 200; ++i) {
      requests += call("Foo.Sum", "[{\"Num1\":" + std::to_string(i) + "}]", "\"same\"");
    }
    peer.send_all(requests);
    // In any order, since any of them may be found slow where much else runs.
    std::set<std::string> answers, expected;
    for (int i = 0; i < 200; ++i) {
      answers.insert(peer.line());
      expected.insert(result("\"same\"", std::to_string(i)));
    }
    CHECK(answers == expected);
  }

  TEST_CASE("calls run at the same time, and are answered as they end") {
    Serving serving;
    Peer peer(serving);
    for (int i = 0; i < 20; ++i) peer.send_all(call("Wait.Gate", "[]", std::to_string(i)));
    CHECK(serving.gate.wait_for(20));
    CHECK(peer.ask(call("Foo.Sum", "[{}]", "99")) == result("99", "0"));
    serving.gate.open();
    std::set<std::string> answers;
    for (int i = 0; i < 20; ++i) answers.insert(peer.line());
    for (int i = 0; i < 20; ++i) CHECK(answers.count(result(std::to_string(i), "true")) == 1);
  }

  TEST_CASE("a handler that takes too long is answered in its place, once") {
    ServerOptions options;
    options.max_handle_time = 50ms;
    Serving serving(options);
    Peer peer(serving);
    const std::string late = "rpc server: request handle timeout: expect within 50ms";
    CHECK(peer.ask(call("Wait.Gate", "[]", "1")) == error("1", -32004, late));
    CHECK(peer.ask("[" + call("Wait.Gate", "[]", "2") + "," + call("Foo.Sum", "[{}]", "3") + "]") ==
          "[" + result("3", "0") + "," + error("2", -32004, late) + "]");
    CHECK(peer.ask("{\"method\":\"Wait.Gate\",\"params\":[],\"id\":4}") ==
          "{\"id\":4,\"result\":null,\"error\":\"" + late + "\"}");
    serving.gate.open();
    CHECK(test::eventually([&] { return serving.server.calls_in_flight() == 0; }));
    CHECK(peer.ask(call("Foo.Sum", "[{}]", "5")) == result("5", "0"));
  }

  TEST_CASE("everything that was sent is answered before a half-closed connection ends") {
    Serving serving;
    Peer peer(serving);
    peer.send_all(call("Wait.Gate", "[]", "1") + "[" + call("Foo.Sum", "[{}]", "2") + "," +
                  call("Wait.Gate", "[]", "3") + "]");
    CHECK(serving.gate.wait_for(2));
    peer.half_close();
    serving.gate.open();
    const std::string all = peer.recv_all();
    CHECK(all.find(result("1", "true") + "\n") != all.npos);
    CHECK(all.find("[" + result("2", "0") + "," + result("3", "true") + "]\n") != all.npos);
  }

  TEST_CASE("a batch that has begun is answered although the server stops") {
    ServerOptions options;
    options.max_calls_per_connection = 1;  // so that the others wait for the one at the gate
    Serving serving(options);
    Peer peer(serving);
    std::string batch = "[" + call("Foo.Sum", "[{}]", "1") + "," + call("Wait.Gate", "[]", "2");
    for (int i = 0; i < 900; ++i) batch += "," + call("Foo.Sum", "[{}]", "3");
    peer.send_all(batch + "]");
    CHECK(serving.gate.wait_for(1));
    std::thread stopper([&] { serving.server.stop(); });
    CHECK(test::eventually([&] { return !serving.server.accepting(); }));
    serving.gate.open();
    const std::string answer = peer.recv_all();
    stopper.join();
    CHECK(answer.rfind("[" + result("1", "0") + "," + result("2", "true") + ",", 0) == 0);
    CHECK(answer.size() > 2);
    CHECK(answer.substr(answer.size() - 2) == "]\n");
  }

  TEST_CASE("the first request may be long, deep, and come byte by byte") {
    Serving serving;
    const std::string text(100000, 'x');
    CHECK(Peer(serving).ask(call("Echo.Text", "[\"" + text + "\"]", "1")) ==
          result("1", '"' + text + '"'));
    const std::string deep = std::string(50, '[') + std::string(50, ']');
    CHECK(Peer(serving).ask("{\"x\":" + deep + ",\"method\":\"Foo.Sum\",\"params\":[],\"id\":1}") ==
          "{\"id\":1,\"result\":0,\"error\":null}");
    Peer slow(serving);
    for (const char c : " \r\n[" + call("Foo.Sum", "[{}]", "1") + "]") {
      slow.send_all(std::string(1, c));
    }
    CHECK(slow.line() == "[" + result("1", "0") + "]");
    Peer blanks(serving);
    CHECK(blanks.ask(std::string(4000, ' ') + call("Foo.Sum", "[{}]", "1")) == result("1", "0"));
  }

  TEST_CASE("it is also spoken behind CONNECT, and on unix sockets") {
    test::TempDir dir;
    Serving serving({}, "unix@" + dir.path() + "/s");
    Peer peer(serving);
    peer.send_all("CONNECT /_geeprc_ HTTP/1.0\r\n\r\n");
    CHECK(peer.recv_until("\r\n\r\n") == "HTTP/1.0 200 Connected to Gee RPC\r\n\r\n");
    CHECK(peer.ask(call("Foo.Sum", "[{}]", "1")) == result("1", "0"));
  }

  TEST_CASE("it can be switched off, and GeeRPC goes on") {
    ServerOptions options;
    options.protocols.json_rpc = false;
    Serving serving(options);
    for (const char* first :
         {"{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"id\":1}", "[]", "{}"}) {
      Peer peer(serving);
      peer.send_all(first);
      CHECK(peer.recv_all() == "");
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("what is no JSON is told so, and the connection ends") {
    Serving serving;
    for (const char* text : {"{\"jsonrpc\":}", "[1,]", "{]", "{\"method\":\"Foo.Sum\",}"}) {
      CAPTURE(text);
      Peer peer(serving);
      CHECK(peer.ask(text).find("\"id\":null,\"error\":{\"code\":-32700,") != std::string::npos);
      CHECK(peer.recv_all() == "");
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("batches and answers are bounded") {
    ServerOptions options;
    options.max_batch_size = 3;
    options.max_batch_bytes = 600;
    options.max_message_size = 10000;
    Serving serving(options);
    Peer peer(serving);
    const std::string one = call("Echo.Bytes", "[4000]", "1");
    CHECK(peer.ask("[" + one + "," + one + "," + one + "," + one + "]") ==
          error("null", -32600, "the batch has too many elements"));
    CHECK(peer.ask("[" + one + "," + std::string(600, ' ') + one + "]") ==
          error("null", -32600, "the batch is too large"));
    CHECK(serving.calls("Echo.Bytes") == 0);
    const std::string good = result("1", '"' + std::string(4000, 'x') + '"');
    CHECK(
        peer.ask("[" + one + "," + one + "," + one + "]") ==
        "[" + good + "," + good + "," +
            error("1", -32008, "the answer of the batch is larger than the limit of 10000 bytes") +
            "]");
    CHECK(peer.ask(call("Echo.Bytes", "[10000]", "2")) ==
          error("2", -32008, "message of 10035 bytes is larger than the limit of 10000"));
    CHECK(
        peer.ask(call("Echo.Text", "[\"" + std::string(10000, 'x') + "\"]", "3")).find("-32008") !=
        std::string::npos);
    CHECK(peer.recv_all() == "");
    CHECK(serving.serves_others());
  }
}
