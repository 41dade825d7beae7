// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <set>

namespace {

struct Candidates {
  explicit Candidates(int n) {
    for (int i = 0; i < n; ++i) {
      list.servers.emplace_back(geerpc::Address("tcp@a:" + std::to_string(i + 1)));
    }
    for (const auto& server : list.servers) candidates.push_back(&server);
  }
  std::size_t select(geerpc::Selector& selector) {
    return selector.select({list, candidates, "Foo.Sum", context});
  }
  geerpc::ServerList list;
  std::vector<const geerpc::ServerInfo*> candidates;
  geerpc::Context context;
};

}  // namespace

TEST_SUITE("selector") {
  TEST_CASE("random picks each server about as often as any other") {
    Candidates candidates(4);
    geerpc::RandomSelector selector;
    std::vector<int> picks(4);
    for (int i = 0; i < 4000; ++i) ++picks.at(candidates.select(selector));
    for (const int n : picks) {
      CHECK(n > 800);  // 7 standard deviations below the mean
      CHECK(n < 1200);
    }
  }

  TEST_CASE("round robin goes round") {
    Candidates candidates(5);
    const auto selector = geerpc::make_selector(geerpc::SelectMode::round_robin);
    std::size_t last = candidates.select(*selector);
    for (int i = 0; i < 20; ++i) {
      const std::size_t next = candidates.select(*selector);
      CHECK(next == (last + 1) % 5);
      last = next;
    }
  }

  TEST_CASE("round robin does not always start with the same server") {
    Candidates candidates(5);
    std::set<std::size_t> starts;
    for (int i = 0; i < 200; ++i) {
      geerpc::RoundRobinSelector selector;
      starts.insert(candidates.select(selector));
    }
    CHECK(starts.size() == 5);
  }
}
