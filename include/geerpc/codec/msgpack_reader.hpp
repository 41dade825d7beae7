// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Reads MessagePack value by value. Nothing that it is given makes it read outside its input,
// allocate more than the input holds, or recurse.

#ifndef GEERPC_CODEC_MSGPACK_READER_HPP
#define GEERPC_CODEC_MSGPACK_READER_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint8_t … uint64_t
#include <cstring>      // memcmp, memcpy
#include <string>       // string
#include <string_view>  // string_view
#include <vector>       // vector

#include <geerpc/base/error.hpp>
#include <geerpc/codec/big_endian.hpp>
#include <geerpc/codec/field_key.hpp>
#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// What is thrown where the input ends within a value.
class MsgpackTooShort final : public Error {
 public:
  using Error::Error;
};

// Each reading function throws Error(invalid_argument) if the next value is not what it reads.
class MsgpackReader {
 public:
  static constexpr bool kTextKeys = false;   // map keys are values of any type
  static constexpr bool kFoldNames = false;  // field names must match exactly

  // An array or object that is being read.
  struct Scope {
    std::uint32_t left;
  };

  explicit MsgpackReader(std::string_view in, const DecodeLimits& limits = {})
      : begin_(in.data()),
        p_(in.data()),
        end_(in.data() + in.size()),
        depth_left_(limits.max_depth),
        limits_(limits) {}

  // The bytes that were not read yet.
  std::string_view rest() const noexcept { return {p_, left()}; }
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - p_); }

  Token peek() const {
    const unsigned type = first();
    if (type < 0x80 || type >= 0xE0) return Token::integer;
    if (type < 0x90) return Token::object;
    if (type < 0xA0) return Token::array;
    if (type < 0xC0) return Token::string;
    constexpr Token tokens[] = {Token::null,      Token::extension,
                                Token::boolean,   Token::boolean,  // C0 (C1: never used)
                                Token::bytes,     Token::bytes,
                                Token::bytes,     Token::extension,  // C4
                                Token::extension, Token::extension,
                                Token::number,    Token::number,  // C8
                                Token::integer,   Token::integer,
                                Token::integer,   Token::integer,  // CC
                                Token::integer,   Token::integer,
                                Token::integer,   Token::integer,  // D0
                                Token::extension, Token::extension,
                                Token::extension, Token::extension,  // D4
                                Token::extension, Token::string,
                                Token::string,    Token::string,  // D8
                                Token::array,     Token::array,
                                Token::object,    Token::object};  // DC
    return tokens[type - 0xC0];
  }

  // Reads a null and returns true, or leaves everything as it is.
  bool try_null() {
    if (first() != 0xC0) return false;
    ++p_;
    return true;
  }
  bool boolean() {
    const unsigned type = first();
    if (type != 0xC2 && type != 0xC3) throw_mismatch("a boolean");
    ++p_;
    return type == 0xC3;
  }

  // Whether the next value, an integer, may be negative.
  bool is_signed() const {
    const unsigned type = first();
    return type >= 0xE0 || (type >= 0xD0 && type <= 0xD3);
  }
  template <class T>
  T integer() {
    const unsigned type = first();
    if (type < 0x80) {
      ++p_;
      return static_cast<T>(type);  // an int8_t holds it
    }
    if (type == 0xCC) return to_integer<T>(argument<std::uint8_t>(), false);
    if (type == 0xCD) return to_integer<T>(argument<std::uint16_t>(), false);
    if (type == 0xCE) return to_integer<T>(argument<std::uint32_t>(), false);
    const Integer value = any_integer();
    return to_integer<T>(value.magnitude, value.negative);
  }

  // A float or double; an integer will do, too.
  template <class T>
  T number() {
    const unsigned type = first();
    if (type == 0xCA) {
      const auto bits = argument<std::uint32_t>();
      float value;
      std::memcpy(&value, &bits, sizeof value);
      return static_cast<T>(value);
    }
    if (type == 0xCB) {
      const auto bits = argument<std::uint64_t>();
      double value;
      std::memcpy(&value, &bits, sizeof value);
      return narrow<T>(value);
    }
    if (peek() != Token::integer) throw_mismatch("a number");
    const Integer value = any_integer();
    const auto magnitude = static_cast<T>(value.magnitude);
    return value.negative ? -magnitude : magnitude;
  }

  // A string, or bytes, as a view into the input.
  std::string_view string() {
    const unsigned type = first();
    if (type >= 0xA0 && type < 0xC0) {
      ++p_;
      return take(type & 0x1F);
    }
    switch (type) {
      case 0xC4:
      case 0xD9:
        return take(argument<std::uint8_t>());
      case 0xC5:
      case 0xDA:
        return take(argument<std::uint16_t>());
      case 0xC6:
      case 0xDB:
        return take(argument<std::uint32_t>());
      default:
        throw_mismatch("a string");
    }
  }
  void string(std::string& out) {
    const std::string_view text = string();
    out.assign(text.data(), text.size());
  }
  template <class Byte>
  void bytes(std::vector<Byte>& out) {
    const std::string_view data = string();
    const auto* first_byte = reinterpret_cast<const Byte*>(data.data());
    out.assign(first_byte, first_byte + data.size());
  }

  // for (auto scope = in.begin_array(); in.next(scope);) read one element
  Scope begin_array() {
    const unsigned type = first();
    std::uint32_t count = 0;
    if (type >= 0x90 && type < 0xA0) {
      ++p_;
      count = type & 0x0F;
    } else if (type == 0xDC) {
      count = argument<std::uint16_t>();
    } else if (type == 0xDD) {
      count = argument<std::uint32_t>();
    } else {
      throw_mismatch("an array");
    }
    return descend(count, 1);
  }
  // for (auto scope = in.begin_object(); in.next(scope);) read a key and its value
  Scope begin_object() {
    const unsigned type = first();
    std::uint32_t count = 0;
    if (type >= 0x80 && type < 0x90) {
      ++p_;
      count = type & 0x0F;
    } else if (type == 0xDE) {
      count = argument<std::uint16_t>();
    } else if (type == 0xDF) {
      count = argument<std::uint32_t>();
    } else {
      throw_mismatch("an object");
    }
    return descend(count, 2);
  }
  bool next(Scope& scope) {
    if (scope.left == 0) {
      ++depth_left_;
      return false;
    }
    --scope.left;
    return true;
  }
  // How many elements an array announces; no more than bytes are left.
  static std::size_t announced(const Scope& scope) noexcept { return scope.left; }

  // If the next key is exactly this field's, reads it and returns true; else leaves everything as
  // it is and returns false, which says nothing yet: next_key() knows all forms of a key.
  template <class Name>
  bool try_field(Scope& scope, Name) {
    if constexpr (has_msgpack_key_v<Name>) {
      constexpr auto& text = msgpack_key_v<Name>;
      if (scope.left == 0 || left() < text.size()) return false;
      if (std::memcmp(p_, text.data(), text.size()) != 0) return false;
      p_ += text.size();
      --scope.left;
      return true;
    } else {
      return false;
    }
  }
  // Reads the next key; false at the end. Keys that are no strings are skipped with their values.
  bool next_key(Scope& scope, std::string_view& name) {
    while (next(scope)) {
      const Token token = peek();
      if (token == Token::string || token == Token::bytes) {
        name = string();
        return true;
      }
      skip();
      skip();
    }
    return false;
  }

  // An extension of any type, with its head.
  std::string_view extension() {
    const char* const begin = p_;
    skip_extension();
    return {begin, static_cast<std::size_t>(p_ - begin)};
  }

  // Reads over one value of any type and depth.
  void skip() {
    for (std::uint64_t values = 1; values != 0; --values) {
      switch (peek()) {
        case Token::null:
        case Token::boolean:
          ++p_;
          break;
        case Token::integer:
          any_integer();
          break;
        case Token::number:
          take(first() == 0xCA ? 5 : 9);
          break;
        case Token::string:
        case Token::bytes:
          string();
          break;
        case Token::extension:
          skip_extension();
          break;
        // Both heads were checked against the bytes that are left, so that the sum can't overflow.
        case Token::array:
          values += begin_array().left;
          ++depth_left_;
          break;
        case Token::object:
          values += 2 * std::uint64_t{begin_object().left};
          ++depth_left_;
          break;
      }
    }
  }

  // Throws if anything is left.
  void finish() const {
    if (p_ != end_) {
      throw_bad_value(std::to_string(left()) + " bytes of garbage behind the MessagePack value");
    }
  }

  FieldPath& path() { return path_; }

 private:
  struct Integer {
    std::uint64_t magnitude;
    bool negative;
  };

  [[noreturn]] void throw_mismatch(const char* expected) const {
    throw_bad_value(std::string("expected ") + expected + ", found " + token_name(peek()) +
                    position());
  }
  [[noreturn]] void throw_short() const {
    throw MsgpackTooShort(StatusCode::invalid_argument,
                          "the MessagePack value ends too early" + position());
  }
  std::string position() const { return " at byte " + std::to_string(p_ - begin_); }

  unsigned first() const {
    if (p_ == end_) throw_short();
    return static_cast<unsigned char>(*p_);
  }
  std::string_view take(std::size_t n) {
    if (left() < n) throw_short();
    const std::string_view taken(p_, n);
    p_ += n;
    return taken;
  }
  // Reads a type byte and the big-endian number behind it.
  template <class T>
  T argument() {
    if (left() < 1 + sizeof(T)) throw_short();
    const auto value = static_cast<T>(load_big_endian<sizeof(T)>(p_ + 1));
    p_ += 1 + sizeof(T);
    return value;
  }

  Integer any_integer() {
    const unsigned type = first();
    if (type < 0x80) return ++p_, Integer{type, false};
    if (type >= 0xE0) return ++p_, Integer{0x100 - type, true};
    if (type < 0xCC || type > 0xD3) throw_mismatch("an integer");
    // CC to CF: 1, 2, 4 or 8 bytes without a sign; D0 to D3: with one.
    const std::size_t size = std::size_t{1} << (type & 3);
    if (left() < 1 + size) throw_short();
    std::uint64_t bits;  // the number, in the highest bytes
    if (left() > 8) {
      bits = load_big_endian<8>(p_ + 1);
    } else {
      char padded[8] = {};
      std::memcpy(padded, p_ + 1, size);
      bits = load_big_endian<8>(padded);
    }
    p_ += 1 + size;
    const std::size_t unused = 64 - 8 * size;
    if (type < 0xD0) return {bits >> unused, false};
    const std::uint64_t sign = std::uint64_t{1} << 63 >> unused;
    return signed_integer(static_cast<std::int64_t>(((bits >> unused) ^ sign) - sign));
  }
  static Integer signed_integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    return value < 0 ? Integer{0 - bits, true} : Integer{bits, false};
  }

  // A double that is too large for a float is an error; one that is only more precise is rounded.
  template <class T>
  static T narrow(double value) {
    if constexpr (sizeof(T) < sizeof(double)) {
      constexpr double max = (std::numeric_limits<T>::max)();
      constexpr double infinity = std::numeric_limits<double>::infinity();
      if ((value > max && value < infinity) || (value < -max && value > -infinity)) {
        throw_out_of_range<T>("a number beyond 3.4e38");
      }
    }
    return static_cast<T>(value);
  }

  // Each announced element takes at least a byte.
  Scope descend(std::uint32_t count, std::uint64_t bytes_each) {
    if (count * bytes_each > left()) throw_short();
    if (depth_left_ == 0) throw_too_deep(limits_.max_depth);
    --depth_left_;
    return {count};
  }

  void skip_extension() {
    const unsigned type = first();
    switch (type) {
      case 0xC7:
        take(1 + std::size_t{argument<std::uint8_t>()});
        break;
      case 0xC8:
        take(1 + std::size_t{argument<std::uint16_t>()});
        break;
      case 0xC9:
        take(1 + std::size_t{argument<std::uint32_t>()});
        break;
      case 0xC1:
        throw_bad_value("C1 is not a MessagePack value" + position());
      default:  // D4 to D8: 1, 2, 4, 8 or 16 bytes
        take(2 + (std::size_t{1} << (type - 0xD4)));
    }
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  std::size_t depth_left_;
  DecodeLimits limits_;
  FieldPath path_;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_MSGPACK_READER_HPP
