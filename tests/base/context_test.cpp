// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "../support/eventually.hpp"

#include <geerpc/geerpc.hpp>

using geerpc::Context;
using namespace std::chrono_literals;

TEST_CASE("an empty context has no deadline, no cancellation, no metadata and no peer") {
  const Context context;
  CHECK_FALSE(context.has_deadline());
  CHECK(context.remaining() == Context::Clock::duration::max());
  CHECK_FALSE(context.cancelled());
  CHECK(context.reason() == geerpc::CancelReason::none);
  CHECK_FALSE(context.done());
  CHECK(context.metadata().empty());
  CHECK(context.peer().empty());
  CHECK_FALSE(context.draining());
}

TEST_CASE("a timeout becomes a deadline, from which the time left is counted") {
  const auto before = Context::Clock::now();
  const Context context = Context::with_timeout(1h);
  CHECK(context.has_deadline());
  CHECK(context.deadline() >= before + 1h);
  CHECK(context.deadline() <= Context::Clock::now() + 1h);
  CHECK(context.remaining() <= 1h);
  CHECK(context.remaining() > 30min);
  CHECK_FALSE(context.done());
}

TEST_CASE("past its deadline a context is done, with nothing left, but not cancelled") {
  const Context context = Context::with_deadline(Context::Clock::now() - 1s);
  CHECK(context.remaining() == Context::Clock::duration::zero());
  CHECK(context.done());
  CHECK_FALSE(context.cancelled());
}

TEST_CASE("the longest timeout means no deadline instead of overflowing") {
  const Context context = Context::with_timeout(Context::Clock::duration::max());
  CHECK_FALSE(context.has_deadline());
  CHECK(context.remaining() == Context::Clock::duration::max());
}

TEST_CASE("a context sees the cancellation of its token, and so do its copies") {
  geerpc::CancelSource source;
  const Context context = Context::with_cancel(source.token());
  const Context copy = context;
  source.cancel(geerpc::CancelReason::client_gone);
  CHECK(context.cancelled());
  CHECK(copy.done());
  CHECK(copy.reason() == geerpc::CancelReason::client_gone);
}

TEST_CASE("setters can be chained, and metadata is shared by copies") {
  geerpc::CancelSource source;
  const Context context =
      Context().set_timeout(1h).set_cancel(source.token()).set_metadata({{"trace", "17"}});
  const Context copy = context;
  CHECK(copy.metadata().at("trace") == "17");
  CHECK(&copy.metadata() == &context.metadata());
  CHECK(copy.has_deadline());
  CHECK(copy.cancel_token().can_be_cancelled());
}

TEST_CASE("a context of a server knows its peer and whether the server drains") {
  auto draining = std::make_shared<std::atomic<bool>>(false);
  auto peer = std::make_shared<geerpc::detail::PeerInfo>();
  peer->address = "tcp@127.0.0.1:43210";
  peer->draining = draining;
  const Context context = Context().set_peer(std::move(peer));
  CHECK(context.peer() == "tcp@127.0.0.1:43210");
  CHECK_FALSE(context.draining());
  *draining = true;
  CHECK(context.draining());
}

TEST_CASE("sleeping in a context takes its time, and ends early when the context is done") {
  const auto start = Context::Clock::now();
  CHECK(Context().sleep_for(5ms));
  CHECK(Context::Clock::now() >= start + 5ms);

  CHECK_FALSE(Context::with_timeout(5ms).sleep_for(1h));
  CHECK_FALSE(Context::with_deadline(start).sleep_for(1ms));

  geerpc::CancelSource source;
  std::thread other([&] { source.cancel(); });
  CHECK_FALSE(Context::with_cancel(source.token()).sleep_for(1h));
  other.join();

  geerpc::CancelSource quiet;
  CHECK(Context::with_cancel(quiet.token()).sleep_for(5ms));
  CHECK(Context::Clock::now() - start < test::kPatience);
}
