// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Handshake: from the first bytes of a connection to the wire that its messages travel on.

#ifndef GEERPC_SERVER_HANDSHAKE_HPP
#define GEERPC_SERVER_HANDSHAKE_HPP

#include <algorithm>    // find
#include <cstddef>      // size_t
#include <memory>       // make_unique, unique_ptr
#include <optional>     // optional
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/codec/json_scan.hpp>
#include <geerpc/protocol/http_connect.hpp>
#include <geerpc/protocol/json_rpc_wire.hpp>
#include <geerpc/protocol/option.hpp>
#include <geerpc/protocol/recognise.hpp>
#include <geerpc/protocol/wires.hpp>
#include <geerpc/server/stream.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

inline WireLimits wire_limits(const ServerOptions& options) {
  WireLimits limits;
  limits.max_message = options.max_message_size;
  limits.decode = options.decode;
  return limits;
}

// What an option may ask for.
inline std::vector<const Codec*> known_codecs(const ServerOptions& options) {
  std::vector<const Codec*> codecs = {&msgpack_codec(), &json_codec(), &gob_codec()};
  codecs.insert(codecs.end(), options.codecs.begin(), options.codecs.end());
  return codecs;
}

// Runs once, in the connection's thread, before anything else is read.
class Handshake {
 public:
  // What was agreed.
  struct Agreement {
    Option option{};
    std::unique_ptr<Wire> wire{};  // null: it is plain HTTP
  };

  // Both outlive the handshake, and the codecs the wire, too. `has_http`: somebody is there for
  // plain HTTP.
  Handshake(ServerStream& stream, const std::vector<const Codec*>& codecs, bool has_http)
      : stream_(stream),
        codecs_(codecs),
        has_http_(has_http),
        limits_(wire_limits(stream.options())),
        deadline_(ServerStream::after(stream.options().handshake_timeout)) {}

  // Nothing if the connection is to be closed; a peer that can understand it was told why.
  std::optional<Agreement> run() {
    Opening opening{};
    while ((opening = recognise(input())) == Opening::unknown) {
      if (!receive()) return {};
    }
    if (opening == Opening::gob) return agree_on_net_rpc();
    if (opening == Opening::http) {
      if (has_http_ && !is_connect()) return Agreement();
      const std::string_view connected = open_tunnel();
      if (connected.empty()) return {};
      if (connected == kConnectedToGoRpc) return agree_on_net_rpc();
      if (input().empty() && !receive()) return {};
    }
    return agree_on_json();
  }

 private:
  static constexpr std::size_t kOptionDepth = 8;

  const ServerOptions& options() const noexcept { return stream_.options(); }
  std::string_view input() const { return stream_.input().view(); }
  bool receive() { return stream_.receive_until(deadline_); }

  std::optional<Agreement> agree_on_net_rpc() {
    if (!options().protocols.net_rpc) return {};
    return Agreement{Option(), make_net_rpc_wire(limits_, Wire::Side::server)};
  }
  std::optional<Agreement> agree_on_json() {
    Agreement agreement;
    switch (read_first(agreement.option)) {
      case First::option:
        if (!options().protocols.geerpc) return {};
        agreement.wire = choose_wire(agreement.option);
        if (agreement.wire == nullptr || !skip_newline(*agreement.wire)) return {};
        return agreement;
      case First::json_rpc:
        if (!options().protocols.json_rpc) return {};
        agreement.wire = std::make_unique<JsonRpcServerWire>(limits_, options().max_batch_size,
                                                             options().max_batch_bytes);
        return agreement;
      case First::neither:
        break;
    }
    return {};
  }

  // Looks at no more of the request than that takes.
  bool is_connect() {
    constexpr std::string_view word = "CONNECT ";
    while (input().size() < word.size() && word.substr(0, input().size()) == input() && receive()) {
    }
    return input().substr(0, word.size()) == word;
  }

  // Answers HTTP CONNECT; what it leads to, or nothing if it was refused.
  std::string_view open_tunnel() {
    std::size_t searched = 0, end = 0;
    try {
      while ((end = find_http_head_end(input(), searched)) == 0) {
        if (!receive()) return {};
      }
    } catch (const Error&) {
      stream_.send_last(
          "HTTP/1.0 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n");
      return {};
    }
    const auto offer = [this](std::string_view path) -> std::string_view {
      const auto has = [&](const std::vector<std::string>& paths) {
        return std::find(paths.begin(), paths.end(), path) != paths.end();
      };
      if (options().protocols.geerpc && has(options().geerpc_paths)) return kConnectedToGeeRpc;
      if (options().protocols.net_rpc && has(options().net_rpc_paths)) return kConnectedToGoRpc;
      return {};
    };
    const ConnectAnswer answer = answer_connect(input().substr(0, end), offer);
    stream_.input().consume(end);
    if (answer.connected.empty()) {
      stream_.send_last(answer.text);
      return {};
    }
    stream_.append([&](Buffer& out) { out.append(answer.text); });
    return stream_.flush() ? answer.connected : std::string_view();
  }

  // What the first JSON value is.
  enum class First {
    option,    // and was consumed
    json_rpc,  // a request or a batch, or what can't be told from one: its wire says what is wrong
    neither    // whoever sent it speaks none of our protocols
  };
  First read_first(Option& option) {
    JsonScanner scanner(kOptionDepth);
    std::string_view first;
    try {
      while (scanner.feed(input()) == JsonScanner::Status::more) {
        if (input().size() > kMaxOption) return json_rpc_or_neither();
        if (!receive()) return First::neither;
      }
      first = input().substr(0, scanner.end());
      JsonMember members[] = {{"MagicNumber"}, {"CodecType"}};
      find_members(first, limits_.decode, members);
      if (members[0].text.empty() && members[1].text.empty()) return First::json_rpc;
    } catch (const Error&) {
      return json_rpc_or_neither();
    }
    try {
      if (first.size() > kMaxOption) return First::neither;
      option = parse_option(first);
    } catch (const Error&) {
      return First::neither;
    }
    stream_.input().consume(first.size());
    return First::option;
  }
  First json_rpc_or_neither() const {
    const std::size_t begin = input().find_first_not_of(" \t\r\n");
    const char first = begin == std::string_view::npos ? ' ' : input()[begin];
    return first == '{' || first == '[' ? First::json_rpc : First::neither;
  }

  // The wire of the option's codec; null if the option is refused.
  std::unique_ptr<Wire> choose_wire(const Option& option) {
    std::unique_ptr<Wire> wire;
    for (const Codec* const codec : codecs_) {
      if (codec->content_type() == option.codec) {
        wire = make_wire(*codec, limits_, Wire::Side::server, option.extended);
      }
    }
    if (wire != nullptr && option.magic == kMagicNumber) return wire;
    const Error refusal =
        option.magic != kMagicNumber
            ? Error(StatusCode::invalid_argument,
                    "rpc server: invalid magic number " + std::to_string(option.magic))
            : Error(StatusCode::unimplemented, "rpc server: invalid codec type " + option.codec);
    // Whoever asks for a codec that only our programs could know understands our frames; whoever
    // asks for gob is perhaps no program of ours.
    if (wire == nullptr && !option.codec.empty()) {
      wire = std::make_unique<FrameWire>(msgpack_codec(), limits_);
    }
    if (wire == nullptr || !wire->has_connection_errors()) return nullptr;
    Buffer text;
    wire->write_error(text, 0, "", refusal.never_ran());
    stream_.send_last(text.view());
    return nullptr;
  }

  // The newline behind the option, which may come later. Not for JSON and gob, whose wires read
  // over white space.
  bool skip_newline(const Wire& wire) {
    if (may_meet_go_server(wire.codec())) return true;
    if (input().empty() && !receive()) return false;
    if (input().front() == '\n') stream_.input().consume(1);
    return true;
  }

  ServerStream& stream_;
  const std::vector<const Codec*>& codecs_;
  const bool has_http_;
  const WireLimits limits_;
  const SteadyClock::time_point deadline_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_HANDSHAKE_HPP
