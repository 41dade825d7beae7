// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The option: the JSON object with which a client opens a connection.

#ifndef GEERPC_PROTOCOL_OPTION_HPP
#define GEERPC_PROTOCOL_OPTION_HPP

#include <chrono>       // nanoseconds
#include <cstddef>      // size_t
#include <cstdint>      // int64_t
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/base/error.hpp>
#include <geerpc/base/hot_path.hpp>
#include <geerpc/codec/decode.hpp>
#include <geerpc/codec/json_reader.hpp>
#include <geerpc/codec/json_writer.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// GeeRPC's magic number (geerpc.MagicNumber in server.go).
inline constexpr std::int64_t kMagicNumber = 0x3bef5c;
// An option is some hundred bytes; one for Go servers is padded to 512.
inline constexpr std::size_t kMaxOption = 4096;

struct Option {
  std::int64_t magic = 0;
  std::string codec;
  std::chrono::nanoseconds connect_timeout{0};  // for the client's own use
  std::chrono::nanoseconds handle_timeout{0};   // per request, 0: none
  bool extended = false;  // ours: the peer knows the additional header fields of JSON messages
  std::chrono::nanoseconds call_timeout{0};  // ours: of requests that name no timeout, 0: none
};

// The bytes that open a connection. Go GeeRPC's server loses what arrives together with an option
// of any other size than 512 bytes (its JSON decoder's first read), so an option that may reach one
// is padded to that with blanks in front.
GEERPC_COLD inline std::string encode_option(const Option& option, bool for_go_server) {
  std::string text = "{\"MagicNumber\":" + std::to_string(option.magic) + ",\"CodecType\":";
  Buffer name;
  JsonWriter(name).string(option.codec);
  text += name.view();
  text += ",\"ConnectTimeout\":" + std::to_string(option.connect_timeout.count()) +
          ",\"HandleTimeout\":" + std::to_string(option.handle_timeout.count()) +
          (option.extended ? ",\"Extended\":true" : "") +
          (option.call_timeout.count() > 0
               ? ",\"CallTimeout\":" + std::to_string(option.call_timeout.count()) + "}\n"
               : "}\n");
  constexpr std::size_t go_first_read = 512;
  if (for_go_server && text.size() < go_first_read) {
    text.insert(0, go_first_read - text.size(), ' ');
  }
  return text;
}

// Reads an option as Go's encoding/json does: keys in any case and order, unknown ones ignored,
// null leaves the default, no number but an integer. Throws Error(invalid_argument).
inline Option parse_option(std::string_view text) {
  Option option;
  JsonReader reader(text);
  std::string_view name;
  const auto integer = [&](auto set) {
    if (!reader.try_null()) set(reader.integer<std::int64_t>());
  };
  for (auto scope = reader.begin_object(); reader.next_key(scope, name);) {
    if (equal_folded(name, "MagicNumber")) {
      integer([&](std::int64_t value) { option.magic = value; });
    } else if (equal_folded(name, "CodecType")) {
      if (!reader.try_null()) reader.string(option.codec);
    } else if (equal_folded(name, "ConnectTimeout")) {
      integer(
          [&](std::int64_t value) { option.connect_timeout = std::chrono::nanoseconds(value); });
    } else if (equal_folded(name, "HandleTimeout")) {
      integer([&](std::int64_t value) { option.handle_timeout = std::chrono::nanoseconds(value); });
    } else if (equal_folded(name, "CallTimeout")) {
      integer([&](std::int64_t value) { option.call_timeout = std::chrono::nanoseconds(value); });
    } else if (equal_folded(name, "Extended")) {
      if (!reader.try_null()) option.extended = reader.boolean();
    } else {
      reader.skip();
    }
  }
  reader.finish();
  return option;
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_PROTOCOL_OPTION_HPP
