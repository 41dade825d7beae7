// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The recorded gob sessions, cut at every byte and with every byte changed, through our wires and
// decoders: whatever comes is a message or an error, and never costs more than it should.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "exact.hpp"
#include "recorded.hpp"
#include "services.hpp"

namespace {

using namespace interop;
using geerpc::Error;
using geerpc::detail::GobWire;
using geerpc::detail::MessageKind;
using geerpc::detail::Wire;

template <class T>
bool decodes(const Wire& wire, std::string_view body) {
  try {
    T value{};
    geerpc::detail::decode(wire.codec(), body, value);
    return true;
  } catch (const Error&) {
    return false;
  }
}

struct Counts {
  int messages = 0, bodies = 0, nonsense = 0;
  bool broken = false;
};

// Reads what there is, and decodes each body as several types, but for messages that end within the
// first `known` bytes. Returns what is left.
std::string_view read_all(Wire& wire, std::string_view input, Counts& counts,
                          std::size_t known = 0) {
  geerpc::detail::Message message;
  const std::size_t all = input.size();
  try {
    while (!input.empty()) {
      const std::size_t size = wire.read(input, message);
      counts.nonsense += size > input.size() || (size == 0 && wire.missing() == 0);
      if (size == 0) break;
      input.remove_prefix(size);
      if (message.kind == MessageKind::nothing) continue;
      ++counts.messages;
      if (message.too_large != 0 || all - input.size() <= known) continue;
      counts.bodies += decodes<Args>(wire, message.body);
      counts.bodies += decodes<SinkData>(wire, message.body);
      counts.bodies += decodes<std::vector<Item>>(wire, message.body);
      counts.bodies += decodes<std::map<std::string, std::vector<Int>>>(wire, message.body);
    }
  } catch (const Error&) {
    counts.broken = true;
  }
  return input;
}

struct Recording {
  std::string bytes;
  GobWire::Dialect dialect;
  Wire::Side side;

  std::unique_ptr<GobWire> wire() const {
    geerpc::detail::WireLimits limits;
    limits.max_message = 1u << 20;
    return std::make_unique<GobWire>(limits, side, dialect, false);
  }
  Counts read(std::string_view input, std::size_t known = 0) const {
    Counts counts;
    const Exact exact(input);
    read_all(*wire(), exact.view(), counts, known);
    CHECK(counts.nonsense == 0);
    return counts;
  }
};
std::vector<Recording> recordings() {
  std::vector<Recording> all;
  for (const std::string script : {"tcp", "bad-arg"}) {
    for (const bool net_rpc : {false, true}) {
      const Session session(script, net_rpc ? "netrpc-gob" : "geerpc-gob");
      const auto dialect = net_rpc ? GobWire::Dialect::net_rpc : GobWire::Dialect::geerpc;
      const Step& handshake = session.steps.front();
      all.push_back(
          {session.from_client.substr(handshake.from_client.size()), dialect, Wire::Side::server});
      all.push_back(
          {session.from_server.substr(handshake.from_server.size()), dialect, Wire::Side::client});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("recorded gob streams that come byte by byte give the same messages") {
  for (const Recording& recording : recordings()) {
    const Counts whole = recording.read(recording.bytes);
    CHECK(whole.messages > 5);
    CHECK_FALSE(whole.broken);
    const auto wire = recording.wire();
    Counts counts;
    std::string unread;
    geerpc::detail::Message message;
    for (const char byte : recording.bytes) {
      unread += byte;
      const Exact exact(unread);
      unread = read_all(*wire, exact.view(), counts);
      if (recording.side == Wire::Side::client) continue;
      // The stream might end here.
      const bool unfinished = wire->read_unfinished(exact.view(), message);
      if (unfinished) counts.nonsense += message.method.empty() || message.text.empty();
    }
    CHECK(unread.empty());
    CHECK(counts.messages == whole.messages);
    CHECK(counts.bodies == whole.bodies);
    CHECK(counts.nonsense == 0);
    CHECK_FALSE(counts.broken);
  }
}

TEST_CASE("recorded gob streams with any byte changed are messages and errors") {
  for (const Recording& recording : recordings()) {
    std::string bytes = recording.bytes;
    const int changes[] = {0x01, 0x40, 0x80, 0xFF, 0x07};
    int broken = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const char original = bytes[i];
      bytes[i] = static_cast<char>(original ^ changes[i % 5]);
      // A few messages behind the change all is as it was.
      broken += recording.read(std::string_view(bytes).substr(0, i + 300), i).broken;
      bytes[i] = original;
    }
    CHECK(broken > 20);
  }
}
