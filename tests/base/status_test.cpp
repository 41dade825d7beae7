// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <ostream>  // before doctest, which prints std::error_code through it

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <system_error>

#include <geerpc/geerpc.hpp>

using geerpc::StatusCode;

TEST_CASE("each status code has its own name and message") {
  std::map<std::string, int> seen;
  for (int i = 0; i <= static_cast<int>(StatusCode::unauthenticated); ++i) {
    const auto code = static_cast<StatusCode>(i);
    ++seen[geerpc::to_string(code)];
    CHECK(geerpc::make_error_code(code).message() == geerpc::to_string(code));
  }
  CHECK(seen.size() == 17);
}

TEST_CASE("status codes keep the numbers that gRPC gave them") {
  CHECK(static_cast<int>(StatusCode::cancelled) == 1);
  CHECK(static_cast<int>(StatusCode::deadline_exceeded) == 4);
  CHECK(static_cast<int>(StatusCode::resource_exhausted) == 8);
  CHECK(static_cast<int>(StatusCode::unimplemented) == 12);
  CHECK(static_cast<int>(StatusCode::unavailable) == 14);
  CHECK(static_cast<int>(StatusCode::unauthenticated) == 16);
}

TEST_CASE("a number that is no status code is called unknown") {
  CHECK(std::string(geerpc::to_string(static_cast<StatusCode>(77))) == "unknown");
}

TEST_CASE("a status code compares with a std::error_code of the geerpc category") {
  const std::error_code code = StatusCode::not_found;
  CHECK(code == StatusCode::not_found);
  CHECK(code != StatusCode::internal);
  CHECK(std::string(code.category().name()) == "geerpc");
  CHECK_FALSE(std::error_code(StatusCode::ok));
}

TEST_CASE("a status from the wire is never ok and never out of range") {
  using geerpc::detail::status_from_wire;
  CHECK(status_from_wire(14) == StatusCode::unavailable);
  CHECK(status_from_wire(16) == StatusCode::unauthenticated);
  CHECK(status_from_wire(0) == StatusCode::unknown);
  CHECK(status_from_wire(17) == StatusCode::unknown);
  CHECK(status_from_wire(-1) == StatusCode::unknown);
  CHECK(status_from_wire((1LL << 32) + 14) == StatusCode::unknown);
}
