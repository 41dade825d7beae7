// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JSON-RPC 1.0 and 2.0, byte for byte.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using geerpc::Buffer;
using geerpc::Error;
using geerpc::StatusCode;
using geerpc::detail::JsonRpcClientWire;
using geerpc::detail::JsonRpcServerWire;
using geerpc::detail::JsonRpcVersion;
using geerpc::detail::Message;
using geerpc::detail::MessageKind;
using geerpc::detail::NoHandler;
using geerpc::detail::RequestHeader;
using geerpc::detail::WireLimits;

namespace {

struct Server {
  explicit Server(std::size_t max_message = 64u << 20, std::size_t max_batch = 100)
      : wire(limits(max_message), max_batch, max_message) {}

  static WireLimits limits(std::size_t max_message) {
    WireLimits limits;
    limits.max_message = max_message;
    return limits;
  }

  // Gives the wire more input. Returns the messages that are complete.
  std::vector<Message> read(std::string_view more) {
    input.append(more);
    std::vector<Message> messages;
    Message message;
    while (!input.empty()) {
      const std::size_t size = wire.read(input, message);
      if (size == 0) break;
      if (message.kind == MessageKind::nothing) {  // blanks
        input.erase(0, size);
        continue;
      }
      // The views point into the input, which is consumed.
      kept.push_back(std::make_unique<std::string>(message.method));
      message.method = *kept.back();
      kept.push_back(std::make_unique<std::string>(message.body));
      message.body = *kept.back();
      messages.push_back(message);
      input.erase(0, size);
    }
    return messages;
  }
  Message read_one(std::string_view text) {
    const auto messages = read(text);
    REQUIRE(messages.size() == 1);
    return messages[0];
  }

  std::string reply(const Message& to, std::string_view result) {
    Buffer out;
    out.append("before");
    const std::size_t start = out.size();
    wire.begin_reply(out, to.seq, to.method);
    out.append(result);
    wire.finish(out, start, to.seq);
    return std::string(out.view().substr(start));
  }
  std::string fail(const Message& to, const Error& error) {
    Buffer out;
    wire.write_error(out, to.seq, to.method, error);
    return std::string(out.view());
  }
  // What the core does with a request that no handler is found for.
  std::string refuse(const Message& to) {
    return fail(to, wire.no_handler(NoHandler::ill_formed, to.method));
  }

  JsonRpcServerWire wire;
  std::string input;
  std::vector<std::unique_ptr<std::string>> kept;
};

// What is answered to a text that is no request.
std::string refusal(std::string_view text) {
  Server server;
  const Message message = server.read_one(text);
  CHECK(message.kind == MessageKind::request);
  CHECK(message.method == "");
  return server.refuse(message);
}
std::string invalid_request(std::string_view id, std::string_view why) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + std::string(id) +
         ",\"error\":{\"code\":-32600,\"message\":\"" + std::string(why) + "\"}}\n";
}

}  // namespace

TEST_SUITE("JSON-RPC server") {
  TEST_CASE("requests of both versions are read, and replies carry their ids as they came") {
    Server server;
    const Message one =
        server.read_one("{\"method\":\"Foo.Sum\",\"params\":[{\"A\":1}],\"id\":7}\n");
    CHECK(one.kind == MessageKind::request);
    CHECK(one.method == "Foo.Sum");
    CHECK(one.body == "[{\"A\":1}]");
    CHECK(one.codec == &geerpc::detail::json_rpc_codec(1));
    const Message two = server.read_one(
        " { \"jsonrpc\" : \"2.0\", \"params\" : {\"A\": 1} , \"id\" : \"\\u0061 b\" ,"
        "\"method\":\"Foo.\\u0053um\" , \"more\" : [{}] } ");
    CHECK(two.method == "Foo.Sum");
    CHECK(two.body == "{\"A\": 1}");
    CHECK(two.codec == nullptr);
    CHECK(two.seq != one.seq);
    CHECK(server.reply(two, "3") == "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0061 b\",\"result\":3}\n");
    CHECK(server.reply(one, "3") == "{\"id\":7,\"result\":3,\"error\":null}\n");
    CHECK(server.reply(one, "3") == "");  // only once
  }

  TEST_CASE("ids of 2.0 are strings, numbers and null, echoed byte for byte") {
    for (const std::string id : {"0", "-1", "1.50", "1e3", "-0", "123456789012345678901234567890",
                                 "\"\"", "\"a\\\"\\n\xc3\xa9\"", "null"}) {
      CAPTURE(id);
      Server server;
      const Message m =
          server.read_one("{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":" + id + "}");
      CHECK(m.kind == MessageKind::request);
      CHECK(m.body == "[]");
      CHECK(server.reply(m, "null") == "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":null}\n");
    }
    const std::string why = "the id must be a string, a number or null";
    for (const std::string id : {"true", "false", "{}", "[1]", "[]"}) {
      CAPTURE(id);
      CHECK(refusal("{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":" + id + "}") ==
            invalid_request("null", why));
    }
    CHECK(refusal("{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":\"" + std::string(1023, 'x') +
                  "\"}") == invalid_request("null", "the id is too long"));
    CHECK(refusal("{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":\"\xff\"}") ==
          invalid_request("null", "the id is not UTF-8"));
  }

  TEST_CASE("ids of 1.0 may be anything, and none is null") {
    for (const std::string id : {"0", "\"x\"", "null", "true", "{\"a\":[1, 2]}", "[]"}) {
      Server server;
      const Message m = server.read_one("{\"method\":\"A.B\",\"params\":[],\"id\":" + id + "}");
      CHECK(server.reply(m, "[]") == "{\"id\":" + id + ",\"result\":[],\"error\":null}\n");
    }
    Server server;
    const Message m = server.read_one("{\"METHOD\":\"A.B\",\"Params\":[]}");
    CHECK(m.kind == MessageKind::request);
    CHECK(m.method == "A.B");
    CHECK(server.reply(m, "1") == "{\"id\":null,\"result\":1,\"error\":null}\n");
  }

  TEST_CASE("the version is told by jsonrpc, and 2.0 names its members exactly") {
    Server server;
    CHECK(
        server.read_one("{\"jsonrpc\":\"1.0\",\"method\":\"A.B\",\"params\":[],\"id\":1}").codec ==
        &geerpc::detail::json_rpc_codec(1));
    CHECK(
        server.read_one("{\"JsonRpc\":\"2.0\",\"method\":\"A.B\",\"params\":[],\"id\":1}").codec ==
        &geerpc::detail::json_rpc_codec(1));
    for (const char* version : {"\"2.1\"", "2.0", "2", "null", "{}"}) {
      CAPTURE(version);
      CHECK(refusal("{\"jsonrpc\":" + std::string(version) + ",\"method\":\"A.B\",\"id\":1}") ==
            invalid_request("1", "\\\"jsonrpc\\\" must be \\\"2.0\\\""));
    }
    const std::string two = "{\"jsonrpc\":\"2.0\",";
    CHECK(refusal(two + "\"Method\":\"A.B\",\"id\":1}") ==
          invalid_request("1", "the method must be a string"));
    CHECK(server.read_one(two + "\"method\":\"A.B\",\"ID\":1,\"Params\":[1]}").kind ==
          MessageKind::notify);
    // As every reader of JSON does: the last one of two that are the same counts.
    const Message m =
        server.read_one(two + "\"method\":\"A.B\",\"id\":1,\"method\":\"C.D\",\"id\":2}");
    CHECK(m.method == "C.D");
    CHECK(server.reply(m, "1") == "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}\n");
  }

  TEST_CASE("params are an array or an object, or missing") {
    Server server;
    const std::string two = "{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":1";
    CHECK(server.read_one(two + "}").body == "[]");
    CHECK(server.read_one(two + ",\"params\":null}").body == "[]");
    CHECK(server.read_one(two + ",\"params\":{}}").body == "{}");
    for (const char* params : {"\"bar\"", "1", "true"}) {
      CHECK(refusal(two + ",\"params\":" + params + "}") ==
            invalid_request("1", "the params must be an array or an object"));
    }
    CHECK(server.read_one("{\"method\":\"A.B\",\"id\":1}").body == "null");
    CHECK(server.read_one("{\"method\":\"A.B\",\"params\":5,\"id\":1}").body == "5");
  }

  TEST_CASE("what is no request is answered with Invalid Request, and the connection goes on") {
    CHECK(refusal("{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":\"bar\"}") ==
          invalid_request("null", "the params must be an array or an object"));
    CHECK(refusal("{\"jsonrpc\":\"2.0\"}") ==
          invalid_request("null", "the method must be a string"));
    CHECK(refusal("{\"jsonrpc\":\"2.0\",\"method\":null,\"id\":\"x\"}") ==
          invalid_request("\"x\"", "the method must be a string"));
    CHECK(refusal("1 ") == invalid_request("null", "a request must be an object"));
    CHECK(refusal("\"text\"") == invalid_request("null", "a request must be an object"));
    CHECK(refusal("[]") == invalid_request("null", "the batch is empty"));
    CHECK(refusal("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" + std::string(4097, 'x') + "\"}") ==
          invalid_request("1", "the name of the method is too long"));
    // In 1.0 as Go does: an empty request has an empty name.
    Server server;
    const Message m = server.read_one("{}");
    CHECK(server.refuse(m) ==
          "{\"id\":null,\"result\":null,\"error\":\"rpc: service/method request ill-formed: \"}\n");
    CHECK(refusal("{\"method\":1,\"id\":2}") ==
          "{\"id\":2,\"result\":null,\"error\":\"the method must be a string\"}\n");
    CHECK(server.read_one("{\"method\":\"A.B\",\"params\":[],\"id\":1}").method == "A.B");
  }

  TEST_CASE("a notification of 2.0 gets nothing") {
    Server server;
    const Message m = server.read_one("{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"params\":[1]}");
    CHECK(m.kind == MessageKind::notify);
    CHECK(m.body == "[1]");
    CHECK(m.method == "A.B");
  }

  TEST_CASE("errors have the codes of the specification, or our own below -32000") {
    const std::string request = "{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":1}";
    const auto answer = [&](const Error& error) {
      Server server;
      const std::string text = server.fail(server.read_one(request), error);
      const std::string begin = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{";
      REQUIRE(text.substr(0, begin.size()) == begin);
      REQUIRE(text.substr(text.size() - 3) == "}}\n");
      return text.substr(begin.size(), text.size() - begin.size() - 3);
    };
    CHECK(answer(Error(StatusCode::not_found, "no").never_ran()) ==
          "\"code\":-32601,\"message\":\"no\"");
    CHECK(answer(Error(StatusCode::unimplemented, "no").never_ran()) ==
          "\"code\":-32601,\"message\":\"no\"");
    CHECK(answer(Error(StatusCode::invalid_argument, "no").never_ran()) ==
          "\"code\":-32602,\"message\":\"no\"");
    CHECK(answer(Error(StatusCode::internal, "no")) == "\"code\":-32603,\"message\":\"no\"");
    CHECK(answer(Error(StatusCode::unknown, "\"n\xff")) ==
          "\"code\":-32002,\"message\":\"\\\"n\\ufffd\"");
    CHECK(answer(Error(StatusCode::not_found, "no")) == "\"code\":-32005,\"message\":\"no\"");
    CHECK(answer(Error(StatusCode::unavailable, "no").never_ran()) ==
          "\"code\":-32014,\"message\":\"no\",\"data\":{\"never_ran\":true}");
    CHECK(answer(Error(StatusCode::unknown, "")) ==
          "\"code\":-32002,\"message\":\"failed without an error text\"");
    Server one;
    CHECK(one.fail(one.read_one("{\"method\":\"A.B\",\"id\":1}"), Error(StatusCode::unknown, "")) ==
          "{\"id\":1,\"result\":null,\"error\":\"failed without an error text\"}\n");
  }

  TEST_CASE("an unknown method is named in Go's words") {
    const Server server;
    CHECK(server.wire.no_handler(NoHandler::no_method, "Foo.Nope").cause() ==
          "rpc: can't find method Foo.Nope");
    CHECK(server.wire.no_handler(NoHandler::no_service, "Nope.Sum").cause() ==
          "rpc: can't find service Nope.Sum");
    CHECK(server.wire.no_handler(NoHandler::ill_formed, "nodot").cause() ==
          "rpc: service/method request ill-formed: nodot");
  }

  TEST_CASE("a null result of 1.0 becomes an object, since Go clients die of the null") {
    Server server;
    const Message m = server.read_one("{\"method\":\"A.B\",\"params\":[],\"id\":\"null\"}");
    CHECK(server.reply(m, "null") == "{\"id\":\"null\",\"result\":{},\"error\":null}\n");
  }

  TEST_CASE("a batch is answered at once, when its last reply is there") {
    Server server;
    const auto messages = server.read(
        " [ {\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":1} , "
        "{\"jsonrpc\":\"2.0\",\"method\":\"A.C\"},7,{\"foo\":\"boo\"},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"A.D\",\"params\":[\"],\"],\"id\":\"2\"}\n]\n");
    CHECK(server.input == "");
    REQUIRE(messages.size() == 5);
    CHECK(messages[0].method == "A.B");
    CHECK(messages[1].method == "A.C");
    CHECK(messages[1].kind == MessageKind::notify);
    CHECK(messages[4].method == "A.D");
    CHECK(messages[4].body == "[\"],\"]");
    CHECK(server.reply(messages[4], "4") == "");
    CHECK(server.refuse(messages[2]) == "");
    CHECK(server.refuse(messages[3]) == "");
    CHECK(server.fail(messages[0], Error(StatusCode::unknown, "no")) ==
          "[{\"jsonrpc\":\"2.0\",\"id\":\"2\",\"result\":4},"
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"a request "
          "must be "
          "an object\"}},"
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":"
          "\"\\\"jsonrpc\\\" must be \\\"2.0\\\"\"}},"
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,\"message\":\"no\"}}]\n");
  }

  TEST_CASE("batches and single requests may be answered in any order") {
    Server server;
    const auto messages = server.read(
        "[{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":1},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":1}]"
        "{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":1}"
        "[{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":1}]{\"method\":\"A.B\",\"id\":1}");
    REQUIRE(messages.size() == 5);
    CHECK(server.reply(messages[1], "1") == "");
    CHECK(server.reply(messages[3], "3") == "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":3}]\n");
    CHECK(server.reply(messages[4], "4") == "{\"id\":1,\"result\":4,\"error\":null}\n");
    CHECK(server.reply(messages[2], "2") == "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":2}\n");
    CHECK(server.reply(messages[0], "0") ==
          "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":0}"
          "]\n");
  }

  TEST_CASE("a batch of notifications gets nothing, one with too many elements runs nothing") {
    Server server(64u << 20, 2);
    const std::string notification = "{\"jsonrpc\":\"2.0\",\"method\":\"A.B\"}";
    const auto two = server.read("[" + notification + "," + notification + "]");
    REQUIRE(two.size() == 2);
    CHECK(two[0].kind == MessageKind::notify);
    CHECK(two[1].kind == MessageKind::notify);
    const Message three =
        server.read_one("[" + notification + "," + notification + "," + notification + "]");
    CHECK(three.method == "");
    CHECK(server.refuse(three) == invalid_request("null", "the batch has too many elements"));
    CHECK(server.read_one(notification).method == "A.B");
  }

  TEST_CASE("the answer of a batch is bounded: what has no room left is an error") {
    Server server(1000);
    const std::string request = "{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":";
    const auto messages = server.read("[" + request + "1}," + request + "2}," + request + "3}]");
    REQUIRE(messages.size() == 3);
    const std::string large = '"' + std::string(500, 'x') + '"';
    CHECK(server.reply(messages[0], large) == "");
    CHECK_THROWS_WITH_AS(server.reply(messages[1], large),
                         "the answer of the batch is larger than the limit of 1000 bytes", Error);
    CHECK(server.fail(messages[1], Error(StatusCode::resource_exhausted, "full")) == "");
    // Error texts count, too, but there is always room for a few words.
    const std::string all =
        server.fail(messages[2], Error(StatusCode::unknown, std::string(900, 'e')));
    CHECK(all.size() < 1300);
    CHECK(all.find("\"id\":2,\"error\":{\"code\":-32008,\"message\":\"full\"}}") != all.npos);
    CHECK(all.find("\"id\":3,\"error\":{\"code\":-32002,\"message\":\"eee") != all.npos);
    // Once it has left, there is room again.
    const auto again = server.read("[" + request + "4}]");
    CHECK(server.reply(again.at(0), large).size() > 500);
    // One reply by itself has the limit of every message.
    const Message single = server.read_one(request + "5}");
    CHECK_THROWS_WITH_AS(server.reply(single, std::string(1000, '1')),
                         "message of 1033 bytes is larger than the limit of 1000", Error);
    CHECK(server.fail(single, Error(StatusCode::resource_exhausted, "no")) != "");
  }

  TEST_CASE("requests are read wherever the input is cut") {
    const std::string all =
        " {\"method\":\"A.B\",\"params\":[\"\\\"}\"],\"id\":1}\n"
        "[ {\"jsonrpc\":\"2.0\",\"method\":\"A.C\",\"id\":1} "
        ",{\"jsonrpc\":\"2.0\",\"method\":\"A.D\"}]\n"
        "{\"jsonrpc\":\"2.0\",\"method\":\"A.E\",\"id\":1}";
    for (const std::size_t size : {1u, 2u, 3u, 7u, 50u}) {
      Server server;
      std::vector<std::string> methods;
      for (std::size_t i = 0; i < all.size(); i += size) {
        for (const Message& m : server.read(all.substr(i, size))) methods.emplace_back(m.method);
      }
      CHECK(methods == std::vector<std::string>{"A.B", "A.C", "A.D", "A.E"});
    }
  }

  TEST_CASE("blanks between requests are not kept, and not without end") {
    Server server(1000);
    Message message;
    for (int i = 0; i < 9; ++i) {
      CHECK(server.wire.read(std::string(100, ' '), message) == 100);
      CHECK(message.kind == MessageKind::nothing);
    }
    CHECK(server.read_one("{\"method\":\"A.B\",\"id\":1}").method == "A.B");
    CHECK(server.wire.read(std::string(1000, '\n'), message) == 1000);
    CHECK(server.wire.between_messages(""));
    CHECK_FALSE(server.wire.between_messages("{"));
    CHECK_THROWS_WITH_AS(server.wire.read(" ", message),
                         "message of 1001 bytes is larger than the limit of 1000", Error);
  }

  TEST_CASE("what is no JSON or too large ends the connection, which 2.0 is told") {
    const auto last_words = [](Server& server, std::string_view text) {
      try {
        server.read(text);
      } catch (const Error& error) {
        Message none;
        return server.fail(none, error);
      }
      return std::string("no error");
    };
    for (const char* text : {"{\"jsonrpc\":\"2.0\",\"method\":\"foobar, \"params\":\"bar\",\"baz]",
                             "[{\"jsonrpc\":\"2.0\",\"method\"]", "{\"a\":01}", "{\"a\":}", "[1,]",
                             "{\"a\" 1}", "}", "nul ", "{\"a\":\"\\x\"}", "[1 2]"}) {
      CAPTURE(text);
      Server server;
      const std::string words = last_words(server, text);
      CHECK(words.find("\"id\":null,\"error\":{\"code\":-32700,\"message\":\"") != words.npos);
    }
    Server deep;
    CHECK(last_words(deep, std::string(200, '[')).find("nested more than 100 deep") !=
          std::string::npos);
    Server large(100);
    CHECK(
        last_words(large, "{\"jsonrpc\":\"2.0\",\"x\":\"" + std::string(100, 'x')) ==
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32008,\"message\":\"message of 122 "
        "bytes is larger than the limit of 100\"}}\n");
    Server go;
    go.read("{\"method\":\"A.B\",\"params\":[],\"id\":0}");
    CHECK(last_words(go, "{\"a\":01}") == "");
  }
}

TEST_SUITE("JSON-RPC params") {
  using geerpc::detail::json_rpc_args;

  std::string args(std::string_view params, std::size_t count, bool strict) {
    try {
      return std::string(json_rpc_args(params, count, strict, {}));
    } catch (const Error& error) {
      CHECK(error.code() == StatusCode::invalid_argument);
      return "error: " + error.cause();
    }
  }

  TEST_CASE("an array holds the arguments, an object is the only one") {
    CHECK(args("[ {\"A\":1} ]", 1, true) == "{\"A\":1}");
    CHECK(args("[[1,2]]", 1, true) == "[1,2]");
    CHECK(args("{\"A\":1}", 1, true) == "{\"A\":1}");
    CHECK(args("[1,2]", 2, true) == "[1,2]");
    CHECK(args("[]", 0, true) == "null");
    CHECK(args("[1,2]", 0, true) == "null");
    CHECK(args("[]", 1, true) == "error: expected a parameter, found none");
    CHECK(args("[1,2]", 1, true) == "error: expected one parameter, found more");
    CHECK(args("{\"a\":1,\"b\":2}", 2, true) ==
          "error: the parameters of this method have no names: expected an array of 2");
  }

  TEST_CASE("1.0 takes one that is missing for zero, and drops what is too much, as Go does") {
    CHECK(args("[1,2]", 1, false) == "1");
    CHECK(args("[]", 1, false) == "null");
    CHECK(args("[null]", 1, false) == "null");
    CHECK(args("null", 1, false) == "error: jsonrpc: request body missing params");
    CHECK(args("{\"A\":1}", 1, false).substr(0, 6) == "error:");
    CHECK(args("5", 1, false).substr(0, 6) == "error:");
  }

  TEST_CASE("a client always sends an array") {
    Buffer out;
    geerpc::detail::encode_args(geerpc::detail::json_rpc_codec(2), out);
    geerpc::detail::encode_args(geerpc::detail::json_rpc_codec(2), out, 7);
    geerpc::detail::encode_args(geerpc::detail::json_rpc_codec(1), out, 7, "x");
    geerpc::detail::encode_args(geerpc::json_codec(), out, 7);
    geerpc::detail::encode_nothing(geerpc::detail::json_rpc_codec(1), out);
    CHECK(out.view() == "[][7][7,\"x\"]7null");
  }
}

TEST_SUITE("JSON-RPC client") {
  std::string request(const JsonRpcClientWire& wire, std::uint64_t seq, MessageKind kind,
                      std::string_view params) {
    RequestHeader header;
    header.seq = seq;
    header.kind = kind;
    header.method = "Foo.Sum";
    Buffer out;
    wire.begin_request(out, header);
    out.append(params);
    wire.finish(out, 0, seq);
    return std::string(out.view());
  }
  struct Reading {
    JsonRpcClientWire wire;
    std::string input;
    Message message;
    explicit Reading(JsonRpcVersion version = JsonRpcVersion::two) : wire({}, version) {}
    const Message& read(std::string text) {
      input = std::move(text);
      CHECK(wire.read(input, message) == input.size());
      return message;
    }
  };

  TEST_CASE("requests of 1.0 have Go's bytes, those of 2.0 say so") {
    const JsonRpcClientWire one({}, JsonRpcVersion::one), two({}, JsonRpcVersion::two);
    CHECK(request(one, 1, MessageKind::request, "[{\"Num1\":3}]") ==
          "{\"method\":\"Foo.Sum\",\"params\":[{\"Num1\":3}],\"id\":0}\n");
    CHECK(request(two, 8, MessageKind::request, "[]") ==
          "{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"id\":7,\"params\":[]}\n");
    CHECK(request(two, 8, MessageKind::notify, "[1]") ==
          "{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"params\":[1]}\n");
    CHECK(two.has_notify());
    CHECK_FALSE(one.has_notify());
  }

  TEST_CASE("results are found by their ids") {
    Reading reading;
    CHECK(reading.read("{\"id\":0,\"result\":7,\"error\":null}\n").kind == MessageKind::reply);
    CHECK(reading.message.seq == 1);
    CHECK(reading.message.body == "7");
    reading.read(" {\"jsonrpc\":\"2.0\",\"result\":{\"a\":[1]},\"id\":41} \n");
    CHECK(reading.message.seq == 42);
    CHECK(reading.message.body == "{\"a\":[1]}");
    reading.read("{\"id\":3,\"result\":null,\"error\":null}");
    CHECK(reading.message.kind == MessageKind::reply);
    CHECK(reading.message.body == "null");
    for (const char* id : {"\"0\"", "1.0", "-1", "18446744073709551615", "99999999999999999999",
                           "null", "{}", "true"}) {
      CAPTURE(id);
      CHECK(reading.read("{\"id\":" + std::string(id) + ",\"result\":7}").kind ==
            MessageKind::nothing);
    }
    CHECK(reading.read("{\"result\":7}").kind == MessageKind::nothing);
    // What a server asks its client is none of our business.
    CHECK(reading.read("{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"params\":[]}").kind ==
          MessageKind::nothing);
  }

  TEST_CASE("errors keep their texts, and their codes as far as they have any") {
    Reading one(JsonRpcVersion::one);
    CHECK(one.read("{\"id\":1,\"result\":null,\"error\":\"divide by zero\"}").kind ==
          MessageKind::error);
    CHECK(one.message.seq == 2);
    CHECK(one.message.text == "divide by zero");
    CHECK(one.message.code == StatusCode::unknown);
    CHECK(one.message.may_have_run);
    CHECK(one.read("{\"id\":1,\"error\":\"rpc: can't find service X.Y\"}").code ==
          StatusCode::not_found);
    CHECK(one.message.may_have_run);  // a handler may have passed it on
    CHECK(one.read("{\"id\":1,\"error\":\"rpc: can't find method X.Y\"}").code ==
          StatusCode::unimplemented);
    CHECK(one.read("{\"id\":1,\"error\":{\"a\": 1}}").text == "{\"a\": 1}");
    CHECK(one.read("{\"id\":1,\"error\":false}").text == "false");

    Reading two;
    const auto read = [&](const std::string& error) {
      return two.read("{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":" + error + "}");
    };
    CHECK(read("{\"code\":-32601,\"message\":\"Method not found\"}").code ==
          StatusCode::unimplemented);
    CHECK(two.message.text == "Method not found");
    CHECK_FALSE(two.message.may_have_run);
    CHECK(read("{\"code\":-32602,\"message\":\"x\"}").code == StatusCode::invalid_argument);
    CHECK(two.message.may_have_run);
    CHECK(read("{\"code\":-32603,\"message\":\"x\"}").code == StatusCode::internal);
    CHECK(read("{\"code\":-32014,\"message\":\"x\"}").code == StatusCode::unavailable);
    CHECK(two.message.may_have_run);
    read("{\"code\":-32014,\"message\":\"x\",\"data\":{\"never_ran\":true}}");
    CHECK_FALSE(two.message.may_have_run);
    CHECK(read("{\"code\":42,\"message\":\"x\",\"data\":[]}").code == StatusCode::unknown);
    CHECK(two.message.text == "x (JSON-RPC error 42)");
    CHECK(read("{\"code\":1.5,\"message\":\"x\"}").text == "{\"code\":1.5,\"message\":\"x\"}");
    CHECK(read("\"text\"").text == "text");
    CHECK_FALSE(two.message.whole_connection);
    two.read("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"x\"}}");
    CHECK(two.message.whole_connection);
    CHECK(two.message.code == StatusCode::invalid_argument);
  }

  TEST_CASE("what every code of ours becomes comes back as it was") {
    for (int code = 1; code <= 16; ++code) {
      CAPTURE(code);
      for (const bool ran : {true, false}) {
        Server server;
        Error error(static_cast<StatusCode>(code), "text");
        if (!ran) error = error.never_ran();
        const Message m = server.read_one("{\"jsonrpc\":\"2.0\",\"method\":\"A.B\",\"id\":0}");
        Reading client;
        client.read(server.fail(m, error));
        const bool merged = error.code() == StatusCode::not_found && !ran;
        CHECK(client.message.code == (merged ? StatusCode::unimplemented : error.code()));
        CHECK(client.message.text == "text");
        const bool forgotten =
            error.code() == StatusCode::invalid_argument || error.code() == StatusCode::internal;
        CHECK(client.message.may_have_run == (ran || forgotten));
      }
    }
  }
}
