// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JsonScanner finds where a JSON value ends in a buffer that is still growing. JSON streams have
// no lengths.

#ifndef GEERPC_CODEC_JSON_SCAN_HPP
#define GEERPC_CODEC_JSON_SCAN_HPP

#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/codec/json_text.hpp>
#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Looks at each byte once, however the input is cut. It checks brackets, strings and depth, just
// enough to find the end and to notice early what is no JSON at all; a reader checks the rest.
class JsonScanner {
 public:
  enum class Status { more, done };

  explicit JsonScanner(std::size_t max_depth = DecodeLimits().max_depth) : max_depth_(max_depth) {}

  // `in` is all the input from the start of the value, or from white space before it; it begins
  // with what was given last time. Throws Error(invalid_argument) if it can't be JSON.
  //
  // A number or a literal at the top ends only at the byte behind it, which is not part of it.
  Status feed(std::string_view in) {
    while (state_ != State::end && at_ < in.size()) {
      if (state_ == State::string) {
        at_ += json_plain_prefix(in.substr(at_));
        if (at_ == in.size()) break;
      }
      step(in[at_]);
    }
    return state_ == State::end ? Status::done : Status::more;
  }

  // After done: one past the last byte of the value.
  std::size_t end() const noexcept { return at_; }

  // Makes the scanner ready for the next value.
  void reset() noexcept {
    at_ = 0;
    state_ = State::value;
    closing_.clear();
  }

 private:
  enum class State {
    value,   // before a value, or between the tokens of an object or array
    string,  // inside a string
    escape,  // behind a backslash
    scalar,  // inside a number or literal
    end,     // behind the last byte of the value
  };

  // Takes one byte, unless the value ends before it.
  void step(char c) {
    switch (state_) {
      case State::string:
        if (c == '"') {
          leave_value();
        } else if (c == '\\') {
          state_ = State::escape;
        } else if (static_cast<unsigned char>(c) < 0x20) {
          throw_invalid("a control character in a string");
        }
        break;
      case State::escape:
        state_ = State::string;
        break;
      case State::scalar:
        if (!is_scalar(c)) {
          leave_value();
          return;  // the byte comes again
        }
        break;
      case State::value:
        between(c);
        break;
      case State::end:
        return;
    }
    ++at_;
  }

  static bool is_scalar(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
  }

  // A byte that is inside neither a string nor a scalar.
  void between(char c) {
    if (is_json_space(c)) return;
    if (c == '{' || c == '[') {
      if (closing_.size() == max_depth_) throw_too_deep(max_depth_);
      closing_.push_back(c == '{' ? '}' : ']');
    } else if (c == '}' || c == ']') {
      if (closing_.empty() || closing_.back() != c) throw_invalid("a bracket that does not match");
      closing_.pop_back();
      leave_value();
    } else if (c == '"') {
      state_ = State::string;
    } else if (is_scalar(c)) {
      state_ = State::scalar;
    } else if ((c != ',' && c != ':') || closing_.empty()) {
      throw_invalid("a character that can't stand here");
    }
  }
  void leave_value() { state_ = closing_.empty() ? State::end : State::value; }

  [[noreturn]] void throw_invalid(const char* what) const {
    throw_bad_value(std::string("not JSON: ") + what + ", at byte " + std::to_string(at_));
  }

  std::size_t max_depth_;
  std::size_t at_ = 0;  // how far the input was looked at
  State state_ = State::value;
  std::string closing_;  // the brackets that are open
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_JSON_SCAN_HPP
