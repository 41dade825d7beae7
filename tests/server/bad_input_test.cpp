// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Whatever a peer sends: it gets a clear error or loses its connection, and nobody else notices.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <random>

#include "serving.hpp"

using namespace std::chrono_literals;
using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Error;
using geerpc::ServerOptions;
using geerpc::StatusCode;
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

// Sends `block` again and again, until the server has had enough or `limit` bytes are sent.
// Returns how many it took.
std::size_t flood(RawSocket& peer, const std::string& block, std::size_t limit) {
  std::size_t sent = 0;
  while (sent < limit && peer.try_send_all(block)) sent += block.size();
  return sent;
}

// What Linux may hold in the socket buffers of one connection, generously.
constexpr std::size_t kSocketBuffers = 32u << 20;

std::string error_frame(char seq, StatusCode code, const std::string& text, bool may_have_run) {
  REQUIRE(text.size() >= 32);
  REQUIRE(text.size() < 256);
  return std::string("\x95\x02") + seq + static_cast<char>(code) + '\xd9' +
         static_cast<char>(text.size()) + text + (may_have_run ? '\xc3' : '\xc2');
}

}  // namespace

TEST_SUITE("bad input") {
  TEST_CASE("random bytes end their connection only") {
    Serving serving;
    REQUIRE(serving.serves_others());
    std::mt19937 random(20240229);
    for (const std::string& start : {std::string(), std::string("CONNECT "), kJsonOption,
                                     kJsonOption + json_request("Foo.Sum", 1, ""), kFrameOption,
                                     kFrameOption + std::string("\0\0\1\0", 4)}) {
      for (int round = 0; round < 40; ++round) {
        std::string bytes(1 + random() % 3000, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        RawSocket peer(serving.address.str());
        if (peer.try_send_all(start + bytes)) peer.half_close();
        CHECK(peer.wait_closed());
      }
    }
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
    CHECK(test::eventually([&] { return serving.server.calls_in_flight() == 0; }));
  }

  TEST_CASE("half an option and then silence is closed after the handshake timeout") {
    ServerOptions options;
    options.handshake_timeout = 250ms * test::kSlowdown;
    Serving serving(options);
    RawSocket nothing(serving.address.str()), half(serving.address.str()),
        head(serving.address.str());
    half.send_all(kJsonOption.substr(0, 40));
    head.send_all("CONNECT /_geeprc_ HT");
    CHECK(serving.serves_others());
    CHECK(nothing.wait_closed());
    CHECK(half.wait_closed());
    CHECK(head.wait_closed());
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
  }

  TEST_CASE("an option of 1 GB is not taken in, nor is a first request") {
    ServerOptions options;
    options.max_message_size = 1u << 20;
    Serving serving(options);
    for (const char* start : {"", "{\"MagicNumber\":", "{\"CodecType\":\"", "{\"x\":["}) {
      CAPTURE(start);
      for (const char filler : {' ', '1', 'x'}) {
        CAPTURE(filler);
        RawSocket peer(serving.address.str());
        CHECK(peer.try_send_all(start));
        CHECK(flood(peer, std::string(1 << 16, filler), 1u << 30) <= kSocketBuffers);
        CHECK(peer.wait_closed());
      }
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("an option may have 4096 bytes and no more") {
    Serving serving;
    RawSocket fits(serving.address.str());
    fits.send_all(std::string(4096 - (kJsonOption.size() - 1), ' ') + kJsonOption +
                  json_request("Foo.Sum", 1, "{\"Num1\":1}"));
    const std::string reply = json_reply("Foo.Sum", 1, "1");
    CHECK(fits.recv_exact(reply.size()) == reply);
    RawSocket too_long(serving.address.str());
    too_long.send_all(std::string(4097 - (kJsonOption.size() - 1), ' ') + kJsonOption);
    CHECK(too_long.wait_closed());
  }

  TEST_CASE("a wrong magic number is refused in words") {
    Serving serving;
    RawSocket json(serving.address.str());
    json.send_all("{\"MagicNumber\":3927901,\"CodecType\":\"application/json\"}\n");
    CHECK(json.recv_all() == json_error("", 0, "rpc server: invalid magic number 3927901"));
    RawSocket frames(serving.address.str());
    frames.send_all("{\"CodecType\":\"application/msgpack\"}\n");
    CHECK(recv_frame(frames) == error_frame(0, StatusCode::invalid_argument,
                                            "rpc server: invalid magic number 0", false));
    CHECK(frames.recv_all().empty());
    // Our own clients also get the code.
    RawSocket extended(serving.address.str());
    extended.send_all("{\"MagicNumber\":1,\"CodecType\":\"application/json\",\"Extended\":true}\n");
    CHECK(extended.recv_all() ==
          "{\"ServiceMethod\":\"\",\"Seq\":0,\"Error\":\"rpc server: invalid magic number 1\","
          "\"Code\":3,\"NeverRan\":true}\n{}\n");
    CHECK(serving.serves_others());
  }

  TEST_CASE("a refused option is answered in words, unless its sender may be a Go program") {
    Serving serving;
    RawSocket xml(serving.address.str());
    xml.send_all("{\"MagicNumber\":3927900,\"CodecType\":\"application/xml\"}\n");
    CHECK(recv_frame(xml) == error_frame(0, StatusCode::unimplemented,
                                         "rpc server: invalid codec type application/xml", false));
    CHECK(xml.recv_all().empty());
    for (const char* option :
         {"{\"MagicNumber\":1,\"CodecType\":\"application/gob\"}\n", "{\"MagicNumber\":3927900}\n",
          "{\"MagicNumber\":3927900,\"CodecType\":null}\n"}) {
      CAPTURE(option);
      RawSocket peer(serving.address.str());
      peer.send_all(option);
      CHECK(peer.recv_all().empty());
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("a refusal is readable although much more was sent behind the option") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all("{\"MagicNumber\":1,\"CodecType\":\"application/json\"}\n" +
                  std::string(200000, 'x'));
    CHECK(peer.recv_all() == json_error("", 0, "rpc server: invalid magic number 1"));
  }

  TEST_CASE("an option of wrong types is no option") {
    Serving serving;
    const std::string codec = "\"CodecType\":\"application/json\"";
    for (const std::string& option :
         {std::string("null"), std::string("7 "), std::string("\"option\""), std::string("true "),
          "{\"MagicNumber\":\"3927900\"," + codec + "}",
          "{\"MagicNumber\":3927900.0," + codec + "}", "{\"MagicNumber\":1e400," + codec + "}",
          "{\"MagicNumber\":99999999999999999999," + codec + "}",
          "{\"MagicNumber\":[3927900]," + codec + "}",
          std::string("{\"MagicNumber\":3927900,\"CodecType\":5}"),
          "{\"MagicNumber\":3927900," + codec + ",\"HandleTimeout\":\"2s\"}",
          "{\"MagicNumber\":3927900," + codec + ",\"ConnectTimeout\":{}}",
          "{\"MagicNumber\":3927900," + codec + ",\"HandleTimeout\":1.5}",
          "{\"MagicNumber\":3927900," + codec + ",\"Extended\":1}",
          "{\"MagicNumber\":3927900," + codec + ",}", "{\"MagicNumber\" 3927900," + codec + "}"}) {
      CAPTURE(option);
      RawSocket peer(serving.address.str());
      peer.send_all(option + "\n");
      CHECK(peer.wait_closed());
    }
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
  }

  TEST_CASE("a negative handle timeout times every call out, and the connection lives on") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(
        "{\"MagicNumber\":3927900,\"CodecType\":\"application/json\",\"ConnectTimeout\":-5,"
        "\"HandleTimeout\":-1000000000}\n");
    for (int seq = 1; seq <= 3; ++seq) {
      peer.send_all(json_request("Foo.Sum", seq, "{\"Num1\":1}"));
      const std::string expected =
          json_error("Foo.Sum", seq, "rpc server: request handle timeout: expect within -1s");
      CHECK(peer.recv_exact(expected.size()) == expected);
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("garbage behind the option is answered and ends the connection") {
    Serving serving;
    RawSocket json(serving.address.str());
    json.send_all(kJsonOption.substr(0, kJsonOption.size() - 1) + "}}}\n");
    json.half_close();
    const std::string answer = json.recv_all();
    CAPTURE(answer);
    CHECK(answer.find("\"Seq\":0,\"Error\":\"") != answer.npos);
    RawSocket frames(serving.address.str());
    frames.send_all(kFrameOption + frame("garbage"));
    frames.half_close();
    const std::string content = recv_frame(frames);
    CHECK(content.substr(0, 4) == std::string("\x95\x02\x00\x03", 4));
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
  }

  TEST_CASE("JSON nested 100,000 deep costs no stack, wherever it stands") {
    Serving serving;
    const std::string open(100000, '['), close(100000, ']');
    SUBCASE("in the option") {
      RawSocket peer(serving.address.str());
      peer.try_send_all("{\"x\":" + open + close + "}");
      CHECK(peer.wait_closed());
    }
    SUBCASE("in a header") {
      RawSocket peer(serving.address.str());
      peer.try_send_all(kJsonOption + "{\"x\":" + open + close + "}");
      const std::string answer = peer.recv_all();
      CHECK(answer == json_error("", 0, "the value is nested more than 100 deep"));
    }
    SUBCASE("in an argument") {
      RawSocket peer(serving.address.str());
      peer.try_send_all(kJsonOption +
                        json_request("Foo.Sum", 5, "{\"Unknown\":" + open + close + "}"));
      const std::string answer = peer.recv_all();
      CHECK(answer == json_error("Foo.Sum", 5, "the value is nested more than 100 deep"));
    }
    SUBCASE("as objects") {
      std::string objects;
      for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
      RawSocket peer(serving.address.str());
      peer.try_send_all(kJsonOption + json_request("Foo.Sum", 5, objects));
      CHECK(peer.recv_all() == json_error("Foo.Sum", 5, "the value is nested more than 100 deep"));
    }
    CHECK(serving.serves_others());
    CHECK(serving.calls("Foo.Sum") == 2);
  }

  TEST_CASE("MessagePack nested 100,000 deep costs no stack") {
    Serving serving;
    RawSocket peer(serving.address.str());
    const std::string nested = std::string(100000, '\x91') + '\xc0';
    peer.send_all(kFrameOption +
                  frame(std::string("\x93\x00\x05\xa7", 4) + "Foo.Sum" + "\x81\xa1x" + nested));
    CHECK(recv_frame(peer) == std::string("\x92\x01\x05\x00", 4));  // an unknown field: skipped
    peer.send_all(kSumFrame);
    CHECK(peer.recv_exact(kSumReply.size()) == kSumReply);
    // As a further element of the header it is skipped; what is missing then is the argument.
    peer.send_all(frame(std::string("\x96\x00\x06\xa7", 4) + "Foo.Sum" +
                        std::string("\x00\xc0", 2) + nested));
    CHECK(recv_frame(peer).substr(0, 4) == "\x95\x02\x06\x03");
    peer.send_all(kSumFrame);
    CHECK(peer.recv_exact(kSumReply.size()) == kSumReply);
    CHECK(serving.serves_others());
  }

  TEST_CASE("a frame whose length says 4 GB is refused before it comes") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(kFrameOption + "\xff\xff\xff\xff" + std::string("\x93\x00\x01x", 4));
    CHECK(recv_frame(peer) ==
          error_frame(0, StatusCode::resource_exhausted,
                      "message of 4294967295 bytes is larger than the limit of 67108864", true));
    CHECK(peer.wait_closed());
    CHECK(serving.serves_others());
    CHECK(serving.only_connections(1));
  }

  TEST_CASE("a stream that ends at any byte of an option, a message or a frame runs nothing") {
    Serving serving;
    REQUIRE(serving.serves_others());
    const std::string json = kJsonOption + json_request("Foo.Sum", 1, "{\"Num1\":3}");
    const std::string frames = kFrameOption + kSumFrame;
    const std::string http = "CONNECT /_geeprc_ HTTP/1.0\n\n" + frames;
    const auto before = serving.calls("Foo.Sum");
    for (const std::string& all : {json.substr(0, json.size() - 1), frames, http}) {
      for (std::size_t n = 0; n < all.size(); ++n) {
        RawSocket peer(serving.address.str());
        peer.send_all(std::string_view(all).substr(0, n));
        if (n % 2 == 0) {
          peer.half_close();
          CHECK(peer.wait_closed());
        } else {
          peer.close();
        }
      }
    }
    CHECK(serving.only_connections(1));
    CHECK(serving.calls("Foo.Sum") == before);
    CHECK(serving.serves_others());
  }

  TEST_CASE("a frame that was cut at any byte, length and all, is an error") {
    Serving serving;
    const std::string whole = kSumFrame.substr(4);
    const std::size_t header = 10;  // of the frame; behind it stand the arguments
    for (std::size_t n = 0; n < whole.size(); ++n) {
      CAPTURE(n);
      RawSocket peer(serving.address.str());
      peer.send_all(kFrameOption + frame(std::string_view(whole).substr(0, n)) + kSumFrame);
      const std::string answer = recv_frame(peer);
      CHECK(answer.substr(0, 2) == "\x95\x02");
      CHECK(answer[3] == '\x03');
      if (n >= header + 1) {  // the header can be read: that call alone fails
        CHECK(answer[2] == '\x01');
        CHECK(peer.recv_exact(kSumReply.size()) == kSumReply);
      }
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("invalid UTF-8 in a method's name, a text or a header leaves the connection whole") {
    Serving serving;
    RawSocket json(serving.address.str());
    json.send_all(kJsonOption + json_request("Foo.\xff\xfe", 1, "null"));
    CHECK(json.recv_until("{}\n") == json_error("Foo.\xef\xbf\xbd\xef\xbf\xbd", 1,
                                                "rpc server: can't find method "
                                                "\xef\xbf\xbd\xef\xbf\xbd"));
    json.send_all(json_request("Echo.Text", 2, "\"a\xc3(\xf0\x9f\""));
    const std::string echo = json.recv_until("\"\n");
    CHECK(echo ==
          "{\"ServiceMethod\":\"Echo.Text\",\"Seq\":2,\"Error\":\"\"}\n\"a\xef\xbf\xbd("
          "\xef\xbf\xbd\xef\xbf\xbd\"\n");
    json.send_all(json_request("Foo.Sum", 3, "{\"Num1\":3,\"\xff\":1}"));
    const std::string sum = json_reply("Foo.Sum", 3, "3");
    CHECK(json.recv_exact(sum.size()) == sum);

    RawSocket frames(serving.address.str());
    frames.send_all(kFrameOption + frame(std::string("\x93\x00\x01\xa2\xff\xfe", 6)));
    CHECK(recv_frame(frames).substr(0, 4) == "\x95\x02\x01\x03");
    frames.send_all(frame(std::string("\x93\x00\x02\xa9", 4) + "Echo.Text" + "\xa2\xff\xfe"));
    CHECK(recv_frame(frames) == std::string("\x92\x01\x02\xa2\xff\xfe", 6));  // as it came
    frames.send_all(kSumFrame);
    CHECK(frames.recv_exact(kSumReply.size()) == kSumReply);
    CHECK(serving.serves_others());
  }

  TEST_CASE("a peer that sends a byte now and then is closed when its time is up") {
    ServerOptions options;
    options.handshake_timeout = options.receive_timeout = 250ms * test::kSlowdown;
    Serving serving(options);
    for (const std::string& start :
         {std::string("{\"x\":\""), kJsonOption + '"', kFrameOption + std::string("\0\1\0\0", 4)}) {
      RawSocket peer(serving.address.str());
      peer.send_all(start);
      while (peer.try_send_all("x") && peer.silent_for(10ms)) {
      }
      CHECK(peer.wait_closed());
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("blanks without end do not keep a connection or the processor busy") {
    ServerOptions options;
    options.max_message_size = 1u << 20;
    Serving serving(options);
    for (const std::string& start : {kJsonOption, std::string("{\"method\":\"x\"}")}) {
      RawSocket peer(serving.address.str());
      peer.send_all(start);
      CHECK(flood(peer, std::string(1 << 16, ' '), 1u << 30) <= kSocketBuffers);
      CHECK(peer.wait_closed());
      CHECK(serving.serves_others());
    }
  }

  TEST_CASE("an HTTP request with a header of 1 MB is refused") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all("CONNECT /_geeprc_ HTTP/1.0\r\nX-Large: " + std::string(1 << 20, 'x') +
                  "\r\n\r\n");
    CHECK(peer.recv_all() ==
          "HTTP/1.0 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n");
    RawSocket endless(serving.address.str());
    endless.send_all("GET / HTTP/1.1\r\n");
    CHECK(flood(endless, std::string(1 << 16, 'x'), 1u << 30) <= kSocketBuffers);
    CHECK(endless.wait_closed());
    CHECK(serving.serves_others());
  }
}
