// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonWire: GeeRPC's JSON stream, as Go's encoding/json writes it: a header object, then the body,
// a newline behind each.
//
//   {"ServiceMethod":"Foo.Sum","Seq":1,"Error":""}
//   {"Num1":3,"Num2":4}
//
// Peers that said "Extended" in the option, which only ours do, also get Timeout and Metadata in a
// request's header, Code and NeverRan in that of an error.

#ifndef GEERPC_PROTOCOL_JSON_WIRE_HPP
#define GEERPC_PROTOCOL_JSON_WIRE_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/codec/json_reader.hpp>
#include <geerpc/codec/json_scan.hpp>
#include <geerpc/codec/json_writer.hpp>
#include <geerpc/protocol/wire.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class JsonWire final : public Wire {
 public:
  JsonWire(const Codec& codec, WireLimits limits, Side side, bool extended)
      : Wire(codec, limits),
        side_(side),
        extended_(extended),
        scanner_(this->limits().decode.max_depth) {}

  std::size_t read(std::string_view input, Message& message) override {
    message.reset();
    if (header_end_ == 0) {
      if (const std::size_t blanks = skip_blanks(input, 0)) {  // not kept, but counted
        check_size(blanks_ += blanks);
        message.kind = MessageKind::nothing;
        return blanks;
      }
      if (!scan(input, 0)) return 0;
      header_end_ = scanner_.end();
      scanner_.reset();
      read_header(input.substr(0, header_end_), message);
    }
    const std::size_t header_end = header_end_;
    try {
      if (!scan(input, header_end)) return 0;
    } catch (const Error&) {
      read_header(input.substr(0, header_end), message);  // so that the caller knows whose it is
      throw;
    }
    const std::size_t end = header_end + scanner_.end();
    header_end_ = blanks_ = 0;
    scanner_.reset();
    message.reset();
    read_header(input.substr(0, header_end), message);
    check_size(end);
    message.body = input.substr(header_end, end - header_end);
    return skip_blanks(input, end);
  }

  bool read_unfinished(std::string_view input, Message& message) override {
    if (header_end_ == 0 || side_ == Side::client) return false;
    message.reset();
    read_header(input.substr(0, header_end_), message);
    const std::string_view body = input.substr(header_end_);
    message.text = body.find_first_not_of(" \t\r\n") == body.npos ? "EOF" : "unexpected EOF";
    return true;
  }

  void begin_request(Buffer& out, const RequestHeader& header) const override {
    write_header(out, header.method, header.seq, "", [&](JsonWriter& writer) {
      if (header.timeout.count() != 0) {
        writer.key("Timeout");
        writer.integer(header.timeout.count());
      }
      if (header.metadata == nullptr || header.metadata->empty()) return;
      writer.key("Metadata");
      writer.begin_object(header.metadata->size());
      for (const auto& [key, value] : *header.metadata) {
        writer.key(key);
        writer.string(value);
      }
      writer.end_object();
    });
  }
  void begin_reply(Buffer& out, std::uint64_t seq, std::string_view method) const override {
    write_header(out, method, seq, "", [](JsonWriter&) {});
  }
  void finish(Buffer& out, std::size_t start, std::uint64_t) const override {
    out.push_back('\n');
    const std::size_t size = out.size() - start;
    if (size > limits().max_message) out.truncate(start);
    check_size(size);
  }

  void write_error(Buffer& out, std::uint64_t seq, std::string_view method,
                   const Error& error) const override {
    const std::string_view text = never_empty(error.cause()).substr(0, limits().max_message / 8);
    write_header(out, method, seq, text, [&](JsonWriter& writer) {
      if (!extended_) return;
      writer.key("Code");
      writer.integer(static_cast<int>(error.code()));
      if (error.may_have_run()) return;
      writer.key("NeverRan");
      writer.boolean(true);
    });
    out.append("{}\n");  // what stands for "no result"
  }
  void write_cancel(Buffer&, std::uint64_t) const override {}
  void write_goaway(Buffer&, std::uint64_t) const override {}

  bool end_means_gone() const noexcept override { return false; }
  bool has_notify() const noexcept override { return false; }

 private:
  // The three fields that Go has, and what `more` adds.
  template <class More>
  static void write_header(Buffer& out, std::string_view method, std::uint64_t seq,
                           std::string_view error, More&& more) {
    JsonWriter writer(out);
    writer.begin_object(3);
    writer.key("ServiceMethod");
    writer.string(method);
    writer.key("Seq");
    writer.integer(seq);
    writer.key("Error");
    writer.string(error);
    more(writer);
    writer.end_object();
    out.push_back('\n');
  }

  // Looks for the end of the value that starts at `from`. False if it is not there yet.
  bool scan(std::string_view input, std::size_t from) {
    if (scanner_.feed(input.substr(from)) == JsonScanner::Status::done) return true;
    check_size(input.size());
    return false;
  }

  void read_header(std::string_view text, Message& message) const {
    JsonReader reader(text, limits().decode);
    std::string_view name;
    message.unescaped_method.clear();
    message.unescaped_text.clear();
    bool has_code = false;
    for (auto scope = reader.begin_object(); reader.next_key(scope, name);) {
      if (equal_folded(name, "ServiceMethod")) {
        if (!reader.try_null()) reader.string(message.unescaped_method);
      } else if (equal_folded(name, "Seq")) {
        if (!reader.try_null()) message.seq = reader.integer<std::uint64_t>();
      } else if (equal_folded(name, "Error") && side_ == Side::client) {
        if (!reader.try_null()) reader.string(message.unescaped_text);
      } else if (name == "Timeout") {
        message.timeout = std::chrono::nanoseconds(reader.integer<std::int64_t>());
      } else if (name == "Metadata") {
        read_metadata(reader, message);
      } else if (name == "Code") {
        message.code = status_from_wire(reader.integer<std::int64_t>());
        has_code = true;
      } else if (name == "NeverRan") {
        message.may_have_run = !reader.boolean();
      } else {
        reader.skip();
      }
    }
    message.method = message.unescaped_method;
    if (message.method.size() > kMaxMethod) {
      message.unescaped_method = std::string();  // an idle connection must not hold on to it
      message.method = {};
      throw Error(StatusCode::invalid_argument, "the name of the method is too long");
    }
    if (side_ == Side::server) return;  // an Error in a request means nothing
    message.text = message.unescaped_text;
    message.kind = message.text.empty() ? MessageKind::reply : MessageKind::error;
    // A Go server's stray errors have seq 0, too, but they are meant for nobody.
    message.whole_connection = has_code && message.seq == 0;
    if (message.kind == MessageKind::error && !has_code) infer_code(message, geerpc_no_handler);
  }

  static void read_metadata(JsonReader& reader, Message& message) {
    std::string_view key;
    for (auto scope = reader.begin_object(); reader.next_key(scope, key);) {
      std::string name(key);
      reader.string(message.metadata[std::move(name)]);
    }
  }

  static constexpr std::size_t kMaxMethod = 4096;

  const Side side_;
  const bool extended_;

  // Of the reading half.
  JsonScanner scanner_;
  std::size_t header_end_ = 0;  // once the header was found
  std::size_t blanks_ = 0;      // that were read over in front of it
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_JSON_WIRE_HPP
