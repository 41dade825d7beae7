// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonRpcReplies: from a call's number back to the id that its peer gave it, and from the replies
// of a batch to its one answer.

#ifndef GEERPC_PROTOCOL_JSON_RPC_REPLIES_HPP
#define GEERPC_PROTOCOL_JSON_RPC_REPLIES_HPP

#include <algorithm>    // max
#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <memory>       // shared_ptr
#include <mutex>        // mutex
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/base/buffer.hpp>
#include <geerpc/codec/json_writer.hpp>
#include <geerpc/protocol/json_rpc.hpp>
#include <geerpc/protocol/json_rpc_answer.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The requests whose replies leave together, when the last of them is there: those that one array
// brought, or the one of a text that came by itself.
struct JsonRpcBatch {
  std::size_t left = 0;               // replies that are still to come
  bool array = true;                  // in brackets, even if it is only one
  std::shared_ptr<JsonRpcAnswer> to;  // null: back on the stream
  std::string answer{};               // the replies that are here, behind a bracket
};

// One end of one connection. Thread-safe: requests are added by who reads, and answered by anybody.
// How many there are at a time is bounded by the calls that a connection may have, so what is kept
// is a short list.
class JsonRpcReplies {
 public:
  // `max_answer`: bytes of all unfinished batches together.
  explicit JsonRpcReplies(std::size_t max_answer) : max_answer_(max_answer) {}

  // A request that gets a reply; returns its number, never 0. `batch` is null for one by itself.
  std::uint64_t add(const JsonRpcRequest& request, std::shared_ptr<JsonRpcBatch> batch) {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(
        {++last_, request.version, std::string(request.id), request.problem, std::move(batch)});
    return last_;
  }

  // Appends what stands in front of a result.
  void begin(Buffer& out, std::uint64_t seq) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const Waiting* const waiting = find(seq)) begin(out, *waiting);
  }
  // A result stands behind that: completes the reply, and forgets the request. Throws
  // Error(resource_exhausted), and leaves everything as it is, if there is no room for it.
  void finish(Buffer& out, std::size_t start, std::uint64_t seq) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Waiting* const waiting = find(seq);
    if (waiting == nullptr) return out.truncate(start);
    if (waiting->version == JsonRpcVersion::two) {
      out.push_back('}');
    } else {
      // Without an error and without a result it would be no reply: Go clients die of it.
      const std::size_t prefix = kBeginOne.size() + waiting->id.size() + kResult.size();
      if (out.view().substr(start + prefix) == "null") {
        out.truncate(start + prefix);
        out.append("{}");
      }
      out.append(",\"error\":null}");
    }
    if (waiting->batch != nullptr && gathered_ + out.size() - start > max_answer_) {
      throw Error(StatusCode::resource_exhausted,
                  "the answer of the batch is larger than the limit of " +
                      std::to_string(max_answer_) + " bytes");
    }
    send(out, start, *waiting);
  }

  // Answers the request with an error, and forgets it.
  void fail(Buffer& out, std::uint64_t seq, const Error& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Waiting* const waiting = find(seq);
    if (waiting == nullptr) return;
    const std::size_t start = out.size();
    // An answer that is full has room for short words still.
    const std::size_t left = gathered_ < max_answer_ ? max_answer_ - gathered_ : 0;
    write_error(out, *waiting, error, (std::max)(left / 8, kMinText));
    send(out, start, *waiting);
  }

  // An error that concerns no request, but the connection.
  static void write_stray(Buffer& out, const Error& error) {
    const int code =
        error.code() == StatusCode::invalid_argument ? kJsonRpcParseError : json_rpc_code(error);
    write_error(out, "null", code, error.cause().substr(0, kMinText), false);
    out.push_back('\n');
  }

 private:
  struct Waiting {
    std::uint64_t seq;
    JsonRpcVersion version;
    std::string id;
    const char* problem;
    std::shared_ptr<JsonRpcBatch> batch;
  };

  static constexpr std::string_view kBeginOne = "{\"id\":";
  static constexpr std::string_view kBeginTwo = "{\"jsonrpc\":\"2.0\",\"id\":";
  static constexpr std::string_view kResult = ",\"result\":";
  static constexpr std::size_t kMinText = 256;  // bytes of an error text

  // Mutex held.
  Waiting* find(std::uint64_t seq) {
    for (Waiting& waiting : waiting_) {
      if (waiting.seq == seq) return &waiting;
    }
    return nullptr;
  }

  static void begin(Buffer& out, const Waiting& waiting) {
    out.append(waiting.version == JsonRpcVersion::one ? kBeginOne : kBeginTwo);
    out.append(waiting.id);
    out.append(kResult);
  }

  static void write_error(Buffer& out, const Waiting& waiting, const Error& error,
                          std::size_t max_text) {
    std::string_view text = error.cause();
    if (waiting.problem != nullptr) text = waiting.problem;
    if (text.empty()) text = "failed without an error text";  // it would mean success in 1.0
    text = text.substr(0, max_text);
    if (waiting.version == JsonRpcVersion::one) {
      out.append(kBeginOne);
      out.append(waiting.id);
      out.append(",\"result\":null,\"error\":");
      JsonWriter(out).string(text);
      out.push_back('}');
      return;
    }
    if (waiting.problem != nullptr) {
      return write_error(out, waiting.id, kJsonRpcInvalidRequest, text, false);
    }
    const int code = json_rpc_code(error);
    // The codes of the specification say that by themselves.
    const bool never_ran = !error.may_have_run() && code >= kJsonRpcServerError - 99;
    write_error(out, waiting.id, code, text, never_ran);
  }
  static void write_error(Buffer& out, std::string_view id, int code, std::string_view text,
                          bool never_ran) {
    out.append(kBeginTwo);
    out.append(id);
    out.append(",\"error\":{\"code\":");
    JsonWriter(out).integer(code);
    out.append(",\"message\":");
    JsonWriter(out).string(text);
    out.append(never_ran ? ",\"data\":{\"never_ran\":true}}}" : "}}");
  }

  // Mutex held. The reply stands in `out` from `start` on: it stays there, or is gathered in its
  // batch, the last of which takes all along. Forgets the request.
  void send(Buffer& out, std::size_t start, Waiting& waiting) {
    const std::shared_ptr<JsonRpcBatch> batch = std::move(waiting.batch);
    waiting = std::move(waiting_.back());
    waiting_.pop_back();
    if (batch != nullptr) {
      std::string& answer = batch->answer;
      const std::size_t before = answer.size();
      if (batch->array) answer += answer.empty() ? '[' : ',';
      answer += out.view().substr(start);
      gathered_ += answer.size() - before;
      out.truncate(start);
      if (--batch->left != 0) return;
      gathered_ -= answer.size();
      if (batch->array) answer += ']';
      if (batch->to != nullptr) {
        return batch->to->settle(JsonRpcAnswer::State::ready, std::move(answer));
      }
      out.append(answer);
    }
    out.push_back('\n');
  }

  const std::size_t max_answer_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Waiting> waiting_;
  std::uint64_t last_ = 0;
  std::size_t gathered_ = 0;  // bytes of the answers of all unfinished batches
};

// What is answered to a text that is no JSON; nothing if it is.
inline std::optional<std::string> json_rpc_parse_error(std::string_view text,
                                                       const DecodeLimits& limits) {
  try {
    JsonReader reader(text, limits);
    reader.skip();
    reader.finish();
    return {};
  } catch (const Error& error) {
    Buffer out;
    JsonRpcReplies::write_stray(out, error);
    return std::string(out.view().substr(0, out.size() - 1));
  }
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_JSON_RPC_REPLIES_HPP
