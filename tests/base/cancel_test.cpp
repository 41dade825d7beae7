// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "../support/eventually.hpp"

#include <geerpc/geerpc.hpp>

using geerpc::CancelReason;
using geerpc::CancelSource;
using geerpc::CancelToken;

TEST_CASE("a token without a source is never cancelled") {
  const CancelToken token;
  CHECK_FALSE(token.can_be_cancelled());
  CHECK_FALSE(token.cancelled());
  CHECK(token.reason() == CancelReason::none);
}

TEST_CASE("cancelling a source reaches all its tokens, and the first reason stays") {
  CancelSource source;
  const CancelToken token = source.token();
  const CancelToken copy = token;
  CHECK(token.can_be_cancelled());
  CHECK_FALSE(token.cancelled());
  source.cancel(CancelReason::client_gone);
  source.cancel(CancelReason::deadline);
  CHECK(source.cancelled());
  CHECK(token.cancelled());
  CHECK(copy.reason() == CancelReason::client_gone);
  CHECK(source.token().cancelled());
}

TEST_CASE("a token outlives its source, whose end cancels nothing") {
  CancelToken token;
  {
    CancelSource source;
    token = source.token();
  }
  CHECK(token.can_be_cancelled());
  CHECK_FALSE(token.cancelled());
}

TEST_CASE("a cancel callback runs once: at the cancellation, or at once after it") {
  CancelSource source;
  int before = 0, removed = 0, after = 0;
  const geerpc::detail::CancelCallback first(source.token(), [&] { ++before; });
  {
    const geerpc::detail::CancelCallback gone(source.token(), [&] { ++removed; });
  }
  CHECK(before == 0);
  source.cancel();
  source.cancel();
  CHECK(before == 1);
  CHECK(removed == 0);
  const geerpc::detail::CancelCallback late(source.token(), [&] { ++after; });
  CHECK(after == 1);
  const geerpc::detail::CancelCallback never(CancelToken(), [&] { ++after; });
  CHECK(after == 1);
}

TEST_CASE("cancelling wakes who waits, in another thread") {
  CancelSource source;
  std::atomic<int> woken{0};
  std::thread waiter([&] {
    const auto until = test::Clock::now() + test::kPatience;
    if (source.token().state()->wait_until(until)) ++woken;
  });
  source.cancel();
  waiter.join();
  CHECK(woken == 1);
}

TEST_CASE("a removed callback is not running any more, while another thread cancels") {
  for (int i = 0; i < 200; ++i) {
    CancelSource source;
    std::atomic<bool> start{false};
    std::thread canceller([&] {
      while (!start) {
      }
      source.cancel();
    });
    int calls = 0;  // not atomic on purpose: the thread sanitizer watches it
    {
      const geerpc::detail::CancelCallback callback(source.token(), [&] { ++calls; });
      start = true;
    }
    CHECK(calls <= 1);
    canceller.join();
  }
}
