// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Each field of ServerOptions does what it says.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "serving.hpp"

using namespace std::chrono_literals;
using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Context;
using geerpc::Error;
using geerpc::Future;
using geerpc::ServerOptions;
using geerpc::StatusCode;
using test::Args;
using test::eventually;
using test::frame;
using test::json_error;
using test::json_reply;
using test::json_request;
using test::kFrameOption;
using test::kJsonOption;
using test::kSumFrame;
using test::kSumReply;
using test::RawSocket;
using test::recv_frame;
using test::Serving;

TEST_SUITE("server limits") {
  TEST_CASE(
      "a request larger than max_message_size is an error of its call, over JSON the last one") {
    ServerOptions options;
    options.max_message_size = 1000;
    Serving serving(options);
    RawSocket frames(serving.address.str());
    const std::string head = std::string("\x93\x00\x07\xa9", 4) + "Echo.Text";
    frames.send_all(kFrameOption + std::string("\x00\x00\x03\xe9", 4) + head +
                    std::string(1001 - head.size(), 'x') + kSumFrame);
    const std::string answer = recv_frame(frames);
    CHECK(answer.substr(0, 4) == std::string("\x95\x02\x07\x08", 4));
    CHECK(answer.find("message of 1001 bytes is larger than the limit of 1000") != answer.npos);
    CHECK(answer.back() == '\xc2');  // it never ran
    CHECK(frames.recv_exact(kSumReply.size()) == kSumReply);
    for (const bool at_once : {true, false}) {
      CAPTURE(at_once);
      RawSocket json(serving.address.str());
      const std::string request = json_request("Echo.Text", 9, '"' + std::string(1000, 'x') + '"');
      json.send_all(kJsonOption);
      if (at_once) {
        json.send_all(request);
      } else {
        json.send_all(request.substr(0, 900));
        json.send_all(request.substr(900));
      }
      CHECK(json.recv_all().find("\"Seq\":9,\"Error\":\"message of ") != std::string::npos);
    }
    CHECK(serving.serves_others());
    CHECK(serving.calls("Echo.Text") == 0);
  }

  TEST_CASE("a result larger than max_message_size is an error of its call only") {
    ServerOptions options;
    options.max_message_size = 1000;
    Serving serving(options);
    for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
      ClientOptions client_options;
      client_options.codec = codec;
      Client client(serving.address, client_options);
      CHECK(client.call<std::string>("Echo.Bytes", 900).size() == 900);
      const auto result = client.try_call<std::string>("Echo.Bytes", 1001);
      CHECK(result.code() == StatusCode::resource_exhausted);
      CHECK(result.error().may_have_run());
      CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
    }
    CHECK(serving.only_connections(0));
    CHECK(serving.server.stats()[0].methods[0].errors == 2);  // Echo.Bytes
  }

  TEST_CASE("connections over max_connections are closed at once, and others may follow later") {
    ServerOptions options;
    options.max_connections = 2;
    Serving serving(options);
    RawSocket first(serving.address.str());
    auto second = std::make_unique<RawSocket>(serving.address.str());
    REQUIRE(serving.only_connections(2));
    RawSocket third(serving.address.str());
    CHECK(third.wait_closed());
    first.send_all(kFrameOption + kSumFrame);
    CHECK(first.recv_exact(kSumReply.size()) == kSumReply);
    second.reset();
    REQUIRE(serving.only_connections(1));
    Client client(serving.address);
    CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
  }

  TEST_CASE("past max_calls_per_connection the further requests of a connection wait") {
    ServerOptions options;
    options.max_calls_per_connection = 3;
    Serving serving(options);
    Client client(serving.address);
    std::vector<Future<bool>> held;
    for (int i = 0; i < 5; ++i) held.push_back(client.async<bool>("Wait.Gate"));
    auto behind = client.async<int>("Foo.Sum", Args{1, 2});
    CHECK(serving.gate.wait_for(3));
    // Another connection has its own.
    Client other(serving.address);
    std::vector<Future<bool>> more;
    for (int i = 0; i < 2; ++i) more.push_back(other.async<bool>("Wait.Gate"));
    CHECK(serving.gate.wait_for(5));
    CHECK(other.call<int>("Foo.Sum", Args{2, 2}) == 4);
    CHECK(serving.calls("Wait.Gate") == 5);
    CHECK_FALSE(behind.ready());
    serving.gate.open();
    for (auto& future : held) CHECK(future.get());
    for (auto& future : more) CHECK(future.get());
    CHECK(behind.get() == 3);
  }

  TEST_CASE("past max_calls a call is refused without having run") {
    ServerOptions options;
    options.max_calls = 2;
    Serving serving(options);
    Client client(serving.address), other(serving.address);
    auto a = client.async<bool>("Wait.Gate");
    auto b = other.async<bool>("Wait.Gate");
    REQUIRE(serving.gate.wait_for(2));
    CHECK(serving.server.calls_in_flight() == 2);
    const auto refused = client.try_call<int>("Foo.Sum", Args{1, 2});
    CHECK(refused.code() == StatusCode::resource_exhausted);
    CHECK(refused.error().cause() == "rpc server: too many calls in flight");
    CHECK_FALSE(refused.error().may_have_run());
    CHECK(serving.calls("Foo.Sum") == 0);
    serving.gate.open();
    CHECK(a.get());
    CHECK(b.get());
    // A call ends a moment after its reply has left.
    REQUIRE(eventually([&] { return serving.server.calls_in_flight() < 2; }));
    CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
  }

  TEST_CASE("an idle connection is closed after idle_timeout, but not while a call runs on it") {
    ServerOptions options;
    options.idle_timeout = 150ms;
    Serving serving(options);
    RawSocket idle(serving.address.str());
    idle.send_all(kFrameOption + kSumFrame);
    CHECK(idle.recv_exact(kSumReply.size()) == kSumReply);
    RawSocket waiting(serving.address.str());
    waiting.send_all(kFrameOption +
                     frame(std::string("\x93\x00\x01\xab", 4) + "Wait.Cancel" + "\xc0"));
    REQUIRE(eventually([&] { return serving.waiting == 1; }));
    CHECK(idle.recv_all() == frame(std::string("\x92\x05\x01", 3)));  // goaway: one request read
    CHECK(waiting.silent_for(500ms));
    CHECK(serving.waiting == 1);
    waiting.send_all(frame(std::string("\x92\x03\x01", 3)));  // cancel
    CHECK(recv_frame(waiting) == std::string("\x92\x01\x01\xc0", 4));
    CHECK(serving.reason == geerpc::CancelReason::requested);
    CHECK(waiting.recv_all() == frame(std::string("\x92\x05\x01", 3)));
  }

  TEST_CASE("an idle connection holds nothing of its last request's header") {
    using namespace geerpc::detail;
    const ServerOptions options;
    ServerConnection connection(Socket(), std::make_shared<PeerInfo>(), options);
    Handshake::Agreement agreement;
    agreement.wire = make_wire(geerpc::json_codec(), {}, Wire::Side::server, false);
    connection.agree(std::move(agreement));
    const std::string large(1 << 20, 'x');
    connection.input().append("{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":1,\"Error\":\"" + large +
                              "\",\"Metadata\":{\"a\":\"" + large + "\"}}\n1\n");
    Message message;
    CHECK(connection.next_message(message));
    CHECK(message.kind == MessageKind::request);
    CHECK(message.metadata.at("a") == large);
    CHECK_FALSE(connection.next_message(message));
    CHECK(message.metadata.empty());
    CHECK(message.unescaped_text.capacity() < 100);
  }

  TEST_CASE("a peer that takes no byte of its replies is closed after write_timeout") {
    ServerOptions options;
    options.write_timeout = 100ms;
    Serving serving(options);
    RawSocket peer(serving.address.str(), 4096);
    const std::string request = frame(std::string("\x93\x00\x01\xaa", 4) + "Echo.Bytes" +
                                      std::string("\xce\x00\x10\x00\x00", 5));
    peer.send_all(kFrameOption);
    for (int i = 0; i < 64 && peer.try_send_all(request); ++i) {
    }
    CHECK(serving.only_connections(0));
    CHECK(serving.serves_others());
  }

  TEST_CASE("replies to a peer that does not read are bounded by max_queued_bytes") {
    ServerOptions options;
    options.max_queued_bytes = 1u << 20;
    Serving serving(options);
    RawSocket peer(serving.address.str(), 4096);
    std::string requests;
    const std::size_t reply = 64 << 10;
    for (int i = 0; i < 2000; ++i) {
      requests += frame(std::string("\x93\x00\x01\xaa", 4) + "Echo.Bytes" +
                        std::string("\xce\x00\x01\x00\x00", 5));
    }
    peer.send_all(kFrameOption + requests);  // 128 MB of replies
    CHECK(serving.serves_others());
    // It goes on until the buffers are full; then no further call begins.
    std::uint64_t calls = 0;
    int unchanged = 0;
    CHECK(eventually([&] {
      const std::uint64_t before = std::exchange(calls, serving.calls("Echo.Bytes"));
      unchanged = calls > 0 && calls == before ? unchanged + 1 : 0;
      return unchanged == 50;
    }));
    CHECK(calls * reply < (32u << 20));
    CHECK(serving.serves_others());
    // And when it reads after all, it gets them.
    for (int i = 0; i < 2000; ++i) {
      const std::string content = recv_frame(peer);
      REQUIRE(content.size() == 3 + 5 + reply);
    }
    CHECK(serving.calls("Echo.Bytes") == 2000);
  }

  TEST_CASE("with a small max_queued_bytes replies leave earlier, and all of them arrive") {
    for (const std::size_t most : {std::size_t{0}, std::size_t{1000}}) {
      ServerOptions options;
      options.max_queued_bytes = most;
      options.write_timeout = 0ns;  // none: who waits in vain waits for ever
      Serving serving(options);
      RawSocket peer(serving.address.str());
      std::string requests, replies;
      for (int i = 0; i < 500; ++i) {
        requests += kSumFrame;
        replies += kSumReply;
      }
      peer.send_all(kFrameOption + requests);
      CHECK(peer.recv_exact(replies.size()) == replies);
      CHECK(serving.serves_others());
    }
  }

  TEST_CASE("write_timeout does not end a connection whose peer reads slowly but steadily") {
    constexpr std::size_t large = 16u << 20, piece = 64u << 10;
    ServerOptions options;
    options.write_timeout = 1s;
    options.max_queued_bytes = 1000;
    Serving serving(options);
    serving.server.add("Slow.Large", [&] {
      serving.gate.pass();
      return std::string(large, 'x');
    });
    RawSocket peer(serving.address.str(), 65536);
    const auto request = [](char seq, const std::string& method, const std::string& body) {
      return frame(std::string("\x93\x00", 2) + seq + static_cast<char>(0xA0 + method.size()) +
                   method + body);
    };
    peer.send_all(kFrameOption + request('\x01', "Slow.Large", "\xc0") + kSumFrame);
    // So the connection was handed over, and the large reply leaves in a thread of its own.
    REQUIRE(recv_frame(peer).substr(0, 2) == "\x92\x01");
    serving.gate.open();
    std::string received = peer.recv_some(piece);
    // Behind it, first more than may be queued and then another one.
    peer.send_all(request('\x02', "Echo.Bytes", "\xcd\x07\xd0") + kSumFrame);
    const auto began = std::chrono::steady_clock::now();
    const std::size_t all = 4 + 3 + 5 + large + 4 + 3 + 3 + 2000 + kSumReply.size();
    while (received.size() < all) {
      const std::string some = peer.recv_some((std::min)(piece, all - received.size()));
      REQUIRE_FALSE(some.empty());
      received += some;
      std::this_thread::sleep_until(began + 2500ms * received.size() / all);  // its pace
    }
    CHECK(std::chrono::steady_clock::now() - began > options.write_timeout);
    CHECK(received.substr(all - kSumReply.size()) == kSumReply);
  }

  TEST_CASE("receive_timeout bounds a message that is too large, too") {
    ServerOptions options;
    options.max_message_size = 1000;
    options.receive_timeout = 300ms;
    Serving serving(options);
    RawSocket peer(serving.address.str());
    peer.send_all(kFrameOption + std::string("\x40\x00\x00\x00", 4) +
                  std::string("\x93\x00\x07\xa9", 4) + "Echo.Text");
    const std::string some(65536, 'x');
    peer.send_all(some);
    CHECK(recv_frame(peer).substr(0, 4) == std::string("\x95\x02\x07\x08", 4));
    // A byte now and then does not keep it open.
    CHECK(eventually([&] { return !peer.try_send_all("x"); }));
    CHECK(serving.serves_others());
  }

  TEST_CASE("max_depth bounds the nesting of what is read") {
    ServerOptions options;
    options.decode.max_depth = 3;
    Serving serving(options);
    serving.server.add("Deep.Size", [](std::vector<std::vector<std::vector<int>>> v) {
      return static_cast<int>(v.size());
    });
    serving.server.add("Deep.Deeper",
                       [](std::vector<std::vector<std::vector<std::vector<int>>>> v) {
                         return static_cast<int>(v.size());
                       });
    Client client(serving.address);
    CHECK(client.call<int>("Deep.Size", std::vector<std::vector<std::vector<int>>>{{{1}}}) == 1);
    const auto result = client.try_call<int>(
        "Deep.Deeper", std::vector<std::vector<std::vector<std::vector<int>>>>{{{{1}}}});
    CHECK(result.code() == StatusCode::invalid_argument);
    CHECK(result.error().cause() == "the value is nested more than 3 deep");
    CHECK_FALSE(result.error().may_have_run());
  }

  TEST_CASE("max_handle_time ends a call that takes longer, whatever its client allows") {
    ServerOptions options;
    options.max_handle_time = 30ms;
    Serving serving(options);
    Client client(serving.address);
    const auto result = client.try_call<void>(Context::with_timeout(60s), "Wait.Cancel");
    CHECK(result.code() == StatusCode::deadline_exceeded);
    CHECK(result.error().cause() == "rpc server: request handle timeout: expect within 30ms");
    CHECK(eventually([&] { return serving.waiting == 0; }));
    CHECK(serving.reason == geerpc::CancelReason::deadline);
  }
}
