// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Moments as text: RFC 3339 as Go writes it, "2006-01-02T15:04:05.999999999Z".

#ifndef GEERPC_CODEC_TIME_TEXT_HPP
#define GEERPC_CODEC_TIME_TEXT_HPP

#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint32_t
#include <string>       // string
#include <string_view>  // string_view

#include <geerpc/codec/limits.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// A moment, in seconds since 1970 and nanoseconds from there to it, 0 to 999,999,999.
struct Moment {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;

  bool operator==(const Moment& other) const noexcept {
    return seconds == other.seconds && nanoseconds == other.nanoseconds;
  }
};

// Days since 1970 of a date in the Gregorian calendar, which repeats every 400 years. Years begin
// in March here, so that the day that comes and goes is the last one.
inline std::int64_t days_from_date(std::int64_t year, int month, int day) noexcept {
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const int of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

inline constexpr std::int64_t kSecondsOfDay = 86400;

// Throws Error(invalid_argument) for years that have not four digits, as Go does.
inline std::string time_text(const Moment& moment) {
  constexpr std::int64_t year_0 = -719528;  // in days since 1970
  constexpr std::int64_t begin = year_0 * kSecondsOfDay, end = 253402300800;
  if (moment.seconds < begin || moment.seconds >= end) {
    throw_bad_value("a time outside of the years 0 to 9999 has no form as text");
  }
  const std::int64_t since = moment.seconds - begin;  // no negative numbers from here on
  const std::int64_t date = since / kSecondsOfDay + year_0, second = since % kSecondsOfDay;
  std::int64_t year = (date - year_0) * 400 / 146097;  // or one beside it
  if (days_from_date(year + 1, 1, 1) <= date) ++year;
  if (days_from_date(year, 1, 1) > date) --year;
  int month = 12;
  while (days_from_date(year, month, 1) > date) --month;

  std::string text = "0000-00-00T00:00:00";
  const auto put = [&](std::size_t at, std::size_t digits, std::int64_t value) {
    for (; digits-- != 0; value /= 10) text[at + digits] = static_cast<char>('0' + value % 10);
  };
  put(0, 4, year);
  put(5, 2, month);
  put(8, 2, date - days_from_date(year, month, 1) + 1);
  put(11, 2, second / 3600);
  put(14, 2, second / 60 % 60);
  put(17, 2, second % 60);
  if (moment.nanoseconds != 0) {
    text += ".000000000";
    put(20, 9, moment.nanoseconds);
    text.resize(text.find_last_not_of('0') + 1);
  }
  return text += 'Z';
}

// Reads the form from the front of the text, a 0 in it standing for any digit.
inline bool take_form(std::string_view& text, std::string_view form) noexcept {
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !digit : text[i] != form[i]) return false;
  }
  text.remove_prefix(form.size());
  return true;
}

// False if the text is no time. Any offset from UTC is taken; digits behind the ninth are dropped.
inline bool parse_time_text(std::string_view text, Moment& moment) noexcept {
  const std::string_view whole = text;
  if (!take_form(text, "0000-00-00T00:00:00")) return false;
  const auto number = [](std::string_view digits) {
    int value = 0;
    for (const char c : digits) value = value * 10 + (c - '0');
    return value;
  };
  const int year = number(whole.substr(0, 4)), month = number(whole.substr(5, 2));
  const int day = number(whole.substr(8, 2)), hour = number(whole.substr(11, 2));
  const int minute = number(whole.substr(14, 2)), second = number(whole.substr(17, 2));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  const std::int64_t date = days_from_date(year, month, day);
  if (month != 12 && date >= days_from_date(year, month + 1, 1)) return false;
  moment.seconds = date * kSecondsOfDay + hour * 3600 + minute * 60 + second;
  moment.nanoseconds = 0;
  if (take_form(text, ".0")) {
    std::uint32_t unit = 100000000;
    do {
      const auto* const digit = text.data() - 1;
      moment.nanoseconds += unit * static_cast<std::uint32_t>(*digit - '0');
      unit /= 10;
    } while (take_form(text, "0"));
  }
  if (text == "Z") return true;
  const std::string_view offset = text;
  if (!take_form(text, "+00:00") && !take_form(text, "-00:00")) return false;
  const int hours = number(offset.substr(1, 2)), minutes = number(offset.substr(4, 2));
  if (!text.empty() || hours > 23 || minutes > 59) return false;
  moment.seconds -= (offset[0] == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_TIME_TEXT_HPP
