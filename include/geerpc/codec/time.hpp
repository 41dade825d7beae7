// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// std::chrono's types on the wire. A duration is what Go's time.Duration is: an integer number of
// nanoseconds. A time_point of the system clock is Go's time.Time: text in JSON, the timestamp
// extension in MessagePack (github.com/msgpack/msgpack, spec.md). Its min() is Go's zero time,
// 0001-01-01, which is beyond a time_point that counts nanoseconds.

#ifndef GEERPC_CODEC_TIME_HPP
#define GEERPC_CODEC_TIME_HPP

#include <chrono>       // duration, system_clock, time_point
#include <cmath>        // floor
#include <cstdint>      // int64_t, uint32_t, uint64_t
#include <limits>       // numeric_limits
#include <ratio>        // nano, ratio, ratio_divide
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // is_floating_point, is_signed

#include <geerpc/codec/big_endian.hpp>
#include <geerpc/codec/limits.hpp>
#include <geerpc/codec/time_text.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

[[noreturn]] inline void throw_beyond() {
  throw_bad_value("a time or duration beyond the range of its type");
}

// count * Ratio, rounded down, and what is lost by that in units of 1 / Ratio::den. The bound is
// exact where Ratio::den is 1 and generous for the ratios of clocks.
struct Scaled {
  std::int64_t whole, rest;
};
template <class Ratio>
Scaled scale(std::int64_t count) {
  constexpr std::int64_t max = (std::numeric_limits<std::int64_t>::max)() / Ratio::num;
  if (count > max || count < -max) throw_beyond();
  const std::int64_t product = count * Ratio::num;
  const std::int64_t whole = product / Ratio::den, rest = product % Ratio::den;
  return rest < 0 ? Scaled{whole - 1, rest + Ratio::den} : Scaled{whole, rest};
}

// An integer of one type as another.
template <class To, class From>
To convert_integer(From value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if constexpr (std::is_signed_v<From>) {
    if (value < 0) return to_integer<To>(0 - bits, true);
  }
  return to_integer<To>(bits, false);
}

// A number of ticks, of whatever type, times Ratio; and back.
template <class Ratio, class Rep>
std::int64_t from_ticks(Rep count) {
  if constexpr (std::is_floating_point_v<Rep>) {
    const long double scaled =
        std::floor(static_cast<long double>(count) * Ratio::num / Ratio::den);
    if (!(scaled > -9.2e18L && scaled < 9.2e18L)) throw_beyond();
    return static_cast<std::int64_t>(scaled);
  } else {
    return scale<Ratio>(convert_integer<std::int64_t>(count)).whole;
  }
}
template <class Ratio, class Rep>
Rep to_ticks(std::int64_t count) {
  if constexpr (std::is_floating_point_v<Rep>) {
    return static_cast<Rep>(static_cast<long double>(count) * Ratio::num / Ratio::den);
  } else {
    return convert_integer<Rep>(scale<Ratio>(count).whole);
  }
}

// Throw Error(invalid_argument) for what does not fit.
template <class Rep, class Period>
std::int64_t to_nanoseconds(std::chrono::duration<Rep, Period> duration) {
  return from_ticks<std::ratio_divide<Period, std::nano>>(duration.count());
}
template <class Duration>
Duration from_nanoseconds(std::int64_t nanoseconds) {
  using Ratio = std::ratio_divide<std::nano, typename Duration::period>;
  return Duration(to_ticks<Ratio, typename Duration::rep>(nanoseconds));
}

inline constexpr Moment kZeroTime{-62135596800, 0};  // 0001-01-01

template <class Duration>
Moment to_moment(std::chrono::time_point<std::chrono::system_clock, Duration> time) {
  if (time == (time.min)()) return kZeroTime;
  const auto since = time.time_since_epoch();
  if constexpr (std::is_floating_point_v<typename Duration::rep>) {
    const Scaled seconds = scale<std::nano>(to_nanoseconds(since));
    return {seconds.whole, static_cast<std::uint32_t>(seconds.rest)};
  } else {
    using Period = typename Duration::period;
    const Scaled seconds = scale<Period>(convert_integer<std::int64_t>(since.count()));
    if constexpr (1000000000 % Period::den == 0) {
      return {seconds.whole, static_cast<std::uint32_t>(seconds.rest * (1000000000 / Period::den))};
    } else {
      return {seconds.whole, static_cast<std::uint32_t>(seconds.rest * 1.0e9L / Period::den)};
    }
  }
}
template <class Duration>
void from_moment(const Moment& moment,
                 std::chrono::time_point<std::chrono::system_clock, Duration>& time) {
  using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
  using Ratio = std::ratio_divide<std::ratio<1>, typename Duration::period>;
  if (moment == kZeroTime) {
    time = (Time::min)();
    return;
  }
  const Duration whole(to_ticks<Ratio, typename Duration::rep>(moment.seconds));
  const auto rest = from_nanoseconds<Duration>(moment.nanoseconds);
  if (whole > (Duration::max)() - rest) throw_beyond();
  time = Time(whole + rest);
}

// MessagePack's extension of type -1 with its head: 4, 8 or 12 bytes.
inline std::string timestamp_bytes(const Moment& moment) {
  const auto seconds = static_cast<std::uint64_t>(moment.seconds);
  std::string bytes;
  const auto append = [&](auto number) {
    char raw[sizeof number];
    store_big_endian(raw, number);
    bytes.append(raw, sizeof raw);
  };
  if (seconds >> 34 != 0) {
    bytes = "\xC7\x0C\xFF";
    append(moment.nanoseconds);
    append(seconds);
  } else if (moment.nanoseconds != 0 || seconds >> 32 != 0) {
    bytes = "\xD7\xFF";
    append(std::uint64_t{moment.nanoseconds} << 34 | seconds);
  } else {
    bytes = "\xD6\xFF";
    append(static_cast<std::uint32_t>(seconds));
  }
  return bytes;
}

// False if `bytes`, an extension with its head, is no timestamp.
inline bool parse_timestamp(std::string_view bytes, Moment& moment) noexcept {
  std::uint64_t seconds = 0, nanoseconds = 0;
  if (bytes.size() == 6 && bytes.substr(0, 2) == "\xD6\xFF") {
    seconds = load_big_endian<4>(bytes.data() + 2);
  } else if (bytes.size() == 10 && bytes.substr(0, 2) == "\xD7\xFF") {
    const std::uint64_t both = load_big_endian<8>(bytes.data() + 2);
    seconds = both & 0x3FFFFFFFF;
    nanoseconds = both >> 34;
  } else if (bytes.size() == 15 && bytes.substr(0, 3) == "\xC7\x0C\xFF") {
    nanoseconds = load_big_endian<4>(bytes.data() + 3);
    seconds = load_big_endian<8>(bytes.data() + 7);
  } else {
    return false;
  }
  moment = {static_cast<std::int64_t>(seconds), static_cast<std::uint32_t>(nanoseconds)};
  return nanoseconds < 1000000000;
}

// A time through a reader or writer.
template <class Writer, class Time>
void encode_time(Writer& out, const Time& time) {
  if constexpr (Writer::kTextKeys) {
    out.string(time_text(to_moment(time)));
  } else {
    out.extension(timestamp_bytes(to_moment(time)));
  }
}
template <class Reader, class Time>
void decode_time(Reader& in, Time& time) {
  Moment moment;
  if constexpr (!Reader::kTextKeys) {
    if (in.peek() == Token::extension) {
      if (!parse_timestamp(in.extension(), moment)) throw_bad_value("expected a timestamp");
      return from_moment(moment, time);
    }
  }
  std::string text;
  in.string(text);
  if (!parse_time_text(text, moment)) {
    throw_bad_value("expected a time like 2006-01-02T15:04:05Z, found \"" + text.substr(0, 40) +
                    '"');
  }
  from_moment(moment, time);
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_TIME_HPP
