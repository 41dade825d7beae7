// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Reads JSON value by value, with the rules of Go's encoding/json. Nothing that it is given makes
// it read outside its input, allocate more than the input holds, or recurse.

#ifndef GEERPC_CODEC_JSON_READER_HPP
#define GEERPC_CODEC_JSON_READER_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <cstring>      // memcmp
#include <limits>       // numeric_limits
#include <string>       // string
#include <string_view>  // string_view
#include <vector>       // vector

#include <geerpc/codec/base64.hpp>
#include <geerpc/codec/field_key.hpp>
#include <geerpc/codec/json_lexer.hpp>
#include <geerpc/codec/json_number.hpp>
#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Each reading function throws Error(invalid_argument) if the next value is not what it reads.
class JsonReader : public JsonLexer {
 public:
  static constexpr bool kTextKeys = true;   // map keys are strings
  static constexpr bool kFoldNames = true;  // field names match in any case

  // An array or object that is being read.
  struct Scope {
    bool first;
  };

  explicit JsonReader(std::string_view in, const DecodeLimits& limits = {})
      : JsonLexer(in), depth_left_(limits.max_depth), limits_(limits) {}

  Token peek() {
    const char c = first();
    switch (c) {
      case 'n':
        return Token::null;
      case 't':
      case 'f':
        return Token::boolean;
      case '"':
        return Token::string;
      case '[':
        return Token::array;
      case '{':
        return Token::object;
      default:
        if (c == '-' || is_digit(c)) return number_token();
        throw_unexpected("looking for a value");
    }
  }

  // Reads a null and returns true, or leaves everything as it is.
  bool try_null() {
    if (first() != 'n') return false;
    word("null");
    return true;
  }
  bool boolean() {
    const char c = first();
    if (c != 't' && c != 'f') throw_mismatch("a boolean");
    word(c == 't' ? "true" : "false");
    return c == 't';
  }

  // Whether the next value, an integer, is negative.
  bool is_signed() { return first() == '-'; }
  template <class T>
  T integer() {
    const char c = first();
    if (c != '-' && !is_digit(c)) throw_mismatch("an integer");
    const std::string_view text = number_text();
    T value;
    if (!parse_integer(text, value)) throw_not_integer(text);
    return value;
  }
  template <class T>
  T number() {
    const char c = first();
    if (c != '-' && !is_digit(c)) throw_mismatch("a number");
    return parse_json_number<T>(number_text());
  }

  void string(std::string& out) {
    if (first() != '"') throw_mismatch("a string");
    read_string(out);
  }
  // Base64, or an array of numbers.
  template <class Byte>
  void bytes(std::vector<Byte>& out) {
    if (first() != '[') {
      string(text_);
      read_base64(text_, out);
      return;
    }
    out.clear();
    for (Scope scope = begin_array(); next(scope);) {
      out.push_back(static_cast<Byte>(integer<unsigned char>()));
    }
  }

  // for (auto scope = in.begin_array(); in.next(scope);) read one element
  Scope begin_array() {
    if (first() != '[') throw_mismatch("an array");
    return open();
  }
  bool next(Scope& scope) { return next(scope, ']'); }
  // An array does not announce how many elements it has.
  static std::size_t announced(const Scope&) noexcept { return 0; }

  // std::string_view name; for (auto scope = in.begin_object(); in.next_key(scope, name);) …
  Scope begin_object() {
    if (first() != '{') throw_mismatch("an object");
    return open();
  }
  // If the next key is exactly this field's and stands there without white space, reads it and
  // returns true; else leaves everything as it is and returns false, which says nothing yet:
  // next_key() knows all forms of a key.
  template <class Name>
  bool try_field(Scope& scope, Name) {
    if constexpr (has_json_key_v<Name>) {
      constexpr auto& text = json_key_v<Name>;
      const std::size_t comma = scope.first ? 0 : 1;
      if (left() < comma + text.size() || (comma != 0 && *p_ != ',')) return false;
      if (std::memcmp(p_ + comma, text.data(), text.size()) != 0) return false;
      p_ += comma + text.size();
      scope.first = false;
      return true;
    } else {
      return false;
    }
  }
  // Reads the next key; false at the end. `name` is valid until the next call.
  bool next_key(Scope& scope, std::string_view& name) {
    if (!next(scope, '}')) return false;
    if (first() != '"') throw_unexpected("looking for the key of an object");
    string(key_);
    if (first() != ':') throw_unexpected("behind the key of an object");
    ++p_;
    name = key_;
    return true;
  }

  // Reads over one value of any type.
  void skip() {
    std::string closing;  // the brackets that are open
    do {
      const char c = first();
      if (c == '[' || c == '{') {
        ++p_;
        if (closing.size() == depth_left_) throw_too_deep(limits_.max_depth);
        const char bracket = c == '[' ? ']' : '}';
        if (first() != bracket) {
          closing.push_back(bracket);
          if (bracket == '}') skip_key();
          continue;
        }
        ++p_;
      } else {
        skip_scalar(c);
      }
      while (!closing.empty()) {
        const char after = first();
        if (after != ',' && after != closing.back()) throw_unexpected("behind a value");
        ++p_;
        if (after == ',') {
          if (closing.back() == '}') skip_key();
          break;
        }
        closing.pop_back();
      }
    } while (!closing.empty());
  }

  // The same, and returns its text.
  std::string_view raw() {
    first();
    const char* const begin = p_;
    skip();
    return {begin, static_cast<std::size_t>(p_ - begin)};
  }

  FieldPath& path() { return path_; }

  // The integer that `text` is, all of it; false if it has a fraction, an exponent or no digits.
  // Throws if it does not fit into T. Never goes through a double.
  template <class T>
  static bool parse_integer(std::string_view text, T& value) {
    const bool negative = !text.empty() && text[0] == '-';
    const std::string_view digits = text.substr(negative ? 1 : 0);
    if (digits.empty()) return false;
    constexpr std::uint64_t max = (std::numeric_limits<std::uint64_t>::max)();
    std::uint64_t magnitude = 0;
    bool overflow = false;
    for (const char c : digits) {
      if (!is_digit(c)) return false;
      const auto digit = static_cast<std::uint64_t>(c - '0');
      // No division while the number is short.
      overflow = overflow || (magnitude > max / 10 - 1 && magnitude > (max - digit) / 10);
      magnitude = magnitude * 10 + digit;
    }
    if (overflow) throw_out_of_range<T>(std::string(text.substr(0, 40)));
    value = to_integer<T>(magnitude, negative);
    return true;
  }

 private:
  [[noreturn]] void throw_mismatch(const char* expected) {
    throw_bad_value(std::string("expected ") + expected + ", found " + token_name(peek()) +
                    position());
  }
  [[noreturn]] void throw_not_integer(std::string_view text) const {
    throw_bad_value("expected an integer, found " + std::string(text.substr(0, 40)) + position());
  }
  Scope open() {
    ++p_;
    if (depth_left_ == 0) throw_too_deep(limits_.max_depth);
    --depth_left_;
    return {true};
  }
  // False if the bracket comes, true if an element does; the comma between them is read.
  bool next(Scope& scope, char bracket) {
    const char c = first();
    if (c == bracket) {
      ++p_;
      ++depth_left_;
      return false;
    }
    if (!scope.first) {
      if (c != ',') throw_unexpected("behind a value");
      ++p_;
    }
    scope.first = false;
    return true;
  }

  void skip_key() {
    if (first() != '"') throw_unexpected("looking for the key of an object");
    skip_string();
    if (first() != ':') throw_unexpected("behind the key of an object");
    ++p_;
  }
  void skip_scalar(char c) {
    if (c == '"') {
      skip_string();
    } else if (c == 'n') {
      word("null");
    } else if (c == 't') {
      word("true");
    } else if (c == 'f') {
      word("false");
    } else if (c == '-' || is_digit(c)) {
      number_text();
    } else {
      throw_unexpected("looking for a value");
    }
  }

  std::size_t depth_left_;
  DecodeLimits limits_;
  std::string key_, text_;
  FieldPath path_;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_JSON_READER_HPP
