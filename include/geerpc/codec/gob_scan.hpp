// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobScanner: finds the values in a gob stream, and learns the types that are defined between them.

#ifndef GEERPC_CODEC_GOB_SCAN_HPP
#define GEERPC_CODEC_GOB_SCAN_HPP

#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <string_view>  // string_view

#include <geerpc/codec/gob_skip.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// For the thread that reads the stream.
class GobScanner {
 public:
  // The schema outlives the scanner.
  GobScanner(GobSchema& schema, std::size_t max_depth) : schema_(schema), max_depth_(max_depth) {}

  enum class Found {
    nothing,     // not all of it is there: come again with the same bytes and more behind them
    definition,  // its type is learned
    value,       // of whatever type; it may be in several messages
  };
  // What `in` begins with. size() is then how many bytes that takes; if nothing was found, as far
  // as is known by now. Throws Error if the stream can't go on.
  Found scan(std::string_view in) {
    std::size_t head = 0;
    std::uint64_t length = 0;
    size_ = in.size() + 1;
    if (!read_gob_length(in, head, length)) return Found::nothing;
    size_ = head + static_cast<std::size_t>(length);
    if (in.size() < size_) return Found::nothing;
    GobReader reader(in, true);
    reader.begin_message();
    const std::int64_t id = reader.integer();
    if (id < 0) {
      schema_.learn(id, reader);
      if (!reader.at_end()) throw_bad_value("extra data in buffer");
      return Found::definition;
    }
    if (!schema_.has_interfaces() && id != kGobInterface) return Found::value;
    return scan_value(in, reader, id);
  }
  std::size_t size() const noexcept { return size_; }

 private:
  // The value may go on in the next message. It is read over from its start whenever the message
  // that it turned out to lack has come, so a few times at most, however the stream is cut.
  Found scan_value(std::string_view in, GobReader& reader, std::int64_t id) {
    if (in.size() < wanted_) {
      size_ = wanted_;
      return Found::nothing;
    }
    const char* known = in.data() + known_;
    GobSkipper skipper(schema_, max_depth_, known);
    try {
      skipper.skip_typed(reader, id);
    } catch (const GobNeedsMore& more) {
      known_ = static_cast<std::size_t>(known - in.data());
      size_ = wanted_ = in.size() + more.bytes;
      return Found::nothing;
    } catch (const Error&) {
      // A bad value in one message is the affair of who decodes it.
      if (skipper.cuts() != 0) throw;
    }
    known_ = wanted_ = 0;
    size_ = static_cast<std::size_t>(reader.message_end() - in.data());
    return Found::value;
  }

  GobSchema& schema_;
  const std::size_t max_depth_;
  std::size_t size_ = 0;
  // Of a value of which more is to come.
  std::size_t known_ = 0;  // see GobSkipper
  std::size_t wanted_ = 0;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_SCAN_HPP
