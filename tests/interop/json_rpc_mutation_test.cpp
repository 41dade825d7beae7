// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The recorded JSON-RPC sessions, and some of 2.0, cut at every byte and with every byte changed,
// through our wires and decoders: whatever comes is a message or an error, and all that we answer
// is JSON.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../support/eventually.hpp"
#include "exact.hpp"
#include "recorded.hpp"
#include "services.hpp"

namespace {

using geerpc::Buffer;
using geerpc::Error;
using geerpc::detail::JsonRpcClientWire;
using geerpc::detail::JsonRpcServerWire;
using geerpc::detail::JsonRpcVersion;
using geerpc::detail::MessageKind;
using geerpc::detail::NoHandler;
using geerpc::detail::Wire;
using geerpc::detail::WireLimits;

struct Answers {
  int messages = 0, answers = 0, nonsense = 0;
  bool broken = false;
};

template <class T>
void try_args(const Wire& wire, const geerpc::detail::Message& message) {
  std::tuple<T> args;
  try {
    geerpc::detail::decode_args(message.codec != nullptr ? *message.codec : wire.codec(),
                                message.body, args);
  } catch (const Error&) {
    // as good an answer as any
  }
}

// Answers every request, in a batch or not, with a result or an error.
void answer(const JsonRpcServerWire& wire, const geerpc::detail::Message& message,
            Answers& counts) {
  try_args<interop::Args>(wire, message);
  try_args<interop::SinkData>(wire, message);
  if (message.kind == MessageKind::notify) return;
  Buffer out;
  if (counts.messages % 2 == 0 && !message.method.empty()) {
    wire.begin_reply(out, message.seq, message.method);
    out.append("[7]");
    wire.finish(out, 0, message.seq);
  } else {
    wire.write_error(out, message.seq, message.method,
                     wire.no_handler(NoHandler::no_method, message.method));
  }
  if (out.empty()) return;  // a batch that is not complete yet
  ++counts.answers;
  const bool one_line = out.view().find('\n') == out.size() - 1;
  counts.nonsense += !one_line || !nlohmann::json::accept(out.view().begin(), out.view().end());
}

Answers read_requests(std::string_view text) {
  const interop::Exact exact(text);
  std::string_view input = exact.view();
  JsonRpcServerWire wire(WireLimits(), 100, 1u << 20);
  geerpc::detail::Message message;
  Answers counts;
  try {
    while (!input.empty()) {
      const std::size_t size = wire.read(input, message);
      counts.nonsense += size > input.size();
      if (size == 0) break;
      ++counts.messages;
      answer(wire, message, counts);
      input.remove_prefix(size);
    }
  } catch (const Error& error) {
    counts.broken = true;
    Buffer out;
    wire.write_error(out, 0, "", error);
    counts.nonsense +=
        !out.empty() && !nlohmann::json::accept(out.view().begin(), out.view().end());
  }
  return counts;
}

Answers read_responses(std::string_view text) {
  const interop::Exact exact(text);
  std::string_view input = exact.view();
  JsonRpcClientWire wire(WireLimits(), JsonRpcVersion::one);
  geerpc::detail::Message message;
  Answers counts;
  try {
    while (!input.empty()) {
      const std::size_t size = wire.read(input, message);
      counts.nonsense += size > input.size();
      if (size == 0) break;
      ++counts.messages;
      input.remove_prefix(size);
      if (message.kind != MessageKind::reply) continue;
      interop::SinkData value;
      try {
        geerpc::detail::decode(wire.codec(), message.body, value);
      } catch (const Error&) {
        // as good an answer as any
      }
    }
  } catch (const Error&) {
    counts.broken = true;
  }
  return counts;
}

const std::string kTwo =
    "{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"params\":{\"Num1\":3},\"id\":\"a\\n\"}\n"
    "[{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\",\"params\":[{\"Num1\":3}],\"id\":-1.5e3},"
    "{\"jsonrpc\":\"2.0\",\"method\":\"Foo.Sum\"}, 1 ,{\"id\":null}]\n";
const std::string kTwoAnswers =
    "{\"jsonrpc\":\"2.0\",\"result\":{\"ID\":1},\"id\":0}\n"
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32014,\"message\":\"m\","
    "\"data\":{\"never_ran\":true}},\"id\":1}\n";

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line + '\n');
  return all;
}

// Every line of one side of the sessions.
std::vector<std::string> requests(const std::string& script) {
  return lines(interop::Session(script, "jsonrpc").from_client);
}
std::vector<std::string> responses(const std::string& script) {
  return lines(interop::Session(script, "jsonrpc").from_server);
}

template <class Read>
void cut_everywhere(const std::vector<std::string>& all, Read read) {
  for (const std::string& line : all) {
    CAPTURE(line);
    for (std::size_t n = 0; n + 1 < line.size(); ++n) {
      const Answers counts = read(std::string_view(line).substr(0, n));
      CHECK(counts.messages + counts.nonsense == 0);
      CHECK_FALSE(counts.broken);
    }
    const Answers whole = read(line);
    CHECK(whole.messages >= 1);
    CHECK(whole.nonsense == 0);
    CHECK_FALSE(whole.broken);
  }
}

// Each byte becomes every `step`th other one.
template <class Read>
void change_everywhere(const std::vector<std::string>& all, int step, Read read) {
  if (GEERPC_TEST_SANITIZED) step *= 7;
  int nonsense = 0;
  for (std::string line : all) {
    if (line.size() > 600) line = line.substr(0, 300) + line.substr(line.size() - 300);
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char was = line[i];
      for (int value = static_cast<int>(i) % step; value < 256; value += step) {
        line[i] = static_cast<char>(value);
        nonsense += read(line).nonsense;
      }
      line[i] = was;
    }
  }
  CHECK(nonsense == 0);
}

}  // namespace

TEST_CASE("half a JSON-RPC request or response is none, wherever it was cut") {
  for (const char* script : {"tcp", "bad-arg", "nil-arg"}) {
    cut_everywhere(requests(script), read_requests);
    cut_everywhere(responses(script), read_responses);
  }
  cut_everywhere(lines(kTwo), read_requests);
  cut_everywhere(lines(kTwoAnswers), read_responses);
}

TEST_CASE("JSON-RPC requests of which any byte is another are answered in JSON") {
  change_everywhere(lines(kTwo), 1, read_requests);
  change_everywhere(requests("bad-arg"), 1, read_requests);
  change_everywhere(requests("tcp"), 16, read_requests);
}

TEST_CASE("JSON-RPC responses of which any byte is another are understood or refused") {
  change_everywhere(lines(kTwoAnswers), 1, read_responses);
  change_everywhere(responses("bad-arg"), 1, read_responses);
  change_everywhere(responses("tcp"), 16, read_responses);
}
