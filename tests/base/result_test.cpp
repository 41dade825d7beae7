// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <geerpc/geerpc.hpp>

using geerpc::Error;
using geerpc::Result;
using geerpc::StatusCode;

TEST_CASE("a result holds a value") {
  Result<int> result = 5;
  CHECK(result.ok());
  CHECK(result.code() == StatusCode::ok);
  CHECK(result.value() == 5);
  result.value() = 6;
  CHECK(static_cast<const Result<int>&>(result).value() == 6);
}

TEST_CASE("a result holds an error, and its value throws it") {
  const Result<int> result = Error(StatusCode::not_found, "no such service");
  CHECK_FALSE(result.ok());
  CHECK(result.code() == StatusCode::not_found);
  CHECK(result.error().cause() == "no such service");
  CHECK_THROWS_WITH_AS(result.value(), "no such service", Error);
}

TEST_CASE("a value that cannot be copied moves out of a result") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const std::unique_ptr<int> value = std::move(result).value();
  CHECK(*value == 3);
}

TEST_CASE("the result of bool tells failure from false") {
  const Result<bool> result = false;
  CHECK(result.ok());
  CHECK_FALSE(result.value());
}

TEST_CASE("a result of nothing is ok or an error") {
  const Result<void> fine;
  CHECK(fine.ok());
  CHECK(fine.code() == StatusCode::ok);
  CHECK_NOTHROW(fine.value());
  const Result<void> bad = Error(StatusCode::aborted, "no");
  CHECK_FALSE(bad.ok());
  CHECK(bad.code() == StatusCode::aborted);
  CHECK(bad.error().cause() == "no");
  CHECK_THROWS_WITH_AS(bad.value(), "no", Error);
}
