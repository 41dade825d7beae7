// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Durations and points in time, in each codec. The expected texts are Go's.

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <ratio>
#include <string>

#include <geerpc/geerpc.hpp>

#include "codec/codec_test.hpp"

namespace {

using namespace std::chrono;
using geerpc::json_codec;
using geerpc::msgpack_codec;
using geerpc::detail::Moment;
using geerpc::detail::parse_time_text;
using geerpc::detail::time_text;
using SystemTime = system_clock::time_point;

template <class Duration>
using TimeOf = time_point<system_clock, Duration>;

// The size in MessagePack, after both ways there and back gave the same value.
template <class T>
std::size_t round_trip(const T& value) {
  CHECK(test::from_json<T>(test::to_json(value)) == value);
  const std::string packed = test::encode(msgpack_codec(), value);
  CHECK(test::decode<T>(msgpack_codec(), packed) == value);
  return packed.size();
}

std::string date_text(std::int64_t days) {
  const auto time = static_cast<std::time_t>(days * 86400);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday);
  return text;
}

}  // namespace

TEST_SUITE("time") {
  TEST_CASE("a duration of any unit is a number of nanoseconds") {
    CHECK(test::to_json(2s) == "2000000000");
    CHECK(test::to_json(-3ms) == "-3000000");
    CHECK(test::to_json(hours(2562047)) == "9223369200000000000");
    CHECK(test::to_json(duration<double>(1.5)) == "1500000000");
    CHECK(test::to_json(duration<int, std::ratio<1, 60>>(30)) == "500000000");
    CHECK(round_trip(nanoseconds(5)) == 1);
    round_trip((nanoseconds::max)());
    round_trip(nanoseconds((nanoseconds::max)().count() * -1));
    round_trip(duration<std::int8_t>(-7));
    round_trip(duration<double>(-0.25));
    CHECK(test::from_json<seconds>("1999999999") == 1s);  // rounded down
    CHECK(test::from_json<seconds>("-1") == -1s);
  }

  TEST_CASE("a duration that does not fit is an error, on either side") {
    const std::string beyond = "a time or duration beyond the range of its type";
    CHECK(test::error_of([] { test::to_json(hours(2562048)); }) == beyond);
    CHECK(test::error_of([] { test::to_json(duration<float>(1e30f)); }) == beyond);
    CHECK(test::error_of([] { test::to_json(duration<float>(NAN)); }) == beyond);
    CHECK(test::json_error<duration<std::int8_t>>("128000000000") == "128 does not fit into int8");
    CHECK((test::json_error<duration<std::int64_t, std::pico>>("9300000000000000")) == beyond);
    CHECK((test::error_of([] { test::to_json(duration<std::uint64_t>(~0ull)); })) ==
          "18446744073709551615 does not fit into int64");
  }

  TEST_CASE("a point in time is text in JSON, as Go writes it") {
    CHECK(test::to_json(SystemTime()) == "\"1970-01-01T00:00:00Z\"");
    CHECK(test::to_json(SystemTime(nanoseconds(1577934245000000006))) ==
          "\"2020-01-02T03:04:05.000000006Z\"");
    CHECK(test::to_json(SystemTime(-1ns)) == "\"1969-12-31T23:59:59.999999999Z\"");
    CHECK(test::to_json(SystemTime(milliseconds(1250))) == "\"1970-01-01T00:00:01.25Z\"");
    CHECK(test::to_json(TimeOf<hours>(hours(11))) == "\"1970-01-01T11:00:00Z\"");
    CHECK(test::to_json(TimeOf<duration<double>>(duration<double>(1.25))) ==
          "\"1970-01-01T00:00:01.25Z\"");
    CHECK(test::to_json((SystemTime::max)()) == "\"2262-04-11T23:47:16.854775807Z\"");
  }

  TEST_CASE("min() is Go's zero time, whatever the unit") {
    const std::string zero = "\"0001-01-01T00:00:00Z\"";
    CHECK(test::to_json((SystemTime::min)()) == zero);
    CHECK(test::to_json((TimeOf<seconds>::min)()) == zero);
    CHECK(test::from_json<SystemTime>(zero) == (SystemTime::min)());
    CHECK(test::from_json<TimeOf<seconds>>(zero) == (TimeOf<seconds>::min)());
  }

  TEST_CASE("MessagePack has three sizes of timestamps, and takes text, too") {
    CHECK(round_trip(SystemTime(1s)) == 6);
    CHECK(round_trip(SystemTime(1ns)) == 10);
    CHECK(round_trip(TimeOf<seconds>(seconds(0xFFFFFFFF))) == 6);
    CHECK(round_trip(TimeOf<seconds>(seconds(0x100000000))) == 10);
    CHECK(round_trip(TimeOf<seconds>(seconds(0x3FFFFFFFF))) == 10);
    CHECK(round_trip(TimeOf<seconds>(seconds(0x400000000))) == 15);
    CHECK(round_trip(SystemTime(-1ns)) == 15);
    CHECK(round_trip((SystemTime::min)()) == 15);
    CHECK(test::encode(msgpack_codec(), SystemTime(1ns)) ==
          std::string("\xd7\xff\0\0\0\4\0\0\0\0", 10));
    const std::string text = test::encode(msgpack_codec(), std::string("1970-01-01T00:00:01Z"));
    CHECK(test::decode<SystemTime>(msgpack_codec(), text) == SystemTime(1s));
  }

  TEST_CASE("timestamps that are none are refused") {
    for (const std::string& bytes :
         {std::string("\xd6\x01\0\0\0\0", 6), std::string("\xd4\xff\0", 3),
          std::string("\xd7\xff\xff\xff\xff\xff\0\0\0\0", 10),
          std::string("\xc7\x0c\xff\x3b\x9a\xca\0\0\0\0\0\0\0\0\0", 15)}) {
      CHECK(test::decode_error<SystemTime>(msgpack_codec(), bytes) == "expected a timestamp");
    }
    CHECK(test::decode_error<SystemTime>(msgpack_codec(), std::string("\xd7\xff\0\0", 4)) !=
          "no error");
    const std::string far = test::encode(msgpack_codec(), TimeOf<seconds>(seconds(10000000000)));
    CHECK(test::decode_error<SystemTime>(msgpack_codec(), far) ==
          "a time or duration beyond the range of its type");
  }

  TEST_CASE("text is a time only if the calendar knows it") {
    const auto normal = [](std::string_view text) {
      Moment moment;
      return parse_time_text(text, moment) ? time_text(moment) : "no time";
    };
    CHECK(normal("2020-02-29T00:00:00Z") == "2020-02-29T00:00:00Z");
    CHECK(normal("2000-02-29T23:59:59Z") == "2000-02-29T23:59:59Z");
    CHECK(normal("2020-01-02T03:04:05.123456789123+01:30") == "2020-01-02T01:34:05.123456789Z");
    CHECK(normal("2020-01-02T23:04:05-01:30") == "2020-01-03T00:34:05Z");
    for (const char* text :
         {"", "2020", "2019-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2020-04-31T00:00:00Z",
          "2020-00-01T00:00:00Z", "2020-13-01T00:00:00Z", "2020-01-00T00:00:00Z",
          "2020-01-01T24:00:00Z", "2020-01-01T00:60:00Z", "2020-01-01T00:00:60Z",
          "2020-01-01T00:00:00", "2020-01-01T00:00:00Zx", "2020-01-01 00:00:00Z",
          "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00+24:00", "2020-01-01T00:00:00+0100",
          "+020-01-01T00:00:00Z", "20-01-01T00:00:00Z"}) {
      CAPTURE(text);
      CHECK(normal(text) == "no time");
    }
    CHECK(test::json_error<SystemTime>("\"now\"") ==
          "expected a time like 2006-01-02T15:04:05Z, found \"now\"");
    CHECK(test::json_error<SystemTime>("5") != "no error");
  }

  TEST_CASE("every day of the years 0 to 9999 is what the system's calendar says, and back") {
    std::int64_t wrong = 0;
    for (std::int64_t day = -719528; day <= 2932896; ++day) {
      Moment moment;
      const std::string text = time_text({day * 86400, 0});
      const bool good =
          parse_time_text(text, moment) && moment.seconds == day * 86400 && text == date_text(day);
      if (!good) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK_THROWS_AS(time_text({2932897LL * 86400, 0}), geerpc::Error);
    CHECK_THROWS_AS(time_text({-719528LL * 86400 - 1, 0}), geerpc::Error);
  }

  TEST_CASE("a timestamp reaches nlohmann::json, and so codecs of users, as text") {
    const std::string packed = test::encode(msgpack_codec(), SystemTime(1s));
    CHECK(test::decode<nlohmann::json>(msgpack_codec(), packed) == "1970-01-01T00:00:01Z");
  }
}
