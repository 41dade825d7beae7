// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <ostream>  // before doctest, which prints std::error_code through it

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include <geerpc/geerpc.hpp>

using geerpc::Error;
using geerpc::StatusCode;

TEST_CASE("an error says its code and cause, and may have run unless told otherwise") {
  const Error error(StatusCode::unavailable, "connection refused");
  CHECK(error.code() == StatusCode::unavailable);
  CHECK(error.error_code() == StatusCode::unavailable);
  CHECK(error.cause() == "connection refused");
  CHECK(std::string(error.what()) == "connection refused");
  CHECK(error.method().empty());
  CHECK(error.address().empty());
  CHECK(error.may_have_run());
}

TEST_CASE("an error in a call names method and address, and leaves the original as it was") {
  const Error error(StatusCode::unavailable, "connection refused");
  const Error in_call = error.in_call("Foo.Sum", "tcp@10.0.0.7:9000");
  CHECK(std::string(in_call.what()) == "call Foo.Sum on tcp@10.0.0.7:9000: connection refused");
  CHECK(in_call.cause() == "connection refused");
  CHECK(in_call.method() == "Foo.Sum");
  CHECK(in_call.address() == "tcp@10.0.0.7:9000");
  CHECK(std::string(error.what()) == "connection refused");
  CHECK(std::string(error.in_call("Foo.Sum", "").what()) == "call Foo.Sum: connection refused");
  // Said twice, it is not nested: the cause stays the cause.
  CHECK(std::string(in_call.in_call("A.B", "").what()) == "call A.B: connection refused");
}

TEST_CASE("only the copy of an error is marked as never run") {
  const Error error(StatusCode::unavailable, "x");
  const Error never = error.never_ran();
  CHECK_FALSE(never.may_have_run());
  CHECK_FALSE(never.in_call("Foo.Sum", "").may_have_run());
  CHECK(error.may_have_run());
}

TEST_CASE("an error can be copied and caught as an exception without throwing") {
  static_assert(std::is_nothrow_copy_constructible_v<Error>);
  static_assert(std::is_nothrow_copy_assignable_v<Error>);
  try {
    throw Error(StatusCode::internal, "broken");
  } catch (const std::exception& e) {
    CHECK(std::string(e.what()) == "broken");
  }
}
