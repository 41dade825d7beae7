// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Calls side by side, and what becomes of one that fails.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <vector>

#include "serving.hpp"

using namespace std::chrono_literals;
using geerpc::CancelReason;
using geerpc::CancelSource;
using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Context;
using geerpc::Error;
using geerpc::Future;
using geerpc::Result;
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

namespace {

// Its encoding fails in a way that no library expects.
struct Strange {};
inline void to_json(nlohmann::json&, const Strange&) { throw 7; }
inline void from_json(const nlohmann::json&, Strange&) {}

ClientOptions with_codec(const geerpc::Codec& codec) {
  ClientOptions options;
  options.codec = &codec;
  return options;
}

}  // namespace

TEST_SUITE("server calls") {
  TEST_CASE("calls of one connection run at the same time, and a slow one holds up none") {
    for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
      Serving serving;
      Client client(serving.address, with_codec(*codec));
      std::vector<Future<bool>> slow;
      for (int i = 0; i < 10; ++i) slow.push_back(client.async<bool>("Wait.Gate"));
      REQUIRE(serving.gate.wait_for(10));
      for (int i = 0; i < 100; ++i) CHECK(client.call<int>("Foo.Sum", Args{i, 1}) == i + 1);
      CHECK(serving.server.connections() == 1);
      for (auto& call : slow) CHECK_FALSE(call.ready());
      serving.gate.open();
      for (auto& call : slow) CHECK(call.get());
    }
  }

  TEST_CASE("replies come as calls end, each under its number") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(kJsonOption + json_request("Wait.Gate", 1, "null"));
    for (int seq = 2; seq <= 3; ++seq) {
      peer.send_all(json_request("Foo.Sum", seq, "{\"Num1\":5}"));
      const std::string fast = json_reply("Foo.Sum", seq, "5");
      CHECK(peer.recv_exact(fast.size()) == fast);
    }
    serving.gate.open();
    const std::string slow = json_reply("Wait.Gate", 1, "true");
    CHECK(peer.recv_exact(slow.size()) == slow);
  }

  TEST_CASE("the same number twice is two calls") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(kFrameOption + kSumFrame + kSumFrame);
    CHECK(peer.recv_exact(2 * kSumReply.size()) == kSumReply + kSumReply);
  }

  TEST_CASE("whatever a handler throws reaches its caller, and the connection lives on") {
    ServerOptions options;
    options.max_message_size = 1u << 20;
    Serving serving(options);
    serving.server.add("Throw.Std", [](int) { throw std::runtime_error("100% sure: \"no\"\n"); });
    serving.server.add("Throw.Error",
                       [](int) { throw Error(StatusCode::permission_denied, "not you"); });
    serving.server.add("Throw.Empty", [](int) { throw std::runtime_error(""); });
    serving.server.add("Throw.Int", [](int i) { throw i; });
    serving.server.add("Throw.Ok", [](int) { throw Error(StatusCode::ok, "all is well"); });
    serving.server.add("Throw.NeverRan", [](int) {
      throw Error(StatusCode::unavailable, "my own server is away").never_ran();
    });
    serving.server.add("Throw.Large", [](int n) {
      throw std::runtime_error(std::string(static_cast<std::size_t>(n), 'x'));
    });
    for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
      CAPTURE(codec->content_type());
      Client client(serving.address, with_codec(*codec));
      const auto fails = [&](const char* method, StatusCode code, const std::string& text) {
        CAPTURE(method);
        const Result<void> result = client.try_call<void>(method, 1);
        REQUIRE_FALSE(result.ok());
        CHECK(result.code() == code);
        CHECK(result.error().cause() == text);
        CHECK(result.error().may_have_run());
        CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
      };
      fails("Throw.Std", StatusCode::unknown, "100% sure: \"no\"\n");
      fails("Throw.Error", StatusCode::permission_denied, "not you");
      fails("Throw.Empty", StatusCode::unknown, "failed without an error text");
      fails("Throw.Int", StatusCode::unknown,
            "the handler threw something that is no std::exception");
      fails("Throw.Ok", StatusCode::unknown, "all is well");
      fails("Throw.NeverRan", StatusCode::unavailable, "my own server is away");
      const Result<void> large = client.try_call<void>("Throw.Large", 3 << 20);
      CHECK(large.code() == StatusCode::unknown);
      CHECK(large.error().cause().size() <= 1u << 20);
      CHECK(large.error().cause().size() >= 1000);
    }
    CHECK(serving.only_connections(0));
  }

  TEST_CASE("each way not to be understood is an error of its own, in GeeRPC's words") {
    Serving serving;
    for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
      CAPTURE(codec->content_type());
      Client client(serving.address, with_codec(*codec));
      const auto fails = [&](const Result<int>& result, StatusCode code, const std::string& text) {
        REQUIRE_FALSE(result.ok());
        CHECK(result.code() == code);
        CHECK(result.error().cause() == text);
        CHECK_FALSE(result.error().may_have_run());
        CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
      };
      fails(client.try_call<int>("nodot", Args{}), StatusCode::invalid_argument,
            "rpc server: service/method request ill-formed: nodot");
      fails(client.try_call<int>("", Args{}), StatusCode::invalid_argument,
            "rpc server: service/method request ill-formed: ");
      fails(client.try_call<int>("Nope.Sum", Args{}), StatusCode::not_found,
            "rpc server: can't find service Nope");
      fails(client.try_call<int>("a.b.Foo.Sum", Args{}), StatusCode::not_found,
            "rpc server: can't find service a.b.Foo");
      fails(client.try_call<int>("Foo.Nope", Args{}), StatusCode::unimplemented,
            "rpc server: can't find method Nope");
      fails(client.try_call<int>("Foo.sum", Args{}), StatusCode::unimplemented,
            "rpc server: can't find method sum");
      fails(client.try_call<int>("Foo.", Args{}), StatusCode::unimplemented,
            "rpc server: can't find method ");
      const Result<int> undecodable = client.try_call<int>("Foo.Sum", std::string("three"));
      CHECK(undecodable.code() == StatusCode::invalid_argument);
      CHECK_FALSE(undecodable.error().may_have_run());
      CHECK_FALSE(undecodable.error().cause().empty());
      CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
    }
    CHECK(serving.calls("Foo.Sum") == 2 * 9);
    CHECK(serving.server.stats()[1].methods[0].errors == 2);
    CHECK(serving.server.stats()[1].name == "Foo");
  }

  TEST_CASE("the body of an unknown method is no request, however it looks") {
    Serving serving;
    RawSocket peer(serving.address.str());
    const std::string looks_like_one = "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":77,\"Error\":\"\"}";
    peer.send_all(kJsonOption + json_request("Foo.Nope", 1, looks_like_one) +
                  json_request("Foo.Sum", 2, "{\"Num1\":5}"));
    const std::string expected = json_error("Foo.Nope", 1, "rpc server: can't find method Nope") +
                                 json_reply("Foo.Sum", 2, "5");
    CHECK(peer.recv_exact(expected.size()) == expected);
    peer.half_close();
    CHECK(peer.recv_all().empty());
  }

  TEST_CASE("arguments with something behind them are not understood") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(kFrameOption + frame(kSumFrame.substr(4) + "\xc0"));
    CHECK(recv_frame(peer).substr(0, 4) == "\x95\x02\x01\x03");
    peer.send_all(kSumFrame);
    CHECK(peer.recv_exact(kSumReply.size()) == kSumReply);
  }

  TEST_CASE("a result that can't be encoded is an error of its call, without a byte of it") {
    Serving serving;
    serving.server.add("Bad.Infinite", [](int) {
      return std::vector<double>{1, std::numeric_limits<double>::infinity()};
    });
    serving.server.add("Bad.Strange", [](int) { return std::vector<Strange>(2); });
    Client client(serving.address, with_codec(geerpc::json_codec()));
    const auto infinite = client.try_call<std::vector<double>>("Bad.Infinite", 1);
    CHECK(infinite.code() == StatusCode::internal);
    CHECK(infinite.error().may_have_run());
    CHECK(infinite.error().cause().find("rpc server: can't encode the result: ") == 0);
    const auto strange = client.try_call<std::vector<Strange>>("Bad.Strange", 1);
    CHECK(strange.code() == StatusCode::internal);
    CHECK(strange.error().cause() == "rpc server: can't encode the result");
    CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
  }

  TEST_CASE("one way calls get no reply, whatever becomes of them") {
    Serving serving;
    RawSocket peer(serving.address.str());
    const auto notify = [](const std::string& method, const std::string& body) {
      return frame(std::string("\x93\x04\x01", 3) + static_cast<char>(0xa0 + method.size()) +
                   method + body);
    };
    peer.send_all(kFrameOption + notify("Foo.Sum", "\x80") + notify("Foo.Sum", "\xc3") +
                  notify("No.Such", "\xc0") + notify("nodot", "\xc0") + kSumFrame);
    CHECK(peer.recv_exact(kSumReply.size()) == kSumReply);
    peer.half_close();
    CHECK(peer.recv_all() == frame(std::string("\x92\x05\x05", 3)));  // goaway: five were read
    CHECK(serving.calls("Foo.Sum") == 3);
  }

  TEST_CASE("kinds of messages that a server does not know, or does not expect, are skipped") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(kFrameOption + frame(std::string("\x92\x01\x01\xc0", 4)) +
                  frame(std::string("\x92\x05\x01", 3)) + frame(std::string("\x92\x03\x63", 3)) +
                  frame(std::string("\x93\x7f\x01\x90garbage", 11)) + kSumFrame);
    CHECK(peer.recv_exact(kSumReply.size()) == kSumReply);
  }

  TEST_CASE("the handle timeout of the option ends a call, with exactly one reply") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(
        "{\"MagicNumber\":3927900,\"CodecType\":\"application/json\",\"HandleTimeout\":200000000}" +
        json_request("Wait.Gate", 1, "null"));
    const std::string late =
        json_error("Wait.Gate", 1, "rpc server: request handle timeout: expect within 200ms");
    CHECK(peer.recv_exact(late.size()) == late);
    REQUIRE(serving.gate.wait_for(1));
    serving.gate.open();  // now it returns: nothing more may come
    REQUIRE(serving.gate.wait_for(0));
    REQUIRE(eventually([&] { return serving.server.calls_in_flight() == 0; }));
    peer.send_all(json_request("Foo.Sum", 2, "{\"Num1\":5}"));
    const std::string next = json_reply("Foo.Sum", 2, "5");
    CHECK(peer.recv_exact(next.size()) == next);
    peer.half_close();
    CHECK(peer.recv_all().empty());
  }

  TEST_CASE("of three limits on a call's time the smallest counts") {
    const auto expected = [](const char* text) {
      return std::string("rpc server: request handle timeout: expect within ") + text;
    };
    const auto wait = [](const char timeout_in_header[9]) {
      return frame(std::string("\x94\x00\x01\xab", 4) + "Wait.Cancel" + '\xd3' +
                   std::string(timeout_in_header, 8) + "\xc0");
    };
    const std::string hour("\x00\x00\x03\x46\x30\xb8\xa0\x00", 8);  // 3.6e12 ns
    const std::string ms20("\x00\x00\x00\x00\x01\x31\x2d\x00", 8);  // 2e7 ns
    const std::string option_hour =
        "{\"MagicNumber\":3927900,\"CodecType\":\"application/msgpack\","
        "\"HandleTimeout\":3600000000000}\n";
    const std::string option_20ms =
        "{\"MagicNumber\":3927900,\"CodecType\":\"application/msgpack\",\"HandleTimeout\":20000000}"
        "\n";
    struct Case {
      std::string option, header;
      std::chrono::nanoseconds maximum;
    };
    for (const Case& limits : {Case{option_hour, ms20, 1h}, Case{option_20ms, hour, 1h},
                               Case{option_hour, hour, 20ms}, Case{kFrameOption, ms20, 0ms}}) {
      ServerOptions options;
      options.max_handle_time = limits.maximum;
      Serving serving(options);
      RawSocket peer(serving.address.str());
      peer.send_all(limits.option + wait(limits.header.c_str()));
      const std::string answer = recv_frame(peer);
      CHECK(answer.substr(0, 4) == "\x95\x02\x01\x04");
      CHECK(answer.find(expected("20ms")) != answer.npos);
      CHECK(eventually([&] { return serving.reason == CancelReason::deadline; }));
    }
    // A call whose time was over before it came does not run.
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(kFrameOption +
                  frame(std::string("\x94\x00\x01\xa7", 4) + "Foo.Sum" + "\xff\x80"));
    const std::string answer = recv_frame(peer);
    CHECK(answer.find(expected("-1ns")) != answer.npos);
    CHECK(answer.back() == '\xc2');  // it never ran
  }

  TEST_CASE("a handler sees its deadline, peer and metadata") {
    Serving serving;
    std::mutex mutex;
    Context last;
    serving.server.add("See.Context", [&](const Context& context, int) {
      const std::lock_guard<std::mutex> lock(mutex);
      last = context;
    });
    const auto look = [&] {
      const std::lock_guard<std::mutex> lock(mutex);
      return last;
    };
    for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
      Client client(serving.address, with_codec(*codec));
      const auto before = Context::Clock::now();
      client.call<void>(Context::with_timeout(50s).set_metadata({{"trace", "a\"b"}, {"x", ""}}),
                        "See.Context", 1);
      const Context seen = look();
      CHECK(seen.deadline() > before + 40s);
      CHECK(seen.deadline() < before + 100s);
      CHECK(seen.metadata() == geerpc::Metadata{{"trace", "a\"b"}, {"x", ""}});
      CHECK(seen.peer().find("tcp@127.0.0.1:") == 0);
      CHECK(seen.peer() != serving.address.str());
      CHECK_FALSE(seen.draining());
      CHECK(seen.reason() == CancelReason::none);
    }
    RawSocket peer(serving.address.str());
    peer.send_all(kJsonOption + json_request("See.Context", 1, "1"));
    peer.recv_until("null\n");
    const Context seen = look();
    CHECK_FALSE(seen.has_deadline());
    CHECK(seen.metadata().empty());
  }

  TEST_CASE("a handler sees that its caller cancels, and that its client is gone") {
    Serving serving;
    CancelSource source;
    auto client = std::make_unique<Client>(serving.address);
    auto cancelled = client->async<void>(Context::with_cancel(source.token()), "Wait.Cancel");
    REQUIRE(eventually([&] { return serving.waiting == 1; }));
    source.cancel();
    CHECK(eventually([&] { return serving.waiting == 0; }));
    CHECK(serving.reason == CancelReason::requested);
    CHECK(cancelled.try_get().code() == StatusCode::cancelled);
    auto gone = client->async<void>("Wait.Cancel");
    REQUIRE(eventually([&] { return serving.waiting == 1; }));
    client.reset();
    CHECK(eventually([&] { return serving.waiting == 0; }));
    CHECK(serving.reason == CancelReason::client_gone);
  }

  TEST_CASE("a JSON peer that closed its writing half still gets its replies") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(kJsonOption + json_request("Wait.Gate", 1, "null"));
    peer.half_close();
    REQUIRE(serving.gate.wait_for(1));
    CHECK(serving.serves_others());
    serving.gate.open();
    CHECK(peer.recv_all() == json_reply("Wait.Gate", 1, "true"));
  }

  TEST_CASE("counters tell calls, errors, those in flight and their time") {
    Serving serving;
    Client client(serving.address);
    for (int i = 0; i < 3; ++i) client.call<int>("Foo.Sum", Args{1, 2});
    CHECK_FALSE(client.try_call<int>("Foo.Sum", 1).ok());
    auto slow = client.async<bool>("Wait.Gate");
    REQUIRE(serving.gate.wait_for(1));
    auto services = serving.server.stats();
    REQUIRE(services.size() == 3);
    CHECK(services[0].name == "Echo");
    CHECK(services[1].name == "Foo");
    CHECK(services[2].name == "Wait");
    REQUIRE(services[1].methods.size() == 1);
    CHECK(services[1].methods[0].name == "Sum");
    CHECK(services[1].methods[0].signature == "Sum(Args) int");
    CHECK(services[1].methods[0].calls == 4);
    CHECK(services[1].methods[0].errors == 1);
    CHECK(services[1].methods[0].in_flight == 0);
    CHECK(services[1].methods[0].max_time > 0ns);
    CHECK(services[1].methods[0].total_time >= services[1].methods[0].max_time);
    REQUIRE(services[2].methods.size() == 2);
    CHECK(services[2].methods[0].name == "Cancel");
    CHECK(services[2].methods[1].name == "Gate");
    CHECK(services[2].methods[1].in_flight == 1);
    CHECK(services[2].methods[1].total_time == 0ns);
    CHECK(serving.server.calls_in_flight() == 1);
    serving.gate.open();
    CHECK(slow.get());
    CHECK(eventually([&] { return serving.server.calls_in_flight() == 0; }));
    CHECK(serving.server.stats()[2].methods[1].in_flight == 0);
    // A call that ran out of time counts as failed.
    ClientOptions options;
    options.handle_timeout = 20ms;
    Client impatient(serving.address, options);
    CHECK_FALSE(impatient.try_call<void>("Wait.Cancel").ok());
    CHECK(eventually([&] { return serving.server.stats()[2].methods[0].errors == 1; }));
  }
}
