// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Writes JSON byte for byte as Go's encoding/json does.

#ifndef GEERPC_CODEC_JSON_WRITER_HPP
#define GEERPC_CODEC_JSON_WRITER_HPP

#include <charconv>     // to_chars
#include <cmath>        // isfinite
#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <cstring>      // memcpy
#include <string_view>  // string_view
#include <type_traits>  // conditional, is_signed

#include <geerpc/base/buffer.hpp>
#include <geerpc/codec/base64.hpp>
#include <geerpc/codec/field_key.hpp>
#include <geerpc/codec/json_number.hpp>
#include <geerpc/codec/json_text.hpp>
#include <geerpc/codec/limits.hpp>
#include <geerpc/codec/utf8.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Commas come by themselves: out.begin_object(2); out.key("a"); out.integer(1); out.key("b"); …
class JsonWriter {
 public:
  static constexpr bool kTextKeys = true;  // map keys are strings
  static constexpr bool kBatches = false;  // see MsgpackWriter

  explicit JsonWriter(Buffer& out, std::size_t max_depth = kMaxEncodeDepth)
      : out_(out), depth_left_(max_depth), max_depth_(max_depth) {}

  void null() { word("null"); }
  void boolean(bool value) { word(value ? "true" : "false"); }

  template <class T>
  void integer(T value) {
    char* p = begin_value(24);
    if constexpr (std::is_signed_v<T>) {
      end_value(std::to_chars(p, p + 24, static_cast<std::int64_t>(value)).ptr);
    } else {
      end_value(std::to_chars(p, p + 24, static_cast<std::uint64_t>(value)).ptr);
    }
  }
  template <class T>
  void number(T value) {
    if (!std::isfinite(value)) throw_bad_value("JSON has no NaN and no infinity");
    end_value(write_json_number(begin_value(kJsonMaxNumber), value));
  }

  void string(std::string_view text, Lifetime = Lifetime::temporary) {
    const std::size_t plain = json_plain_prefix(text);
    char* p = begin_value(plain + 2);
    *p++ = '"';
    if (plain != 0) std::memcpy(p, text.data(), plain);
    p += plain;
    if (plain == text.size()) {
      *p++ = '"';
      end_value(p);
    } else {
      end_value(p);
      escape(text.substr(plain));
      out_.push_back('"');
    }
  }
  void bytes(std::string_view data, Lifetime = Lifetime::temporary) {
    char* p = begin_value(base64_size(data.size()) + 2);
    *p++ = '"';
    p = write_base64(p, data);
    *p++ = '"';
    end_value(p);
  }

  // The counts are for codecs that need them.
  void begin_array(std::size_t) { open('['); }
  void end_array() { close(']'); }
  void begin_object(std::size_t) { open('{'); }
  void end_object() { close('}'); }
  void key(std::string_view name) {
    string(name);
    out_.push_back(':');
    first_ = true;
  }

  template <class Name>
  void field(Name) {
    if constexpr (has_json_key_v<Name>) {
      constexpr auto& text = json_key_v<Name>;
      char* p = begin_value(text.size());
      std::memcpy(p, text.data(), text.size());
      end_value(p + text.size());
      first_ = true;
    } else {
      key(Name::text);
    }
  }

  FieldPath& path() { return path_; }

 private:
  // Room for the comma before a value and for n bytes of it.
  char* begin_value(std::size_t n) {
    start_ = out_.prepare(n + 1);
    char* p = start_;
    if (!first_) *p++ = ',';
    first_ = false;
    return p;
  }
  void end_value(const char* end) { out_.commit(static_cast<std::size_t>(end - start_)); }

  void word(std::string_view text) {
    char* p = begin_value(text.size());
    std::memcpy(p, text.data(), text.size());
    end_value(p + text.size());
  }
  void open(char bracket) {
    if (depth_left_ == 0) throw_too_deep(max_depth_);
    --depth_left_;
    char* p = begin_value(1);
    *p = bracket;
    end_value(p + 1);
    first_ = true;
  }
  void close(char bracket) {
    ++depth_left_;
    out_.push_back(bracket);
    first_ = false;
  }

  // The inside of a string, with all that must not stand in it replaced.
  void escape(std::string_view text) {
    while (!text.empty()) {
      const auto c = static_cast<unsigned char>(text[0]);
      std::size_t length = 1;
      if (c >= 0x80) {
        length = utf8_length(text.data(), text.data() + text.size());
        const std::string_view character = text.substr(0, length);
        if (length == 0) {
          out_.append("\\ufffd");
          length = 1;
        } else if (character == "\xE2\x80\xA8") {
          out_.append("\\u2028");
        } else if (character == "\xE2\x80\xA9") {
          out_.append("\\u2029");
        } else {
          out_.append(character);
        }
      } else if (c == '"' || c == '\\') {
        out_.push_back('\\');
        out_.push_back(static_cast<char>(c));
      } else if (c == '\n') {
        out_.append("\\n");
      } else if (c == '\r') {
        out_.append("\\r");
      } else if (c == '\t') {
        out_.append("\\t");
      } else {
        constexpr char digits[] = "0123456789abcdef";
        const char escaped[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        out_.append(escaped, sizeof escaped);
      }
      text.remove_prefix(length);
      const std::size_t plain = json_plain_prefix(text);
      out_.append(text.substr(0, plain));
      text.remove_prefix(plain);
    }
  }

  Buffer& out_;
  char* start_ = nullptr;  // of the value that is being written
  bool first_ = true;      // no comma before the next value
  std::size_t depth_left_;
  std::size_t max_depth_;
  FieldPath path_;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_JSON_WRITER_HPP
