// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JSON-RPC from peers that mean no good, or don't know what they do: they get an error or lose
// their connection, within bounds, and nobody else notices.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <string>

#include "serving.hpp"

using namespace std::chrono_literals;
using geerpc::ServerOptions;
using test::RawSocket;
using test::Serving;

namespace {

const std::string kCall =
    "{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"params\":[{\"Num1\":3,\"Num2\":4}],\"id\":1}";
const std::string kAnswer = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n";

// All that is answered to these bytes and the end of the stream.
std::string answer_to(const Serving& serving, const std::string& bytes) {
  RawSocket peer(serving.address.str());
  if (peer.try_send_all(bytes)) peer.half_close();
  return peer.recv_all();
}

std::string repeated(const std::string& text, std::size_t n) {
  std::string all;
  all.reserve(text.size() * n);
  for (std::size_t i = 0; i < n; ++i) all += text;
  return all;
}

}  // namespace

TEST_SUITE("bad input in JSON-RPC") {
  TEST_CASE("a stream that ends anywhere ends its connection, and what was whole is answered") {
    Serving serving;
    const std::string all = kCall + "\n[" + kCall + "," + kCall + "]\n";
    for (std::size_t n = 1; n < all.size(); ++n) {
      const std::string answer = answer_to(serving, all.substr(0, n));
      CHECK(answer == (n < kCall.size() ? ""
                       : n + 1 < all.size()
                           ? kAnswer
                           : kAnswer + "[" + kAnswer.substr(0, kAnswer.size() - 1) + "," +
                                 kAnswer.substr(0, kAnswer.size() - 1) + "]\n"));
    }
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
  }

  TEST_CASE("changed bytes never keep a connection from ending, or its server from serving") {
    Serving serving;
    const std::string all = kCall + "\n[" + kCall + "]\n";
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (const char value : {'\0', '"', '}', '[', ' ', '9', '\xff'}) {
        std::string changed = all;
        changed[i] = value;
        RawSocket peer(serving.address.str());
        if (peer.try_send_all(changed)) peer.half_close();
        CHECK(peer.wait_closed());
      }
    }
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
    CHECK(test::eventually([&] { return serving.server.calls_in_flight() == 0; }));
  }

  TEST_CASE("deep nesting is an error, however deep") {
    Serving serving;
    for (const std::size_t depth : {101u, 10000u, 1000000u}) {
      for (const char* bracket : {"[", "{\"a\":", "[{\"params\":"}) {
        const std::string answer = answer_to(serving, repeated(bracket, depth));
        CHECK(answer.find("nested more than 100 deep") != answer.npos);
        CHECK(answer.find("-32700") != answer.npos);
      }
      const std::string answer = answer_to(
          serving, kCall + "{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"id\":1,\"params\":" +
                       repeated("[", depth));
      CHECK(answer.substr(0, kAnswer.size()) == kAnswer);
      CHECK(answer.find("nested more than 100 deep") != answer.npos);
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("a batch of a million elements runs none of them") {
    Serving serving;
    const std::string element = "{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"id\":1}";
    const std::string refused =
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"the batch has "
        "too "
        "many elements\"}}\n";
    CHECK(answer_to(serving, "[1" + repeated(",1", 1000000) + "]" + kCall) == refused + kAnswer);
    CHECK(answer_to(serving, "[" + element + repeated("," + element, 100000) + "]") == refused);
    CHECK(serving.calls("Foo.Sum") == 1);
    CHECK(serving.serves_others());
  }

  TEST_CASE("a full batch of which each element is wrong in its own way is answered whole") {
    Serving serving;
    const std::string kinds[] = {"1",
                                 "{}",
                                 "[]",
                                 "{\"jsonrpc\":\"2.0\",\"method\":1}",
                                 "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":true}",
                                 "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":1}",
                                 "\"\\ud800\"",
                                 "null"};
    std::string batch = "[0";
    for (int i = 1; i < 1000; ++i) batch += "," + kinds[i % 8];
    const auto answers = nlohmann::json::parse(answer_to(serving, batch + "]"));
    CHECK(answers.size() == 1000);
    for (const auto& answer : answers) CHECK(answer["error"]["code"] == -32600);
  }

  TEST_CASE("the answers of many batches that wait together are bounded together") {
    ServerOptions options;
    options.max_message_size = 1u << 20;
    Serving serving(options);
    RawSocket peer(serving.address.str());
    // Each holds half a megabyte and waits for a call that does not end.
    const std::string batch =
        "[{\"jsonrpc\":\"2.0\",\"method\":\"Echo.Bytes\",\"params\":[500000],\"id\":1},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"Wait.Gate\",\"id\":2}]\n";
    for (int i = 0; i < 20; ++i) peer.send_all(batch);
    CHECK(serving.gate.wait_for(20));
    CHECK(test::eventually([&] { return serving.ended("Echo.Bytes") == 20; }));
    serving.gate.open();
    int whole = 0, refused = 0;
    for (int i = 0; i < 20; ++i) {
      const auto answers = nlohmann::json::parse(peer.recv_until("\n"));
      REQUIRE(answers.size() == 2);
      for (const auto& answer : answers) {
        if (answer["id"] != 1) continue;
        if (answer.contains("result")) {
          ++whole;
        } else {
          CHECK(answer["error"]["code"] == -32008);
          ++refused;
        }
      }
    }
    CHECK(whole == 2);
    CHECK(refused == 18);
  }

  TEST_CASE("a peer that never reads its answers is given up") {
    ServerOptions options;
    options.write_timeout = 200ms * test::kSlowdown;
    Serving serving(options);
    RawSocket peer(serving.address.str());
    const std::string request =
        "{\"jsonrpc\":\"2.0\",\"method\":\"Echo.Bytes\",\"params\":[100000],\"id\":1}\n";
    std::size_t sent = 0;
    while (sent < (1u << 30) && peer.try_send_all(request)) sent += request.size();
    CHECK(sent < (1u << 30));
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
  }

  TEST_CASE("half a request and then silence is closed after the receive timeout") {
    ServerOptions options;
    options.receive_timeout = options.handshake_timeout = 200ms * test::kSlowdown;
    Serving serving(options);
    RawSocket first(serving.address.str()), later(serving.address.str());
    first.send_all("{\"jsonrpc\":");
    later.send_all(kCall + "[" + kCall);
    CHECK(later.recv_until("\n") == kAnswer);
    CHECK(first.wait_closed());
    CHECK(later.wait_closed());
    CHECK(serving.serves_others());
  }
}
