// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// eventually(): waits for a condition instead of sleeping and hoping.

#ifndef GEERPC_TESTS_SUPPORT_EVENTUALLY_HPP
#define GEERPC_TESTS_SUPPORT_EVENTUALLY_HPP

#include <chrono>  // steady_clock
#include <thread>  // sleep_for

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GEERPC_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GEERPC_TEST_SANITIZED 1
#endif
#endif
#ifndef GEERPC_TEST_SANITIZED
#define GEERPC_TEST_SANITIZED 0
#endif

namespace test {

using Clock = std::chrono::steady_clock;

// How much longer than usual things may take in this build.
inline constexpr int kSlowdown = GEERPC_TEST_SANITIZED ? 4 : 1;

// How long the helpers wait for what should happen at once, before they call it a failure.
// Generous: a passing test never waits so long, and a busy machine must not make one fail.
inline constexpr Clock::duration kPatience = std::chrono::seconds(15 * kSlowdown);

// Asks `condition` again and again until it is true, or until `patience` is over. Returns its last
// answer: CHECK(test::eventually([&] { return server.connections() == 0; })).
template <class Condition>
bool eventually(Condition condition, Clock::duration patience = kPatience) {
  const Clock::time_point deadline = Clock::now() + patience;
  while (!condition()) {
    if (Clock::now() >= deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace test

#endif  // GEERPC_TESTS_SUPPORT_EVENTUALLY_HPP
