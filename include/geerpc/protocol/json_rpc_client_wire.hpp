// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonRpcClientWire: the client's end of JSON-RPC as a stream of JSON values, a newline behind each
// of ours.

#ifndef GEERPC_PROTOCOL_JSON_RPC_CLIENT_WIRE_HPP
#define GEERPC_PROTOCOL_JSON_RPC_CLIENT_WIRE_HPP

#include <charconv>      // from_chars
#include <cstddef>       // size_t
#include <cstdint>       // uint64_t
#include <string_view>   // string_view
#include <system_error>  // errc

#include <geerpc/codec/json_scan.hpp>
#include <geerpc/codec/json_writer.hpp>
#include <geerpc/protocol/json_rpc.hpp>
#include <geerpc/protocol/wire.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Requests have the bytes that Go's client writes in 1.0: ids are the numbers 0, 1, 2, …, one less
// than ours. Deadlines and metadata are not sent: JSON-RPC has no place for them.
class JsonRpcClientWire final : public Wire {
 public:
  JsonRpcClientWire(const WireLimits& limits, JsonRpcVersion version)
      : Wire(json_rpc_codec(version == JsonRpcVersion::one ? 1 : 2), limits),
        version_(version),
        scanner_(this->limits().decode.max_depth) {}

  std::size_t read(std::string_view input, Message& message) override {
    message.reset();
    if (scanner_.feed(input) != JsonScanner::Status::done) {
      check_size(input.size());
      return 0;
    }
    std::size_t end = scanner_.end();
    scanner_.reset();
    check_size(end);
    read_response(input.substr(0, end), message);
    while (end < input.size() && is_json_space(input[end])) ++end;
    return end;
  }

  void begin_request(Buffer& out, const RequestHeader& header) const override {
    const bool one = version_ == JsonRpcVersion::one;
    out.append(one ? "{\"method\":" : "{\"jsonrpc\":\"2.0\",\"method\":");
    JsonWriter(out).string(header.method);
    if (!one && header.kind == MessageKind::request) write_id(out, header.seq);
    out.append(",\"params\":");
  }
  void finish(Buffer& out, std::size_t start, std::uint64_t seq) const override {
    if (version_ == JsonRpcVersion::one) write_id(out, seq);
    out.append("}\n");
    const std::size_t size = out.size() - start;
    if (size > limits().max_message) out.truncate(start);
    check_size(size);
  }

  // A client answers nothing.
  void begin_reply(Buffer&, std::uint64_t, std::string_view) const override {}
  void write_error(Buffer&, std::uint64_t, std::string_view, const Error&) const override {}
  void write_cancel(Buffer&, std::uint64_t) const override {}
  void write_goaway(Buffer&, std::uint64_t) const override {}

  bool end_means_gone() const noexcept override { return false; }
  bool has_notify() const noexcept override { return version_ == JsonRpcVersion::two; }

 private:
  static void write_id(Buffer& out, std::uint64_t seq) {
    out.append(",\"id\":");
    JsonWriter(out).integer(seq - 1);
  }

  // Both versions, whichever was asked for: they can't be confused. What answers no call of ours is
  // nothing, unless it says why the connection ends.
  void read_response(std::string_view text, Message& message) const {
    JsonMember members[] = {{"id"}, {"result"}, {"error"}, {"method"}};
    find_members(text, limits().decode, members);
    const std::string_view id = members[0].text, error = members[2].text;
    message.unescaped_text.clear();
    if (!members[3].text.empty()) {  // the server asks something
      message.kind = MessageKind::nothing;
      return;
    }
    if (!is_json_null(error)) {
      message.kind = MessageKind::error;
      read_error(error, message);
      message.text = message.unescaped_text;
    } else if (members[1].text.empty()) {
      message.kind = MessageKind::error;
      message.code = StatusCode::data_loss;
      message.text = "the reply has neither a result nor an error";
    } else {
      message.kind = MessageKind::reply;
      message.body = members[1].text;
    }
    const char* const end = id.data() + id.size();
    const auto [last, failure] = std::from_chars(id.data(), end, message.seq);
    if (failure == std::errc() && last == end && message.seq + 1 != 0) {
      ++message.seq;
      return;
    }
    message.seq = 0;
    message.whole_connection = !is_json_null(error) && is_json_null(id);
    if (!message.whole_connection) message.kind = MessageKind::nothing;
  }

  // 2.0 has an object, 1.0 a text or, rarely, any other value.
  void read_error(std::string_view error, Message& message) const {
    JsonMember members[] = {{"code"}, {"message"}, {"data"}};
    if (error[0] == '{') find_members(error, limits().decode, members);
    const auto& [code, text, data] = members;
    long long number = 0;
    const char* const end = code.text.data() + code.text.size();
    if (std::from_chars(code.text.data(), end, number).ptr != end || code.text.empty()) {
      read_text(error, message);
      if (version_ == JsonRpcVersion::one) infer_code(message);
      return;
    }
    read_text(text.text, message);
    set_json_rpc_status(message, number);
    if (data.text.empty() || data.text[0] != '{') return;
    JsonMember details[] = {{"never_ran"}};
    find_members(data.text, limits().decode, details);
    if (details[0].text == "true") message.may_have_run = false;
  }
  static void read_text(std::string_view json, Message& message) {
    if (!json.empty() && json[0] == '"') {
      JsonReader(json).string(message.unescaped_text);
    } else {
      message.unescaped_text = json;
    }
  }

  // A reply does not repeat the method's name, and a handler may pass on another server's words. So
  // they give a code, but are not believed that nothing ran.
  static void infer_code(Message& message) {
    const auto begins_with = [&](std::string_view words) {
      return message.unescaped_text.compare(0, words.size(), words) == 0;
    };
    if (begins_with("rpc: can't find service ")) {
      message.code = StatusCode::not_found;
    } else if (begins_with("rpc: can't find method ")) {
      message.code = StatusCode::unimplemented;
    } else if (begins_with("rpc: service/method request ill-formed: ")) {
      message.code = StatusCode::invalid_argument;
    } else if (begins_with(kHandleTimeoutText)) {
      message.code = StatusCode::deadline_exceeded;
    }
  }

  // Constant after construction.
  const JsonRpcVersion version_;

  // Of the reading half.
  JsonScanner scanner_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_JSON_RPC_CLIENT_WIRE_HPP
