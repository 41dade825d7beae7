// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Selector: which of several servers gets a call.

#ifndef GEERPC_CLUSTER_SELECTOR_HPP
#define GEERPC_CLUSTER_SELECTOR_HPP

#include <atomic>       // atomic
#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <memory>       // make_unique, unique_ptr
#include <random>       // uniform_int_distribution
#include <string_view>  // string_view
#include <vector>       // vector

#include <geerpc/base/context.hpp>
#include <geerpc/base/random.hpp>
#include <geerpc/registry/server_list.hpp>

GEERPC_BEGIN_NAMESPACE

// What a selector chooses from, and for what.
struct Selection {
  // The whole list, also those servers that are out of the question now. A selector that wants
  // stable places, like a hash ring, builds them from this.
  const ServerList& list;

  // The servers that may be chosen, in the list's order; at least one. Without those that this call
  // has tried, that failed a moment ago, or that do not offer the service.
  const std::vector<const ServerInfo*>& candidates;

  std::string_view method;  // "Foo.Sum"
  const Context& context;   // of the call; its metadata may carry a key
};

// Derive from this for strategies of your own. Thread-safe.
class Selector {
 public:
  virtual ~Selector() = default;

  // An index into selection.candidates. Called for each attempt of each call: must be quick.
  virtual std::size_t select(const Selection& selection) = 0;
};

// Any of them, evenly.
class RandomSelector : public Selector {
 public:
  std::size_t select(const Selection& selection) override {
    return std::uniform_int_distribution<std::size_t>(
        0, selection.candidates.size() - 1)(detail::random_generator());
  }
};

// One after the other. Starts at random, so that many clients don't begin with the same server.
class RoundRobinSelector : public Selector {
 public:
  std::size_t select(const Selection& selection) override {
    return static_cast<std::size_t>(next_.fetch_add(1, std::memory_order_relaxed) %
                                    selection.candidates.size());
  }

 private:
  std::atomic<std::uint64_t> next_{detail::random_generator()() >> 1};
};

// The selectors that come with geerpc.
enum class SelectMode { random, round_robin };

inline std::unique_ptr<Selector> make_selector(SelectMode mode) {
  if (mode == SelectMode::round_robin) return std::make_unique<RoundRobinSelector>();
  return std::make_unique<RandomSelector>();
}

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLUSTER_SELECTOR_HPP
