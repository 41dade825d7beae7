// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Messages in gob, and how a port tells them from others. What Go programs send and expect is in
// tests/interop.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using geerpc::Buffer;
using geerpc::Codec;
using geerpc::Error;
using geerpc::Metadata;
using geerpc::StatusCode;
using geerpc::detail::encode_args;
using geerpc::detail::GobWire;
using geerpc::detail::Message;
using geerpc::detail::MessageKind;
using geerpc::detail::Opening;
using geerpc::detail::recognise;
using geerpc::detail::RequestHeader;
using geerpc::detail::Wire;
using geerpc::detail::WireLimits;

namespace {

struct Args {
  int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)
struct Fails {
  int value = 0;
};
void to_json(nlohmann::json&, const Fails&) { throw std::runtime_error("no"); }

WireLimits limit(std::size_t max_message = 64u << 20) {
  WireLimits limits;
  limits.max_message = max_message;
  return limits;
}
// Both ends of a connection.
struct Ends {
  GobWire client, server;
  explicit Ends(GobWire::Dialect dialect = GobWire::Dialect::geerpc, bool extended = true,
                std::size_t max_message = 64u << 20)
      : client(limit(), Wire::Side::client, dialect, extended),
        server(limit(max_message), Wire::Side::server, dialect, extended) {}

  template <class... A>
  std::string request(RequestHeader header, const A&... args) const {
    Buffer out;
    const auto body = [&](const Codec& codec, Buffer& to) { encode_args(codec, to, args...); };
    client.write_request(out, header, body);
    return std::string(out.view());
  }
  template <class T>
  std::string reply(std::uint64_t seq, const T& result) const {
    Buffer out;
    const auto body = [&](const Codec& codec, Buffer& to) { encode_args(codec, to, result); };
    server.write_reply(out, seq, "Foo.Sum", body);
    return std::string(out.view());
  }
  std::string error(std::uint64_t seq, const Error& error) const {
    Buffer out;
    server.write_error(out, seq, "Foo.Sum", error);
    return std::string(out.view());
  }
};

RequestHeader header(std::uint64_t seq, std::string_view method = "Foo.Sum") {
  RequestHeader h;
  h.seq = seq;
  h.method = method;
  return h;
}

// Reads all of `input`, which is a whole number of messages.
std::vector<Message> read_all(Wire& wire, std::string_view input) {
  std::vector<Message> messages;
  while (!input.empty()) {
    Message message;
    const std::size_t size = wire.read(input, message);
    REQUIRE(size != 0);
    if (message.kind != MessageKind::nothing) messages.push_back(std::move(message));
    input.remove_prefix(size);
  }
  return messages;
}
template <class T>
T decode(const Wire& wire, const Message& message) {
  T value{};
  geerpc::detail::decode(wire.codec(), message.body, value);
  return value;
}

}  // namespace

TEST_SUITE("gob wire") {
  TEST_CASE("requests, replies and errors arrive as they were sent") {
    Ends ends;
    const Metadata metadata{{"trace", "7"}};
    RequestHeader rich = header(2);
    rich.timeout = 5s;
    rich.metadata = &metadata;
    std::string requests = ends.request(header(1), Args{3, 4});
    requests += ends.request(rich, Args{5, 6});
    requests += ends.request(header(3));
    requests += ends.request(header(4), 1, "x");
    const std::vector<Message> got = read_all(ends.server, requests);
    REQUIRE(got.size() == 4);
    CHECK(got[0].kind == MessageKind::request);
    CHECK(got[0].seq == 1);
    CHECK(got[0].method == "Foo.Sum");
    CHECK(got[0].timeout == 0ns);
    CHECK(decode<Args>(ends.server, got[0]).Num2 == 4);
    CHECK(got[1].timeout == 5s);
    CHECK(got[1].metadata == metadata);
    CHECK(decode<Args>(ends.server, got[1]).Num2 == 6);
    CHECK(decode<std::pair<int, std::string>>(ends.server, got[3]).second == "x");

    std::string replies = ends.reply(1, 7);
    replies += ends.error(2, Error(StatusCode::permission_denied, "100% no").never_ran());
    replies += ends.error(3, Error(StatusCode::unknown, ""));
    const std::vector<Message> answers = read_all(ends.client, replies);
    REQUIRE(answers.size() == 3);
    CHECK(answers[0].kind == MessageKind::reply);
    CHECK(decode<int>(ends.client, answers[0]) == 7);
    CHECK(answers[1].kind == MessageKind::error);
    CHECK(answers[1].text == "100% no");
    CHECK(answers[1].code == StatusCode::permission_denied);
    CHECK_FALSE(answers[1].may_have_run);
    CHECK(answers[2].text == "failed without an error text");
  }

  TEST_CASE("net/rpc and Go GeeRPC peers see nothing that is ours, and errors by their texts") {
    for (const auto dialect : {GobWire::Dialect::net_rpc, GobWire::Dialect::geerpc}) {
      Ends ends(dialect, false);
      RequestHeader rich = header(0);
      rich.timeout = 5s;
      const std::string request = ends.request(rich, Args{3, 4});
      CHECK(request.find("Timeout") == request.npos);
      CHECK(read_all(ends.server, request).at(0).seq == 0);
      const std::string error =
          ends.error(0, ends.server.no_handler(geerpc::detail::NoHandler::no_method, "Foo.Sum"));
      CHECK(error.find("Code") == error.npos);
      const Message message = read_all(ends.client, error).at(0);
      CHECK(message.text == (dialect == GobWire::Dialect::net_rpc
                                 ? "rpc: can't find method Foo.Sum"
                                 : "rpc server: can't find method Sum"));
      CHECK(message.code == StatusCode::unimplemented);
      CHECK_FALSE(message.may_have_run);
    }
  }

  TEST_CASE("a stream may be cut anywhere, and is read once however often it is looked at") {
    Ends ends;
    std::string stream = ends.request(header(1), Args{3, 4});
    stream += ends.request(header(2, "Foo.Two"), std::string(300, 'x'));
    stream += ends.request(header(3), Args{5, 6});
    std::string input;
    std::vector<std::uint64_t> seqs;
    for (const char byte : stream) {
      input += byte;
      Message message;
      const std::size_t size = ends.server.read(input, message);
      CHECK((size == 0 || size == input.size()));
      if (size == 0) {
        CHECK(ends.server.missing() >= 1);
        continue;
      }
      seqs.push_back(message.seq);
      input.clear();
    }
    CHECK(input.empty());
    CHECK(seqs == std::vector<std::uint64_t>{1, 2, 3});
  }

  TEST_CASE("a message that fails midway leaves no trace, and its types are described later") {
    Ends ends;
    Buffer out;
    out.append("before");
    const auto fail = [](const Codec& codec, Buffer& to) {
      encode_args(codec, to, Args{1, 2}, Fails());
    };
    CHECK_THROWS_AS(ends.client.write_request(out, header(1), fail), Error);
    CHECK(out.view() == "before");
    const std::string stream = ends.request(header(1), Args{3, 4});
    CHECK(decode<Args>(ends.server, read_all(ends.server, stream).at(0)).Num2 == 4);
    // The same for one that turns out to be too large.
    Ends small(GobWire::Dialect::geerpc, true, 200);
    out.clear();
    const auto large = [](const Codec& codec, Buffer& to) {
      encode_args(codec, to, std::make_pair(1, std::string(300, 'x')));
    };
    CHECK_THROWS_AS(small.server.write_reply(out, 1, "Foo.Sum", large), Error);
    CHECK(out.view().empty());
    const std::string reply = small.reply(1, std::make_pair(1, std::string("y")));
    CHECK(decode<std::pair<int, std::string>>(small.client, read_all(small.client, reply).at(0))
              .second == "y");
    const std::string error = small.error(1, Error(StatusCode::unknown, std::string(1000, 'e')));
    CHECK(error.size() <= 300);
  }

  TEST_CASE("a body that is too large costs its call, not the connection") {
    Ends ends(GobWire::Dialect::geerpc, true, 400);
    const std::string large = ends.request(header(1), std::string(1000, 'x'));
    const std::string good = ends.request(header(2), Args{3, 4});
    for (std::size_t cut = 0; cut < large.size(); cut += 7) {
      Ends fresh(GobWire::Dialect::geerpc, true, 400);
      std::string input = large.substr(0, cut);
      std::vector<Message> got;
      const auto read = [&] {
        Message message;
        while (const std::size_t size = fresh.server.read(input, message)) {
          input.erase(0, size);
          if (message.kind != MessageKind::nothing) got.push_back(message);
          if (input.empty()) break;
        }
      };
      read();
      input += large.substr(cut) + good;
      read();
      REQUIRE(got.size() == 2);
      CHECK(got[0].too_large > 1000);
      CHECK(got[0].seq == 1);
      CHECK(got[1].seq == 2);
      CHECK(got[1].too_large == 0);
    }
    // But a header, and a definition, that is too large ends it.
    Ends names(GobWire::Dialect::geerpc, true, 400);
    Message message;
    CHECK_THROWS_AS(names.server.read(names.request(header(1, std::string(1000, 'm')), 1), message),
                    Error);
    CHECK(message.method.empty());
  }

  TEST_CASE("what is no header ends the stream; whose body is bad is known") {
    Ends ends;
    Buffer out;
    encode_args(ends.client.codec(), out, Args{3, 4});
    Message message;
    CHECK_THROWS_WITH_AS(ends.server.read(out.view(), message),
                         "gob: type mismatch: no fields matched compiling decoder for Header",
                         Error);
    CHECK(message.method.empty());
    Ends others;
    Buffer five;
    others.client.begin_request(five, header(5));
    five.append("\x03\x7d\x03\x02");  // the definition of type 63
    CHECK_THROWS_WITH_AS(others.server.read(five.view(), message), "gob: duplicate type received",
                         Error);
    CHECK(message.seq == 5);
    CHECK(message.method == "Foo.Sum");
    CHECK_FALSE(others.server.has_connection_errors());
    Ends nobody;
    CHECK_THROWS_AS(
        nobody.server.read(nobody.request(header(1, std::string(5000, 'm')), 1), message), Error);
  }

  TEST_CASE("a port tells protocols by their first bytes") {
    CHECK(recognise("") == Opening::unknown);
    CHECK(recognise("C") == Opening::unknown);
    CHECK(recognise("{") == Opening::unknown);
    CHECK(recognise("CONNECT /x HTTP/1.0\n\n") == Opening::http);
    CHECK(recognise("GET / HTTP/1.1") == Opening::http);
    CHECK(recognise("{\"MagicNumber\"") == Opening::json);
    CHECK(recognise("  {") == Opening::json);
    CHECK(recognise("\n{") == Opening::json);
    CHECK(recognise("\x2f\xff\x81\x03") == Opening::gob);      // Go's
    CHECK(recognise("\x43\xff\x81\x03") == Opening::gob);      // as long as 'C'
    CHECK(recognise("\x7b\xfe\x07\xcf\x03") == Opening::gob);  // as long as '{', type 1000
    CHECK(recognise("\x20\x7f\x03") == Opening::gob);          // type 64
    CHECK(recognise("\xff\x80") == Opening::gob);              // 128 bytes
    CHECK(recognise("\xff") == Opening::gob);
  }
}
