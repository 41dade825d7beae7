// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Messages, byte for byte.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using geerpc::Buffer;
using geerpc::Error;
using geerpc::Metadata;
using geerpc::StatusCode;
using geerpc::detail::decode_body;
using geerpc::detail::decode_body_args;
using geerpc::detail::FrameWire;
using geerpc::detail::JsonWire;
using geerpc::detail::Message;
using geerpc::detail::MessageKind;
using geerpc::detail::RequestHeader;
using geerpc::detail::Wire;
using geerpc::detail::WireLimits;

namespace {

template <std::size_t N>
std::string bytes(const char (&text)[N]) {
  return std::string(text, N - 1);
}

FrameWire frames(std::size_t max_message = 64u << 20) {
  WireLimits limits;
  limits.max_message = max_message;
  return FrameWire(geerpc::msgpack_codec(), limits);
}
JsonWire json(JsonWire::Side side, bool extended = true, std::size_t max_message = 64u << 20) {
  WireLimits limits;
  limits.max_message = max_message;
  return JsonWire(geerpc::json_codec(), limits, side, extended);
}
const auto kClient = JsonWire::Side::client, kServer = JsonWire::Side::server;

std::string request(const Wire& wire, const RequestHeader& header, std::string_view body) {
  Buffer out;
  out.append("before");
  const std::size_t start = out.size();
  wire.begin_request(out, header);
  out.append(body);
  wire.finish(out, start, header.seq);
  return std::string(out.view().substr(start));
}
std::string reply(const Wire& wire, std::uint64_t seq, std::string_view body) {
  Buffer out;
  wire.begin_reply(out, seq, "Foo.Sum");
  out.append(body);
  wire.finish(out, 0, seq);
  return std::string(out.view());
}
std::string error(const Wire& wire, std::uint64_t seq, const Error& e) {
  Buffer out;
  wire.write_error(out, seq, "Foo.Sum", e);
  return std::string(out.view());
}

std::string in_msgpack(const std::string& text) {
  Buffer out;
  geerpc::detail::encode(geerpc::msgpack_codec(), out, text);
  return std::string(out.view());
}

// As a connection does that receives `step` bytes at a time. `see(message, unread)` gets each
// message, and how much input there was before it.
template <class See>
void read_in_steps(Wire& wire, std::string_view bytes, std::size_t step, See see) {
  std::string input;
  Message message;
  while (!bytes.empty()) {
    input += bytes.substr(0, step);
    bytes.remove_prefix((std::min)(step, bytes.size()));
    while (const std::size_t size = wire.read(input, message)) {
      see(message, input.size());
      input.erase(0, size);
    }
    if (bytes.empty()) break;
    CHECK(wire.missing() >= 1);
    CHECK(wire.missing() <= bytes.size());
    CHECK_FALSE(wire.between_messages(input));
  }
  CHECK(input.empty());
  CHECK(wire.between_messages(input));
}

RequestHeader header_of(std::uint64_t seq, std::string_view method) {
  RequestHeader h;
  h.seq = seq;
  h.method = method;
  return h;
}

// The text of the Error with which reading `input` ends.
std::string read_error(Wire&& wire, std::string_view input, std::uint64_t seq = 0) {
  Message message;
  try {
    wire.read(input, message);
  } catch (const Error& e) {
    CHECK(message.seq == seq);
    return e.cause();
  }
  return "no error";
}

}  // namespace

TEST_SUITE("frames") {
  TEST_CASE("each kind of message has its bytes") {
    const FrameWire wire = frames();
    CHECK(request(wire, header_of(1, "Foo.Sum"), "\x07") == bytes("\x00\x00\x00\x0c\x93\x00\x01\xa7"
                                                                  "Foo.Sum\x07"));
    RequestHeader full = header_of(300, "M");
    full.kind = MessageKind::notify;
    full.timeout = 2s;
    const Metadata metadata = {{"k", "v"}};
    full.metadata = &metadata;
    CHECK(request(wire, full, "\xc0") == bytes("\x00\x00\x00\x12\x95\x04\xcd\x01\x2c\xa1M"
                                               "\xce\x77\x35\x94\x00\x81\xa1k\xa1v\xc0"));
    full.metadata = nullptr;
    full.timeout = -1ns;
    full.kind = MessageKind::request;
    full.seq = 2;
    CHECK(request(wire, full, "\xc0") == bytes("\x00\x00\x00\x08\x95\x00\x02\xa1M\xff\xc0\xc0"));
    CHECK(reply(wire, 1, "\x07") == bytes("\x00\x00\x00\x04\x92\x01\x01\x07"));
    CHECK(error(wire, 1, Error(StatusCode::not_found, "no")) ==
          bytes("\x00\x00\x00\x08\x95\x02\x01\x05\xa2no\xc3"));
    CHECK(error(wire, 1, Error(StatusCode::not_found, "no").never_ran()).back() == '\xc2');
    Buffer out;
    wire.write_cancel(out, 5);
    CHECK(out.view() == bytes("\x00\x00\x00\x03\x92\x03\x05"));
    out.clear();
    wire.write_goaway(out, 128);
    CHECK(out.view() == bytes("\x00\x00\x00\x04\x92\x05\xcc\x80"));
  }

  TEST_CASE("what is written is read again, wherever the input is cut") {
    FrameWire wire = frames();
    RequestHeader full = header_of(~std::uint64_t{0}, "Foo.Sum");
    full.timeout = 1h;
    const Metadata metadata = {{"", "x"}, {"trace", std::string(300, 't')}};
    full.metadata = &metadata;
    const std::string one = request(wire, full, "body");
    const std::string all = one + reply(wire, 3, "result");
    Message message;
    for (std::size_t n = 0; n < one.size(); ++n) {
      CHECK(wire.read(all.substr(0, n), message) == 0);
      CHECK(wire.missing() == (n < 4 ? 4 : one.size() - n));
    }
    CHECK(wire.read(all, message) == one.size());
    CHECK(message.kind == MessageKind::request);
    CHECK(message.seq == ~std::uint64_t{0});
    CHECK(message.method == "Foo.Sum");
    CHECK(message.timeout == 1h);
    CHECK(message.metadata == metadata);
    CHECK(message.body == "body");
    const std::string rest = all.substr(one.size());
    CHECK(wire.read(rest, message) == rest.size());
    CHECK(message.kind == MessageKind::reply);
    CHECK(message.seq == 3);
    CHECK(message.metadata.empty());
    CHECK(message.timeout == 0ns);
    CHECK(message.body == "result");
  }

  TEST_CASE("a large text is taken out of its frame while it comes") {
    std::string text(1'300'000, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i >> 3);
    RequestHeader full = header_of(7, "Foo.Echo");
    full.timeout = 1h;
    const Metadata metadata = {{"trace", "t"}};
    full.metadata = &metadata;
    const std::string all =
        request(frames(), full, in_msgpack(text)) + reply(frames(), 8, in_msgpack(text));
    for (const std::size_t step : {3'000'000u, 1'300'000u, 100'000u, 65'536u, 600u, 500u}) {
      CAPTURE(step);
      FrameWire wire = frames();
      std::size_t messages = 0, held = 0;
      read_in_steps(wire, all, step, [&](Message& message, std::size_t unread) {
        held = (std::max)(held, unread);
        if (message.kind == MessageKind::nothing) return;
        ++messages;
        const bool is_request = messages == 1;
        CHECK(message.kind == (is_request ? MessageKind::request : MessageKind::reply));
        CHECK(message.seq == (is_request ? 7 : 8));
        CHECK(message.method == (is_request ? "Foo.Echo" : ""));
        CHECK(message.timeout == (is_request ? 1h : 0ns));
        CHECK(message.metadata == (is_request ? metadata : Metadata()));
        CHECK(message.large_text.empty() == (step > all.size()));
        std::string decoded;
        decode_body(wire.codec(), message.encoded_body(), decoded, {});
        CHECK(decoded == text);
        CHECK(decoded.capacity() <= text.size() + 100);
        CHECK(message.large_text.empty());
      });
      CHECK(messages == 2);
      CHECK(held <= (std::max)(step, std::size_t{1000}));
    }
  }

  TEST_CASE("what is no text alone, or not wanted as one, is what it always was") {
    const std::string text(100'000, 'x');
    const std::string as_text = in_msgpack(text);
    const std::string longer = as_text + '\x07', shorter = as_text.substr(0, as_text.size() - 1);
    const std::string list = "\x92" + as_text + as_text, data = "\xc6" + as_text.substr(1);
    std::size_t texts = 0;
    const auto look = [&](const Message& message) { texts += !message.large_text.empty(); };
    RequestHeader long_header = header_of(7, "Foo.Echo");
    for (const std::size_t size : {1000u, 3000u}) {  // a long one is not kept apart
      const Metadata metadata = {{"", std::string(size, 'm')}};
      long_header.metadata = &metadata;
      FrameWire wire = frames();
      read_in_steps(wire, request(wire, long_header, as_text), 30'000,
                    [&](Message& message, std::size_t) { look(message); });
      CHECK(texts == 1);
    }
    for (const std::string& body : {longer, shorter, list, data}) {
      FrameWire wire = frames();
      std::size_t messages = 0;
      read_in_steps(wire, reply(wire, 8, body), 30'000, [&](Message& message, std::size_t) {
        ++messages;
        CHECK(message.kind == MessageKind::reply);
        CHECK(message.large_text.empty());
        CHECK(message.body == body);
      });
      CHECK(messages == 1);
    }
    std::string taken = text;
    nlohmann::json any;
    decode_body(geerpc::msgpack_codec(), {{}, &taken}, any, {});
    CHECK(any == text);
    CHECK(taken.empty());
    std::tuple<nlohmann::json> args;
    taken = text;
    decode_body_args(geerpc::msgpack_codec(), {{}, &taken}, args, {});
    CHECK(std::get<0>(args) == text);
    taken = text;
    int number = 0;
    CHECK_THROWS_WITH_AS(decode_body(geerpc::msgpack_codec(), {{}, &taken}, number, {}),
                         "expected an integer, found a string at byte 0", Error);
  }

  TEST_CASE("an error keeps its code and text, and never has none") {
    FrameWire wire = frames();
    Message message;
    const std::string plain = error(wire, 7, Error(StatusCode::data_loss, "gone").never_ran());
    CHECK(wire.read(plain, message) == plain.size());
    CHECK(message.kind == MessageKind::error);
    CHECK(message.code == StatusCode::data_loss);
    CHECK(message.text == "gone");
    CHECK_FALSE(message.may_have_run);
    CHECK_FALSE(message.whole_connection);
    const std::string empty = error(wire, 0, Error(StatusCode::unknown, ""));
    wire.read(empty, message);
    CHECK(message.text == "failed without an error text");
    CHECK(message.may_have_run);
    CHECK(message.whole_connection);
    // A code of the future, or none at all.
    wire.read(bytes("\x00\x00\x00\x08\x95\x02\x01\x63\xa2no\xc3"), message);
    CHECK(message.code == StatusCode::unknown);
    wire.read(bytes("\x00\x00\x00\x08\x95\x02\x01\x00\xa2no\xc3"), message);
    CHECK(message.code == StatusCode::unknown);
  }

  TEST_CASE("elements of the future are skipped") {
    FrameWire wire = frames();
    Message message;
    const std::string longer =
        bytes("\x00\x00\x00\x0f\x97\x00\x01\xa1M\x00\xc0\x81\x01\x92\x02\x03\xa1z\x09");
    CHECK(wire.read(longer, message) == longer.size());
    CHECK(message.method == "M");
    CHECK(message.body == "\x09");
  }

  TEST_CASE("a frame that is too large costs its own call only, wherever the input is cut") {
    const std::string large = request(frames(), header_of(7, "Foo.Sum"), std::string(200, 'x'));
    const std::string bytes = large + reply(frames(), 8, "y");
    const std::string_view both = bytes;
    for (std::size_t n = 0; n <= large.size(); ++n) {
      FrameWire wire = frames(100);
      Message message;
      std::size_t read = wire.read(both.substr(0, n), message);
      CHECK(read <= n);
      if (read == 0) {
        CHECK(wire.missing() >= 1);
        CHECK(n + wire.missing() <= large.size());
        read = wire.read(both, message);
      }
      CHECK(message.seq == 7);
      CHECK(message.method == "Foo.Sum");
      CHECK(message.too_large == large.size() - 4);
      CHECK(message.body.empty());
      while (read < large.size()) {
        const std::size_t more = wire.read(both.substr(read), message);
        REQUIRE(more != 0);
        CHECK(message.kind == MessageKind::nothing);
        read += more;
      }
      CHECK(wire.read(both.substr(read), message) == both.size() - large.size());
      CHECK(message.seq == 8);
      CHECK(message.body == "y");
    }
  }

  TEST_CASE("what is no frame is an error that names its number, if that could be read") {
    const std::string too_large =
        "message of 4294967295 bytes is larger than the limit of 67108864";
    CHECK(read_error(frames(), "\xff\xff\xff\xffx") == too_large);
    CHECK(read_error(frames(), "\xff\xff\xff\xff\xdb\xff" + std::string(65536, 'x')) == too_large);
    CHECK(read_error(frames(10), bytes("\x00\x00\x00\x0b") + std::string(11, 'x')) ==
          "message of 11 bytes is larger than the limit of 10");
    CHECK(read_error(frames(), bytes("\x00\x00\x00\x00")) != "no error");
    CHECK(read_error(frames(), bytes("\x00\x00\x00\x01\x90")) == "the frame's header is too short");
    CHECK(read_error(frames(), bytes("\x00\x00\x00\x02\x91\x00")) ==
          "the frame's header is too short");
    CHECK(read_error(frames(), bytes("\x00\x00\x00\x03\x92\x00\x09"), 9) ==
          "the frame's header is too short");
    for (const std::string& input :
         {bytes("\x00\x00\x00\x01\x07"), bytes("\x00\x00\x00\x03\x92\xa1x"),
          bytes("\x00\x00\x00\x04\x92\xcd\x01\x00"), bytes("\x00\x00\x00\x03\x92\x00\xff"),
          bytes("\x00\x00\x00\x05\xdd\xff\xff\xff\xff"), bytes("\x00\x00\x00\x01\xc1")}) {
      CHECK(read_error(frames(), input) != "no error");
    }
    CHECK(read_error(frames(), bytes("\x00\x00\x00\x04\x93\x00\x05\x07"), 5) != "no error");
    CHECK(read_error(frames(), bytes("\x00\x00\x00\x08\x93\x00\x05\xdb\xff\xff\xff\xff"), 5) !=
          "no error");
  }

  TEST_CASE("what is too large is taken back, and an error text is cut to fit") {
    const FrameWire wire = frames(20);
    Buffer out;
    out.append("before");
    wire.begin_reply(out, 1, "");
    out.append(std::string(20, 'x'));
    CHECK_THROWS_WITH_AS(wire.finish(out, 6, 1),
                         "message of 23 bytes is larger than the limit of 20", Error);
    CHECK(out.view() == "before");
    CHECK(error(wire, 1, Error(StatusCode::unknown, std::string(100, 'e'))).size() <= 24);
  }
}

TEST_SUITE("JSON stream") {
  TEST_CASE("each kind of message has Go's bytes, and ours behind them for those who know them") {
    const JsonWire plain = json(kServer, false), ours = json(kServer);
    RequestHeader h = header_of(1, "Foo.Sum");
    CHECK(request(ours, h, "{\"Num1\":3}") ==
          "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":1,\"Error\":\"\"}\n{\"Num1\":3}\n");
    h.timeout = 2s;
    const Metadata metadata = {{"k", "v\n"}};
    h.metadata = &metadata;
    CHECK(request(ours, h, "null") ==
          "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":1,\"Error\":\"\",\"Timeout\":2000000000,"
          "\"Metadata\":{\"k\":\"v\\n\"}}\nnull\n");
    CHECK(reply(plain, 18446744073709551615u, "7") ==
          "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":18446744073709551615,\"Error\":\"\"}\n7\n");
    const Error no = Error(StatusCode::not_found, "no");
    CHECK(error(plain, 2, no.never_ran()) ==
          "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":2,\"Error\":\"no\"}\n{}\n");
    CHECK(error(ours, 2, no) ==
          "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":2,\"Error\":\"no\",\"Code\":5}\n{}\n");
    CHECK(error(ours, 2, no.never_ran()) ==
          "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":2,\"Error\":\"no\",\"Code\":5,"
          "\"NeverRan\":true}\n{}\n");
    CHECK(error(plain, 2, Error(StatusCode::unknown, "")) ==
          "{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":2,\"Error\":\"failed without an error text\"}\n"
          "{}\n");
    Buffer out;
    ours.write_cancel(out, 1);
    ours.write_goaway(out, 1);
    CHECK(out.empty());
  }

  TEST_CASE("requests are read, wherever the input is cut") {
    JsonWire wire = json(kServer);
    const std::string one =
        "{\"seq\":5,\"More\":[{}],\"servicemethod\":\"Foo.\\u0053um\",\"ERROR\":\"ignored\"} 7\n";
    const std::string all = one + "{}null ";
    Message message;
    CHECK(wire.read(" \n" + all, message) == 2);
    CHECK(message.kind == MessageKind::nothing);
    for (std::size_t n = 1; n < one.size() - 1; ++n) {
      CHECK(wire.read(all.substr(0, n), message) == 0);
      CHECK_FALSE(wire.between_messages(all.substr(0, n)));
    }
    CHECK(wire.read(all, message) == one.size());
    CHECK(message.kind == MessageKind::request);
    CHECK(message.seq == 5);
    CHECK(message.method == "Foo.Sum");
    CHECK(message.body == " 7");
    const std::string next = "{}null ";  // the message's views point into it
    CHECK(wire.read(next, message) == 7);
    CHECK(message.seq == 0);
    CHECK(message.method.empty());
    CHECK(message.body == "null");
  }

  TEST_CASE("replies are read, and errors with their codes, given or guessed from Go's words") {
    JsonWire wire = json(kClient);
    Message message;
    std::string input;  // the message's views point into it
    const auto read = [&](std::string text) {
      input = std::move(text);
      CHECK(wire.read(input, message) == input.size());
    };
    read("{\"ServiceMethod\":\"Foo.Sum\",\"Seq\":1,\"Error\":\"\"}\n7\n");
    CHECK(message.kind == MessageKind::reply);
    CHECK(message.body == "\n7");
    read("{\"ServiceMethod\":\"\",\"Seq\":2,\"Error\":\"no\",\"Code\":7,\"NeverRan\":true}\n{}\n");
    CHECK(message.kind == MessageKind::error);
    CHECK(message.code == StatusCode::permission_denied);
    CHECK(message.text == "no");
    CHECK_FALSE(message.may_have_run);
    read("{\"Seq\":0,\"Error\":\"bye\",\"Code\":3}{}");
    CHECK(message.whole_connection);
    struct Guess {
      const char* method;
      const char* text;
      StatusCode code;
      bool may_have_run;
    };
    for (const Guess& guess :
         {Guess{"Nope.Sum", "rpc server: can't find service Nope", StatusCode::not_found, false},
          Guess{"Foo.Nope", "rpc server: can't find method Nope", StatusCode::unimplemented, false},
          Guess{"x", "rpc server: service/method request ill-formed: x",
                StatusCode::invalid_argument, false},
          Guess{"Foo.Sum", "rpc server: request handle timeout: expect within 2s",
                StatusCode::deadline_exceeded, true},
          Guess{"Foo.Fail", "foo failed: 1,2", StatusCode::unknown, true},
          // What a handler passes on of another server says nothing about this call.
          Guess{"Foo.Forward", "rpc server: can't find service Nope", StatusCode::unknown, true},
          Guess{"Foo.Forward", "rpc server: can't find method Nope", StatusCode::unknown, true}}) {
      read(std::string("{\"ServiceMethod\":\"") + guess.method + "\",\"Seq\":0,\"Error\":\"" +
           guess.text + "\"}\n{}\n");
      CHECK(message.code == guess.code);
      CHECK(message.may_have_run == guess.may_have_run);
      CHECK_FALSE(message.whole_connection);  // a Go server's stray error
    }
  }

  TEST_CASE("what is no message is an error that names its number, if that could be read") {
    CHECK(read_error(json(kServer), "]") != "no error");
    CHECK(read_error(json(kServer), "7 7\n") != "no error");
    CHECK(read_error(json(kServer), "{\"Seq\":-1}{}") != "no error");
    CHECK(read_error(json(kServer), "{\"Seq\":1.5}{}") != "no error");
    CHECK(read_error(json(kServer), "{\"Seq\":\"1\"}{}") != "no error");
    CHECK(read_error(json(kServer), "{\"ServiceMethod\":7}{}") != "no error");
    CHECK(read_error(json(kServer), "{\"Seq\":9}\n]", 9) != "no error");
    CHECK(read_error(json(kServer), "{\"Seq\":9}\n" + std::string(200, '['), 9) ==
          "the value is nested more than 100 deep");
    const std::string large = "{\"Seq\":9}\n\"" + std::string(100, 'x') + "\"";
    CHECK(read_error(json(kServer, true, 50), large, 9) ==
          "message of 112 bytes is larger than the limit of 50");
    CHECK(read_error(json(kServer, true, 50), large.substr(0, 60), 9) ==
          "message of 60 bytes is larger than the limit of 50");
    JsonWire in_two = json(kServer, true, 50);
    Message message;
    CHECK(in_two.read(large.substr(0, 20), message) == 0);
    CHECK(read_error(std::move(in_two), large, 9) ==
          "message of 112 bytes is larger than the limit of 50");
  }

  TEST_CASE("what is too large is taken back, and an error text is cut to fit") {
    const JsonWire wire = json(kServer, true, 200);
    Buffer out;
    out.append("before");
    wire.begin_reply(out, 1, "Foo.Sum");
    out.append(std::string(200, '1'));
    CHECK_THROWS_AS(wire.finish(out, 6, 1), Error);
    CHECK(out.view() == "before");
    CHECK(error(wire, 1, Error(StatusCode::unknown, std::string(1000, 'e'))).size() <= 200);
  }
}
