// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonLexer reads the pieces of which JSON is made: literals, numbers and strings.

#ifndef GEERPC_CODEC_JSON_LEXER_HPP
#define GEERPC_CODEC_JSON_LEXER_HPP

#include <charconv>      // from_chars
#include <cstddef>       // size_t
#include <cstdint>       // int64_t, uint64_t
#include <string>        // string, to_string
#include <string_view>   // string_view
#include <system_error>  // errc

#include <geerpc/codec/json_text.hpp>
#include <geerpc/codec/limits.hpp>
#include <geerpc/codec/utf8.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Throws Error(invalid_argument) at whatever is not JSON.
class JsonLexer {
 public:
  explicit JsonLexer(std::string_view in) noexcept
      : begin_(in.data()), p_(in.data()), end_(in.data() + in.size()) {}

  // The bytes that were not read yet.
  std::string_view rest() const noexcept { return {p_, left()}; }
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - p_); }

  // Throws if anything but white space is left.
  void finish() {
    skip_space();
    if (p_ != end_) throw_unexpected("behind the value");
  }

 protected:
  [[noreturn]] void throw_unexpected(const char* where) {
    if (p_ == end_) throw_short();
    const auto c = static_cast<unsigned char>(*p_);
    constexpr char digits[] = "0123456789abcdef";
    const std::string shown = c > 0x20 && c < 0x7F
                                  ? std::string(1, *p_)
                                  : std::string("\\x") + digits[c >> 4] + digits[c & 15];
    throw_bad_value("invalid character '" + shown + "' " + where + position());
  }
  [[noreturn]] void throw_short() const {
    throw_bad_value("the JSON value ends too early" + position());
  }
  std::string position() const { return " at byte " + std::to_string(p_ - begin_); }

  void skip_space() {
    while (p_ != end_ && is_json_space(*p_)) ++p_;
  }
  // The next character that is no white space.
  char first() {
    skip_space();
    if (p_ == end_) throw_short();
    return *p_;
  }
  void word(std::string_view text) {
    for (const char c : text) {
      if (p_ == end_) throw_short();
      if (*p_ != c) throw_unexpected("in a literal");
      ++p_;
    }
  }

  // Reads a number without looking at what it stands for.
  std::string_view number_text() {
    const char* const start = p_;
    const auto digits = [this] {
      if (p_ == end_) throw_short();
      if (!is_digit(*p_)) throw_unexpected("in a number");
      while (p_ != end_ && is_digit(*p_)) ++p_;
    };
    if (*p_ == '-') ++p_;
    if (p_ != end_ && *p_ == '0') {
      ++p_;
    } else {
      digits();
    }
    if (p_ != end_ && *p_ == '.') {
      ++p_;
      digits();
    }
    if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
      ++p_;
      if (p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
      digits();
    }
    return {start, static_cast<std::size_t>(p_ - start)};
  }
  // An integer is one that 64 bits hold: a larger one was a double, since doubles are written
  // without an exponent up to 1e21, and so was -0.
  Token number_token() const {
    const char* p = p_ + 1;
    while (p != end_ && is_digit(*p)) ++p;
    if (p != end_ && (*p == '.' || *p == 'e' || *p == 'E')) return Token::number;
    if (*p_ == '-' && p - p_ == 2 && p_[1] == '0') return Token::number;
    std::int64_t negative;
    std::uint64_t natural;
    const std::errc failure =
        *p_ == '-' ? std::from_chars(p_, p, negative).ec : std::from_chars(p_, p, natural).ec;
    return failure == std::errc::result_out_of_range ? Token::number : Token::integer;
  }

  // Reads a string; the next character is its quote.
  void read_string(std::string& out) {
    ++p_;
    out.clear();
    while (!plain_part(out)) escaped_part(out);
  }
  void skip_string() {
    ++p_;
    for (;;) {
      p_ += json_plain_prefix(rest());
      if (p_ == end_) throw_short();
      const char c = *p_;
      if (c == '\\') {
        // What is skipped is checked as strictly as what is read.
        std::string ignored;
        escaped_part(ignored);
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20) throw_unexpected("in a string");
      ++p_;
      if (c == '"') return;
    }
  }

  const char* begin_;
  const char* p_;
  const char* end_;

 private:
  // Reads up to the end of the string and returns true, or up to an escape and returns false.
  bool plain_part(std::string& out) {
    for (;;) {
      const std::size_t plain = json_plain_prefix(rest());
      out.append(p_, plain);
      p_ += plain;
      if (p_ == end_) throw_short();
      const auto c = static_cast<unsigned char>(*p_);
      if (c == '\\') return false;
      if (c < 0x20) throw_unexpected("in a string");
      if (c == '"') return ++p_, true;
      const std::size_t length = utf8_length(p_, end_);
      if (length == 0) {
        out += kReplacementCharacter;
        ++p_;
      } else {
        out.append(p_, length);
        p_ += length;
      }
    }
  }
  // Reads one escape, or two that form a pair of surrogates.
  void escaped_part(std::string& out) {
    ++p_;
    if (p_ == end_) throw_short();
    switch (*p_) {
      case '"':
      case '\\':
      case '/':
        out.push_back(*p_);
        break;
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u':
        ++p_;
        unicode_escape(out);
        return;
      default:
        throw_unexpected("in an escape in a string");
    }
    ++p_;
  }
  void unicode_escape(std::string& out) {
    const unsigned unit = hex4();
    const bool high_surrogate = unit >= 0xD800 && unit < 0xDC00;
    if (high_surrogate && left() >= 6 && p_[0] == '\\' && p_[1] == 'u') {
      const char* const second = p_;
      p_ += 2;
      const unsigned low = hex4();
      if (low >= 0xDC00 && low < 0xE000) {
        append_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
        return;
      }
      p_ = second;  // a character of its own
    }
    append_utf8(out, unit);
  }
  unsigned hex4() {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i, ++p_) {
      if (p_ == end_) throw_short();
      const char c = *p_;
      const char lower = static_cast<char>(c | 0x20);
      if (is_digit(c)) {
        value = value << 4 | static_cast<unsigned>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value << 4 | static_cast<unsigned>(lower - 'a' + 10);
      } else {
        throw_unexpected("in a \\u escape");
      }
    }
    return value;
  }
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_JSON_LEXER_HPP
