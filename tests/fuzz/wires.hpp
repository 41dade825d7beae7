// What wires are fuzzed with: a stream holds the same messages however it is cut, and what is in
// them can be decoded or is refused.

#ifndef GEERPC_TEST_FUZZ_WIRES_HPP
#define GEERPC_TEST_FUZZ_WIRES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <geerpc/protocol/wire.hpp>

#include "fuzz.hpp"
#include "values.hpp"

namespace wires {

using geerpc::detail::Message;
using geerpc::detail::MessageKind;
using geerpc::detail::Wire;

// Small, so that inputs are larger.
inline geerpc::detail::WireLimits limits() {
  geerpc::detail::WireLimits limits;
  limits.max_message = 1024;
  return limits;
}

inline std::string describe(const Message& message) {
  std::string text;
  const auto add = [&](std::string_view part) {
    text += std::to_string(part.size()) + ':';
    text += part;
  };
  const auto number = [&](auto value) { add(std::to_string(static_cast<long long>(value))); };
  number(message.kind);
  number(message.seq);
  number(message.timeout.count());
  number(message.code);
  number(message.may_have_run);
  number(message.whole_connection);
  number(message.too_large);
  add(message.method);
  add(message.text);
  add(message.body);
  for (const auto& [key, value] : message.metadata) {
    add(key);
    add(value);
  }
  return text;
}

template <class T>
void decode(const geerpc::Codec& codec, std::string_view body) {
  try {
    T value{};
    geerpc::detail::decode(codec, body, value);
  } catch (const geerpc::Error&) {
  }
}

struct Seen {
  std::vector<std::string> messages;
  bool broken = false;
};

// Reads the stream as it comes in pieces of that size, each time from a copy of what is there.
template <class Make>
Seen read(const Make& make, std::string_view input, std::size_t piece) {
  const std::unique_ptr<Wire> wire = make();
  Seen seen;
  Message message;
  std::size_t at = 0, end = 0;
  try {
    for (;;) {
      const std::vector<char> there(input.begin() + static_cast<std::ptrdiff_t>(at),
                                    input.begin() + static_cast<std::ptrdiff_t>(end));
      const std::size_t size = wire->read({there.data(), there.size()}, message);
      if (size == 0) {
        GEERPC_FUZZ_CHECK(wire->missing() != 0);
        if (end == input.size()) break;
        end += (std::min)(piece, input.size() - end);
        continue;
      }
      GEERPC_FUZZ_CHECK(size <= there.size());
      at += size;
      if (message.kind == MessageKind::nothing) continue;
      seen.messages.push_back(describe(message));
      const geerpc::Codec& codec = message.codec != nullptr ? *message.codec : wire->codec();
      decode<int>(codec, message.body);
      decode<values::Tree>(codec, message.body);
    }
  } catch (const geerpc::Error&) {
    seen.broken = true;
  }
  return seen;
}

template <class Make>
void read_in_pieces(const Make& make, std::string_view input) {
  if (input.size() > 2048) return;
  const Seen whole = read(make, input, input.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{23}}) {
    const Seen pieces = read(make, input, piece);
    GEERPC_FUZZ_CHECK(pieces.messages == whole.messages);
    GEERPC_FUZZ_CHECK(pieces.broken == whole.broken);
  }
}

}  // namespace wires

#endif  // GEERPC_TEST_FUZZ_WIRES_HPP
