// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include <geerpc/geerpc.hpp>

#include "codec/codec_test.hpp"

namespace {

using geerpc::detail::JsonScanner;

constexpr int kMore = -1;

// Where the value ends when all the input is there at once.
int end_at_once(std::string_view in) {
  JsonScanner scanner(100);
  return scanner.feed(in) == JsonScanner::Status::done ? static_cast<int>(scanner.end()) : kMore;
}

// The same when the input comes byte by byte; the end must be seen as early as it can be.
int end_byte_by_byte(std::string_view in) {
  JsonScanner scanner(100);
  for (std::size_t size = 0; size <= in.size(); ++size) {
    if (scanner.feed(in.substr(0, size)) == JsonScanner::Status::done) {
      return static_cast<int>(scanner.end());
    }
  }
  return kMore;
}

std::string scan_error(std::string_view in) {
  return test::error_of([&] { JsonScanner(100).feed(in); });
}

}  // namespace

TEST_CASE("the end of a value is found however the input is cut") {
  struct Case {
    std::string_view in;
    int end;
  };
  const std::vector<Case> cases = {
      {"{}", 2},
      {"{}{}", 2},
      {" \t\r\n{} ", 6},
      {"[1,[2,{\"a\":[]}]]7", 16},
      {"{\"a\":[1,2,\"]\\\"\"]} x", 17},
      {"{\"\\\\\":\"}\"}", 10},
      {"\"a\"", 3},
      {"\"\\u0022\" ", 8},
      {"\"0123456789<abcdef>\xC3\xA9\"", 22},
      {"17 ", 2},
      {" 17\n", 3},
      {"-1.5e+3{", 7},
      {"true\"", 4},
      {"null[", 4},
      {"12", kMore},
      {"false", kMore},
      {"", kMore},
      {"  ", kMore},
      {"{\"a\":1", kMore},
      {"[", kMore},
      {"\"a\\\"", kMore},
  };
  for (const Case& c : cases) {
    CAPTURE(c.in);
    CHECK(end_at_once(c.in) == c.end);
    CHECK(end_byte_by_byte(c.in) == c.end);
  }
}

TEST_CASE("a scanner goes on with the next value after reset") {
  const std::string_view in = "{\"a\":1}\n[2]\n3\n";
  JsonScanner scanner(100);
  std::vector<std::string> values;
  std::size_t at = 0;
  while (scanner.feed(in.substr(at)) == JsonScanner::Status::done) {
    CHECK(scanner.feed(in.substr(at)) == JsonScanner::Status::done);  // again, to no effect
    values.emplace_back(in.substr(at, scanner.end()));
    at += scanner.end();
    scanner.reset();
  }
  CHECK(values == std::vector<std::string>{"{\"a\":1}", "\n[2]", "\n3"});
}

TEST_CASE("what can't be JSON is refused at once") {
  CHECK(scan_error("]") == "not JSON: a bracket that does not match, at byte 0");
  CHECK(scan_error("[}") == "not JSON: a bracket that does not match, at byte 1");
  CHECK(scan_error("{\"a\":1]") == "not JSON: a bracket that does not match, at byte 6");
  CHECK(scan_error(",") == "not JSON: a character that can't stand here, at byte 0");
  CHECK(scan_error(" \x01") == "not JSON: a character that can't stand here, at byte 1");
  CHECK(scan_error("GET /") == "not JSON: a character that can't stand here, at byte 0");
  CHECK(scan_error("[\xFF") == "not JSON: a character that can't stand here, at byte 1");
  CHECK(scan_error("\"a\nb") == "not JSON: a control character in a string, at byte 2");
  CHECK(scan_error(std::string(100, '[')) == "no error");
  CHECK(scan_error(std::string(101, '[')) == "the value is nested more than 100 deep");
}

TEST_CASE("each byte is looked at once") {
  // Fed byte by byte, this would take minutes if each feed began at the start.
  std::string in = "[\"" + std::string(1'000'000, 'x') + "\"";
  for (int i = 0; i < 100'000; ++i) in += ",{\"a\":-1}";
  in += "]";
  CHECK(end_byte_by_byte(in) == static_cast<int>(in.size()));
}
