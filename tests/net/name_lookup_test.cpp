// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Names whose look-up takes long.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <pthread.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "../support/eventually.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::Error;
using geerpc::StatusCode;
using geerpc::detail::NameLookup;
using geerpc::detail::NameLookups;
using geerpc::detail::SocketAddress;
using geerpc::detail::SteadyClock;
using geerpc::detail::Waker;

namespace {

// A name server that answers when it is told to, always with 127.0.0.1.
class SlowNames {
 public:
  explicit SlowNames(std::size_t most_threads)
      : lookups(std::make_shared<NameLookups>(
            [state = state_](const std::string& host, std::uint16_t port,
                             std::vector<SocketAddress>& found) {
              ++state->asked;
              ++state->running;
              {
                const std::lock_guard<std::mutex> lock(state->mutex);
                state->hosts.insert(host);
              }
              test::eventually([&] { return state->answers.load(); });
              --state->running;
              return geerpc::detail::lookup("127.0.0.1", port, AI_NUMERICHOST, found);
            },
            most_threads)) {}
  ~SlowNames() { answer(); }

  void answer() { state_->answers = true; }
  int asked() const { return state_->asked; }
  int running() const { return state_->running; }
  bool was_asked(const std::string& host) const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->hosts.count(host) != 0;
  }

 private:
  struct State {
    std::atomic<int> asked{0}, running{0};
    std::atomic<bool> answers{false};
    std::mutex mutex;
    std::set<std::string> hosts;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();

 public:
  const std::shared_ptr<NameLookups> lookups;
};

StatusCode resolve_now(const char* address, NameLookups& lookups) {
  const Waker never;
  try {
    geerpc::detail::resolve(Address(address), SteadyClock::now(), never, lookups);
  } catch (const Error& error) {
    return error.code();
  }
  return StatusCode::ok;
}

}  // namespace

TEST_SUITE("name lookup") {
  TEST_CASE("who asks again while a name is looked up waits for the same answer") {
    SlowNames names(32);
    const auto waiting = names.lookups->find("slow", 1);
    for (int i = 0; i < 100; ++i) {
      CHECK(resolve_now("tcp@slow:1", *names.lookups) == StatusCode::deadline_exceeded);
    }
    const auto another = names.lookups->find("slow", 2);
    REQUIRE(test::eventually([&] { return names.running() == 2; }));
    CHECK(names.asked() == 2);
    names.answer();
    const Waker never;
    const auto found = geerpc::detail::resolve("tcp@slow:1", SteadyClock::now() + test::kPatience,
                                               never, *names.lookups);
    REQUIRE(found.size() == 1);
    CHECK(geerpc::detail::to_address(found[0], Address::Scheme::tcp) == Address("tcp@127.0.0.1:1"));
    REQUIRE(test::eventually([&] { return waiting->done.load(); }));
    CHECK(waiting->found.size() == 1);
    // What was known is not: the next one who asks wants to know what is true then.
    CHECK(names.lookups->find("slow", 1) != waiting);
  }

  TEST_CASE("few names are looked up at once; one that nobody waits for any more never is") {
    SlowNames names(2);
    std::vector<std::shared_ptr<const NameLookup>> wanted;
    for (const char* host : {"a", "b", "c", "d"}) wanted.push_back(names.lookups->find(host, 1));
    CHECK(resolve_now("tcp@hasty:1", *names.lookups) == StatusCode::deadline_exceeded);
    REQUIRE(test::eventually([&] { return names.running() == 2; }));
    CHECK(names.asked() == 2);
    names.answer();
    for (const auto& lookup : wanted) {
      CHECK(test::eventually([&] { return lookup->done.load(); }));
      CHECK(lookup->error == 0);
    }
    // The threads have ended, or will look once more.
    const auto last = names.lookups->find("last", 1);
    CHECK(test::eventually([&] { return last->done.load(); }));
    CHECK_FALSE(names.was_asked("hasty"));
  }

#ifdef __GLIBC__
  TEST_CASE("a look-up for which there is no thread is an error of this machine's") {
    SlowNames names(2);
    pthread_attr_t before, huge;
    REQUIRE(::pthread_getattr_default_np(&before) == 0);
    REQUIRE(::pthread_getattr_default_np(&huge) == 0);
    REQUIRE(::pthread_attr_setstacksize(&huge, std::size_t{1} << 60) == 0);
    REQUIRE(::pthread_setattr_default_np(&huge) == 0);
    const StatusCode code = resolve_now("tcp@slow:1", *names.lookups);
    REQUIRE(::pthread_setattr_default_np(&before) == 0);
    CHECK(code == StatusCode::resource_exhausted);
    names.answer();
    const Waker never;
    CHECK(geerpc::detail::resolve("tcp@slow:1", SteadyClock::now() + test::kPatience, never,
                                  *names.lookups)
              .size() == 1);
  }
#endif
}
