// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A server that breaks the protocol: a clear error, bounded memory, and the next call connects
// anew.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <functional>
#include <string>
#include <thread>

#include "scripted_server.hpp"

namespace {

using geerpc::StatusCode;

// Makes a call, answers it with what `answer(seq)` gives, closes, and returns how the call ended.
geerpc::Result<int> call_answered_by(const std::function<std::string(unsigned)>& answer,
                                     geerpc::ClientOptions options = {}) {
  test::ScriptedServer server;
  geerpc::Client client(server.address(), options);
  auto future = client.async<int>("A.B");
  {
    test::Peer peer = server.accept();
    peer.socket.try_send_all(answer(peer.read_request().seq));
    peer.socket.half_close();
    CHECK(future.wait_for(test::kPatience));
  }
  // Whatever it was, the client goes on, once it has seen the end of that connection.
  std::thread next(
      [&] { CHECK(test::eventually([&] { return client.try_call<int>("A.B").ok(); })); });
  test::Peer peer = server.accept();
  peer.reply(peer.read_request().seq, 9);
  next.join();
  return future.try_get();
}

std::string json_reply(const std::string& seq, const std::string& body,
                       const std::string& error = "") {
  return "{\"ServiceMethod\":\"A.B\",\"Seq\":" + seq + ",\"Error\":\"" + error + "\"}\n" + body +
         "\n";
}

}  // namespace

TEST_CASE("random bytes from the server are data_loss") {
  unsigned state = 1;
  for (int round = 0; round < 20; ++round) {
    const auto result = call_answered_by([&](unsigned) {
      std::string junk(200, '\0');
      for (char& c : junk) {
        state = state * 1103515245 + 12345;
        c = static_cast<char>(state >> 16);
      }
      junk[0] = static_cast<char>(junk[0] | '\x40');  // a length over any limit
      return junk;
    });
    CHECK(result.code() == StatusCode::data_loss);
    CHECK(result.error().may_have_run());
    CHECK(result.error().cause().rfind("the server sent nonsense: ", 0) == 0);
  }
}

TEST_CASE("a frame that claims 4 GB, or more than the limit, is refused without memory for it") {
  const auto huge = call_answered_by([](unsigned) { return std::string(4, '\xFF') + "x"; });
  CHECK(huge.code() == StatusCode::data_loss);
  CHECK(huge.error().cause().find("larger than the limit") != std::string::npos);
  geerpc::ClientOptions options;
  options.max_message_size = 1000;
  const auto large = call_answered_by(
      [](unsigned seq) { return test::frame("\x92\x01" + test::tiny(seq) + std::string(2000, 1)); },
      options);
  CHECK(large.code() == StatusCode::resource_exhausted);  // and the connection goes on
}

TEST_CASE("a reply that is cut off at any byte is a lost connection") {
  const std::size_t size = test::reply_frame(1, 5).size();
  for (std::size_t cut = 0; cut < size; ++cut) {
    CAPTURE(cut);
    const auto result =
        call_answered_by([&](unsigned seq) { return test::reply_frame(seq, 5).substr(0, cut); });
    CHECK(result.code() == StatusCode::unavailable);
    CHECK(result.error().may_have_run());
  }
}

TEST_CASE("a frame with a broken header is data_loss") {
  for (const char* content : {"", "\x91\x01", "\xC1", "\x92\xA1x\x01", "\x01\x01\x01"}) {
    const auto result = call_answered_by([&](unsigned) { return test::frame(content); });
    CHECK(result.code() == StatusCode::data_loss);
  }
}

TEST_CASE("a reply with too little, too much or another body is an error of its call alone") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  auto start = client.async<int>("A.B");
  test::Peer peer = server.accept();
  peer.reply(peer.read_request().seq, 1);
  CHECK(start.get() == 1);
  for (const char* body : {"", "\x01\x01", "\xA1x", "\xC1", "\xDD\xFF\xFF\xFF\xFF"}) {
    auto future = client.async<int>("A.B");
    const unsigned seq = peer.read_request().seq;
    peer.socket.send_all(test::frame("\x92\x01" + test::tiny(seq) + body));
    CHECK(future.try_get().code() == StatusCode::internal);
  }
}

TEST_CASE("a reply nested 100,000 deep is refused") {
  const auto result = call_answered_by([](unsigned seq) {
    return test::frame("\x92\x01" + test::tiny(seq) + std::string(100000, '\x91') + "\x01") +
           test::goaway_frame(1);
  });
  CHECK(result.code() == StatusCode::internal);
}

TEST_CASE("replies to calls never made, and second replies, are dropped") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  auto first = client.async<int>("A.B");
  auto second = client.async<int>("A.B");
  test::Peer peer = server.accept();
  const unsigned seq1 = peer.read_request().seq;
  const unsigned seq2 = peer.read_request().seq;
  peer.socket.send_all(test::reply_frame(99, 1) + test::reply_frame(0, 1) +
                       test::error_frame(77, StatusCode::internal, "what?", true) +
                       test::reply_frame(seq1, 1) + test::reply_frame(seq1, 2) +
                       test::error_frame(seq1, StatusCode::internal, "late", true) +
                       test::reply_frame(seq2, 3));
  CHECK(first.get() == 1);
  CHECK(second.get() == 3);
  auto third = client.async<int>("A.B");
  peer.reply(peer.read_request().seq, 4);
  CHECK(third.get() == 4);
}

TEST_CASE("frames of kinds that a client does not know are skipped") {
  const auto result = call_answered_by([](unsigned seq) {
    return test::frame(std::string("\x93\x00", 2) + test::tiny(seq) + "\xA1m") +
           test::frame("\x92\x63" + test::tiny(seq)) +
           test::frame("\x94\x01" + test::tiny(seq) + "\xC0\xA1x\x07");
  });
  CHECK(result.code() != StatusCode::data_loss);
  CHECK((result.ok() ? result.value() : 0) == 7);
}

TEST_CASE("an error with a code that nobody knows, or without a text, is still an error") {
  const auto unknown = call_answered_by([](unsigned seq) {
    return test::frame("\x95\x02" + test::tiny(seq) + "\x63" + test::text("odd") + "\xC3");
  });
  CHECK(unknown.code() == StatusCode::unknown);
  CHECK(unknown.error().cause() == "odd");
  const auto ok = call_answered_by([](unsigned seq) {
    return test::frame("\x95\x02" + test::tiny(seq) + test::tiny(0) + test::text("") + "\xC3");
  });
  CHECK(ok.code() == StatusCode::unknown);
}

TEST_CASE("replies that arrive one byte at a time are put together") {
  test::ScriptedServer server;
  geerpc::Client client(server.address());
  auto future = client.async<int>("A.B");
  test::Peer peer = server.accept();
  for (const char byte : test::reply_frame(peer.read_request().seq, 5)) {
    peer.socket.send_all(std::string_view(&byte, 1));
  }
  CHECK(future.get() == 5);
}

TEST_CASE("bad answers to CONNECT are errors that say what came") {
  for (const auto& test_case : std::vector<std::pair<std::string, std::string>>{
           {"HTTP/1.0 404 Not Found\r\n\r\n", "404 Not Found"},
           {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "302 Found"},
           {"no HTTP at all\n\n", ""},
           {std::string(20000, 'x'), ""},
           {"", ""}}) {
    const std::string& answer = test_case.first;
    const std::string& hint = test_case.second;
    CAPTURE(answer);
    test::RawListener listener;
    geerpc::Client client("http@127.0.0.1:" + std::to_string(listener.port()));
    auto future = client.async<int>("A.B");
    {
      test::RawSocket socket = listener.accept();
      socket.recv_until("\r\n\r\n");
      socket.try_send_all(answer);
      socket.half_close();
      CHECK(future.wait_for(test::kPatience));
    }
    const auto result = future.try_get();
    REQUIRE_FALSE(result.ok());
    CHECK_FALSE(result.error().may_have_run());
    CHECK(result.error().cause().find(hint) != std::string::npos);
  }
}

TEST_CASE("a JSON server's garbage, lost replies and odd headers are handled as well") {
  geerpc::ClientOptions options;
  options.codec = &geerpc::json_codec();
  test::ScriptedServer server;
  const auto answer = [&](const std::string& text) {
    geerpc::Client client(server.address(), options);
    auto future = client.async<int>("A.B");
    test::Peer peer = server.accept();
    peer.socket.recv_until("null\n");
    peer.socket.try_send_all(text);
    peer.socket.half_close();
    return future.try_get();
  };
  CHECK(answer("complete rubbish\n").code() == StatusCode::data_loss);
  CHECK(answer("[1,2]\n3\n").code() == StatusCode::data_loss);
  CHECK(answer(json_reply("-1", "5")).code() == StatusCode::data_loss);
  CHECK(answer(json_reply("1", std::string(100000, '['))).code() == StatusCode::data_loss);
  CHECK(answer(json_reply("1", "")).code() == StatusCode::unavailable);
  CHECK(answer("{\"ServiceMethod\":\"A.B\",\"Se").code() == StatusCode::unavailable);
  CHECK(answer(json_reply("1", "\"text\"")).code() == StatusCode::internal);
  CHECK(answer(json_reply("1", "5")).value() == 5);
  CHECK(answer(json_reply("0", "4") + json_reply("99", "4") + json_reply("1", "5")).value() == 5);
  CHECK(answer("{\"seq\":1}\n5\n").value() == 5);
  CHECK(answer(json_reply("1", "{}", "failed")).error().cause() == "failed");
  CHECK(answer(json_reply("1", "[1,{\"what\":\"ever\"}]", "failed")).error().cause() == "failed");
  CHECK(answer(json_reply("1", "5").substr(0, 10) + "\xFF\xFE").code() != StatusCode::ok);
}
