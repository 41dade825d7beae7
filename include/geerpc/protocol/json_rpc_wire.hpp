// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonRpcServerWire: the server's end of JSON-RPC as a stream of JSON values, a newline behind each
// of ours: 2.0, and 1.0 as Go's net/rpc/jsonrpc has it over TCP, both on one connection.
//
// Our own numbers of calls stay inside: each request of a peer gets one, and its reply the peer's
// id. A batch becomes as many messages as it has elements.

#ifndef GEERPC_PROTOCOL_JSON_RPC_WIRE_HPP
#define GEERPC_PROTOCOL_JSON_RPC_WIRE_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <memory>       // make_shared, shared_ptr
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move

#include <geerpc/codec/json_scan.hpp>
#include <geerpc/protocol/json_rpc_replies.hpp>
#include <geerpc/protocol/wire.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class JsonRpcServerWire final : public Wire {
 public:
  // `max_batch`: elements of one batch; `max_batch_bytes`: of its text. With `answer`, the input is
  // one request or batch, and all that is answered to it goes there.
  JsonRpcServerWire(const WireLimits& limits, std::size_t max_batch, std::size_t max_batch_bytes,
                    std::shared_ptr<JsonRpcAnswer> answer = nullptr)
      : Wire(json_rpc_codec(2), limits),
        max_batch_(max_batch),
        max_batch_bytes_(max_batch_bytes),
        answer_(std::move(answer)),
        replies_(this->limits().max_message),
        scanner_(this->limits().decode.max_depth) {}

  ~JsonRpcServerWire() override {
    if (answer_ != nullptr) answer_->settle(JsonRpcAnswer::State::lost);
  }

  std::size_t read(std::string_view input, Message& message) override {
    message.reset();
    if (in_batch_ != 0) return read_element(input, 0, message);
    if (const std::size_t blanks = skip_blanks(input, 0)) {  // not kept, but counted
      check_size(blanks_ += blanks);
      message.kind = MessageKind::nothing;
      return blanks;
    }
    if (scanner_.feed(input) != JsonScanner::Status::done) {
      check_size(input.size());
      return 0;
    }
    const std::size_t end = scanner_.end();
    scanner_.reset();
    blanks_ = 0;
    check_size(end);
    const std::string_view text = input.substr(0, end);
    if (text[0] == '[') {
      if (begin_batch(text, message)) return read_element(input, 1, message);
    } else {
      take(parse(text, message), message);
    }
    return skip_blanks(input, end);
  }

  bool in_batch() const noexcept override { return in_batch_ != 0; }

  // A server asks nothing.
  void begin_request(Buffer&, const RequestHeader&) const override {}

  void begin_reply(Buffer& out, std::uint64_t seq, std::string_view) const override {
    replies_.begin(out, seq);
  }
  void finish(Buffer& out, std::size_t start, std::uint64_t seq) const override {
    const std::size_t size = out.size() - start;
    if (size > limits().max_message) out.truncate(start);
    check_size(size);
    replies_.finish(out, start, seq);
  }
  void write_error(Buffer& out, std::uint64_t seq, std::string_view,
                   const Error& error) const override {
    if (seq != 0) return replies_.fail(out, seq, error);
    // Go closes without a word, and its client would take the null for the id 0.
    if (version_ == JsonRpcVersion::two) JsonRpcReplies::write_stray(out, error);
  }
  void write_cancel(Buffer&, std::uint64_t) const override {}
  void write_goaway(Buffer&, std::uint64_t) const override {}

  Error no_handler(NoHandler why, std::string_view method) const override {
    // In 2.0, a name that can't be one is that of no method, too.
    const Error error = net_rpc_no_handler(why, method);
    return Error(StatusCode::unimplemented, error.cause()).never_ran();
  }

  bool end_means_gone() const noexcept override { return false; }
  bool has_notify() const noexcept override { return true; }

 private:
  JsonRpcRequest parse(std::string_view text, Message& message) const {
    return parse_json_rpc_request(text, limits().decode, batch_ != nullptr,
                                  message.unescaped_method);
  }

  // Makes it a message. One that is no request is sent to a method that does not exist, and gets
  // its own answer there.
  void take(const JsonRpcRequest& request, Message& message) {
    version_ = request.version;
    if (request.problem == nullptr) message.method = message.unescaped_method;
    const bool none = is_json_null(request.params);
    if (request.version == JsonRpcVersion::one) {
      message.codec = &json_rpc_codec(1);
      message.body = none ? "null" : request.params;
    } else {
      message.body = none ? "[]" : request.params;
    }
    message.kind = request.id.empty() ? MessageKind::notify : MessageKind::request;
    if (!request.id.empty()) {
      message.seq = replies_.add(request, batch_ == nullptr ? alone() : batch_);
    } else if (batch_ == nullptr) {
      answer_nothing();
    }
  }
  // What one request is that is in no batch.
  std::shared_ptr<JsonRpcBatch> alone() const {
    if (answer_ == nullptr) return nullptr;
    return std::make_shared<JsonRpcBatch>(JsonRpcBatch{1, false, answer_});
  }
  void answer_nothing() const {
    if (answer_ != nullptr) answer_->settle(JsonRpcAnswer::State::nothing);
  }

  // Checks the whole array before any of it runs. False if it is one bad request.
  bool begin_batch(std::string_view text, Message& message) {
    const auto batch = std::make_shared<JsonRpcBatch>(JsonRpcBatch{0, true, answer_});
    JsonRpcRequest whole;
    std::size_t elements = 0;
    JsonReader reader(text, limits().decode);
    for (auto scope = reader.begin_array(); reader.next(scope); ++elements) {
      const std::string_view element = reader.raw();
      if (elements >= max_batch_) continue;  // what is no JSON is no batch either
      if (!parse_json_rpc_request(element, limits().decode, true, message.unescaped_method)
               .id.empty()) {
        ++batch->left;
      }
    }
    reader.finish();
    if (elements == 0) {
      whole.problem = "the batch is empty";
    } else if (elements > max_batch_) {
      whole.problem = "the batch has too many elements";
    } else if (text.size() > max_batch_bytes_) {
      whole.problem = "the batch is too large";
    } else {
      batch_ = batch;
      in_batch_ = elements;
      if (batch->left == 0) answer_nothing();
      return true;
    }
    whole.id = "null";
    take(whole, message);
    return false;
  }

  // The next element begins at `from` or behind blanks there.
  std::size_t read_element(std::string_view input, std::size_t from, Message& message) {
    JsonReader reader(input.substr(from), limits().decode);
    take(parse(reader.raw(), message), message);
    const std::size_t end = input.find_first_of(",]", input.size() - reader.left()) + 1;
    if (--in_batch_ != 0) return end;
    batch_.reset();
    return skip_blanks(input, end);
  }

  // Constant after construction.
  const std::size_t max_batch_;
  const std::size_t max_batch_bytes_;
  const std::shared_ptr<JsonRpcAnswer> answer_;  // may be null

  mutable JsonRpcReplies replies_;

  // Of the reading half.
  JsonScanner scanner_;
  std::size_t blanks_ = 0;                        // that were read over in front of a value
  std::shared_ptr<JsonRpcBatch> batch_;           // the array that is being read
  std::size_t in_batch_ = 0;                      // its elements that were not read yet
  JsonRpcVersion version_ = JsonRpcVersion::two;  // of the last request
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_JSON_RPC_WIRE_HPP
