// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// How a connection begins: the option, and HTTP CONNECT in front of it.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include "../server/serving.hpp"

using namespace std::chrono_literals;
using geerpc::Error;
using geerpc::detail::encode_option;
using geerpc::detail::Option;
using geerpc::detail::parse_option;
using test::frame;
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

const std::string kConnected = "HTTP/1.0 200 Connected to Gee RPC\r\n\r\n";

// Sends bytes one by one, each in a packet of its own.
void send_slowly(RawSocket& peer, std::string_view bytes) {
  for (const char byte : bytes) peer.send_all(std::string_view(&byte, 1));
}

std::string answer_of(const Serving& serving, const std::string& request) {
  RawSocket peer(serving.address.str());
  peer.send_all(request);
  return peer.recv_all();
}

}  // namespace

TEST_SUITE("handshake") {
  TEST_CASE("an option is written as Go writes it") {
    Option option;
    option.magic = 3927900;
    option.codec = "application/gob";
    option.connect_timeout = 10s;
    CHECK(encode_option(option, false) ==
          "{\"MagicNumber\":3927900,\"CodecType\":\"application/gob\",\"ConnectTimeout\":"
          "10000000000,\"HandleTimeout\":0}\n");
    option.codec = "a\"b";
    option.handle_timeout = -1ns;
    option.extended = true;
    CHECK(encode_option(option, false) ==
          "{\"MagicNumber\":3927900,\"CodecType\":\"a\\\"b\",\"ConnectTimeout\":10000000000,"
          "\"HandleTimeout\":-1,\"Extended\":true}\n");
    const std::string padded = encode_option(option, true);
    CHECK(padded.size() == 512);
    CHECK(padded.find_first_not_of(' ') == 512 - encode_option(option, false).size());
    CHECK(padded.substr(padded.size() - 2) == "}\n");
  }

  TEST_CASE("an option is read as Go reads it") {
    const Option option = parse_option(
        " { \"codectype\" : "
        "\"application\\/json\",\n\"Later\":{\"a\":[1,2.5,null]},\"HANDLETIMEOUT\":"
        "-5,\"magicnumber\":3927900,\"ConnectTimeout\":null,\"Extended\":true } ");
    CHECK(option.magic == 3927900);
    CHECK(option.codec == "application/json");
    CHECK(option.handle_timeout == -5ns);
    CHECK(option.connect_timeout == 0ns);
    CHECK(option.extended);
    const Option empty = parse_option("{}");
    CHECK(empty.magic == 0);
    CHECK(empty.codec.empty());
    CHECK_FALSE(empty.extended);
    for (const char* text : {"", "{", "null", "[]", "{} x", "{\"MagicNumber\":3927900.0}",
                             "{\"MagicNumber\":\"3927900\"}", "{\"HandleTimeout\":\"2s\"}",
                             "{\"CodecType\":1}", "{\"MagicNumber\":1,}"}) {
      CAPTURE(text);
      CHECK_THROWS_AS(parse_option(text), Error);
    }
  }

  TEST_CASE("no byte is lost between the option and what follows in the same packet") {
    Serving serving;
    std::string requests;
    std::vector<std::string> replies;
    std::size_t all = 0;
    for (int seq = 0; seq < 50; ++seq) {
      requests += json_request("Foo.Sum", seq, "{\"Num1\":" + std::to_string(seq) + "}");
      replies.push_back(json_reply("Foo.Sum", seq, std::to_string(seq)));
      all += replies.back().size();
    }
    for (const std::string between : {"", " ", "\n", "\r\n \t\n"}) {
      CAPTURE(between);
      RawSocket peer(serving.address.str());
      peer.send_all(kJsonOption.substr(0, kJsonOption.size() - 1) + between + requests);
      // On a busy machine a call may be overtaken by others.
      const std::string received = peer.recv_exact(all);
      for (const std::string& reply : replies) {
        CAPTURE(reply);
        CHECK(received.find(reply) != received.npos);
      }
    }
    RawSocket frames(serving.address.str());
    frames.send_all(kFrameOption + kSumFrame + kSumFrame);
    CHECK(frames.recv_exact(2 * kSumReply.size()) == kSumReply + kSumReply);
    RawSocket http(serving.address.str());
    http.send_all("CONNECT /_geeprc_ HTTP/1.0\n\n" + kFrameOption + kSumFrame);
    CHECK(http.recv_exact(kConnected.size() + kSumReply.size()) == kConnected + kSumReply);
  }

  TEST_CASE("a handshake and requests may come byte by byte") {
    Serving serving;
    RawSocket json(serving.address.str());
    send_slowly(json, kJsonOption + json_request("Foo.Sum", 1, "{\"Num1\":3,\"Num2\":4}"));
    const std::string reply = json_reply("Foo.Sum", 1, "7");
    CHECK(json.recv_exact(reply.size()) == reply);
    RawSocket frames(serving.address.str());
    send_slowly(frames, "CONNECT /_geeprc_ HTTP/1.0\r\n\r\n" + kFrameOption + kSumFrame);
    CHECK(frames.recv_exact(kConnected.size() + kSumReply.size()) == kConnected + kSumReply);
  }

  TEST_CASE("the newline behind an option may be missing, or come later") {
    Serving serving;
    const std::string bare = kFrameOption.substr(0, kFrameOption.size() - 1);
    RawSocket without(serving.address.str());
    without.send_all(bare + kSumFrame);
    CHECK(without.recv_exact(kSumReply.size()) == kSumReply);
    RawSocket later(serving.address.str());
    later.send_all(bare);
    CHECK(later.silent_for(20ms));
    later.send_all("\n" + kSumFrame);
    CHECK(later.recv_exact(kSumReply.size()) == kSumReply);
  }

  TEST_CASE("blanks in front of an option do no harm, as clients for Go servers send them") {
    Serving serving;
    RawSocket peer(serving.address.str());
    peer.send_all(std::string(512 - kJsonOption.size(), ' ') + kJsonOption +
                  json_request("Foo.Sum", 1, "{\"Num1\":3,\"Num2\":4}"));
    const std::string reply = json_reply("Foo.Sum", 1, "7");
    CHECK(peer.recv_exact(reply.size()) == reply);
  }

  TEST_CASE("CONNECT opens a tunnel, with LF or CRLF, headers or none, on both paths") {
    Serving serving;
    for (const std::string request :
         {"CONNECT /_geeprc_ HTTP/1.0\n\n", "CONNECT /_geeprc_ HTTP/1.0\r\n\r\n",
          "CONNECT /_geerpc_ HTTP/1.0\n\n", "CONNECT /_geerpc_ HTTP/1.1\r\nHost: x\r\n\r\n",
          "CONNECT /_geeprc_ HTTP/1.1\nHost: x\nX-More: y\n\n"}) {
      CAPTURE(request);
      RawSocket peer(serving.address.str());
      peer.send_all(request);
      CHECK(peer.recv_exact(kConnected.size()) == kConnected);
      CHECK(peer.silent_for(0ms));  // a Go client would drop what stood behind the blank line
      peer.send_all(kFrameOption + kSumFrame);
      CHECK(peer.recv_exact(kSumReply.size()) == kSumReply);
    }
    geerpc::Client client(geerpc::Address("http@127.0.0.1:0").with_port(serving.address.port()));
    CHECK(client.call<int>("Foo.Sum", test::Args{1, 2}) == 3);
  }

  TEST_CASE("other HTTP requests are answered as Go answers them, and closed") {
    Serving serving;
    const std::string text = "Content-Type: text/plain; charset=utf-8\r\n";
    CHECK(answer_of(serving, "CONNECT /other HTTP/1.0\n\n") ==
          "HTTP/1.0 404 Not Found\r\n" + text + "Content-Length: 19\r\n\r\n404 page not found\n");
    CHECK(answer_of(serving, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") ==
          "HTTP/1.0 404 Not Found\r\n" + text + "Content-Length: 19\r\n\r\n404 page not found\n");
    for (const char* method : {"GET", "POST", "HEAD", "X"}) {
      CHECK(answer_of(serving, std::string(method) + " /_geeprc_ HTTP/1.1\r\nHost: x\r\n\r\n") ==
            "HTTP/1.0 405 Method Not Allowed\r\nAllow: CONNECT\r\n" + text +
                "Content-Length: 17\r\n\r\n405 must CONNECT\n");
    }
    for (const char* line : {"CONNECT", "CONNECT /_geeprc_", "CONNECT /_geeprc_ SPDY/3"}) {
      CAPTURE(line);
      CHECK(answer_of(serving, std::string(line) + "\n\n") ==
            "HTTP/1.0 400 Bad Request\r\n" + text + "Content-Length: 16\r\n\r\n400 bad request\n");
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("a client takes any good answer to CONNECT, and shows the bad ones") {
    using geerpc::detail::check_connect_answer;
    for (const char* head :
         {"HTTP/1.0 200 Connected to Gee RPC\n\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200\n\n"}) {
      CHECK_NOTHROW(check_connect_answer(head));
    }
    CHECK_THROWS_WITH_AS(check_connect_answer("HTTP/1.0 404 Not Found\r\n\r\n"),
                         "unexpected HTTP response: 404 Not Found", Error);
    CHECK_THROWS_WITH_AS(check_connect_answer("SSH-2.0-OpenSSH\x1b\n\n"),
                         "unexpected HTTP response: SSH-2.0-OpenSSH?", Error);
  }

  TEST_CASE("the end of an HTTP head is found, wherever the input is cut") {
    using geerpc::detail::find_http_head_end;
    for (const std::string head : {"A b\n\n", "A b\r\n\r\n", "A\nb: c\n\r\n", "A\r\nb: c\r\n\n"}) {
      std::size_t searched = 0;
      for (std::size_t n = 0; n < head.size(); ++n) {
        CHECK(find_http_head_end(std::string_view(head).substr(0, n), searched) == 0);
      }
      CHECK(find_http_head_end(head + "more\n\n", searched) == head.size());
    }
    std::size_t searched = 0;
    CHECK(find_http_head_end(std::string(8192, 'x'), searched) == 0);
    CHECK_THROWS_WITH_AS(find_http_head_end(std::string(8193, 'x'), searched),
                         "HTTP head of more than 8192 bytes", Error);
  }
}
