// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What all stress tests share: repeatable chance, threads that start together, and a tally of how
// calls ended. Chance decides what is done and in which order, the scheduler when; so a seed
// repeats the work, not the interleaving.

#ifndef GEERPC_TESTS_STRESS_LOAD_HPP
#define GEERPC_TESTS_STRESS_LOAD_HPP

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <atomic>            // atomic
#include <chrono>            // microseconds
#include <cstdint>           // int64_t
#include <cstdlib>           // getenv, strtoul
#include <exception>         // exception
#include <initializer_list>  // initializer_list
#include <mutex>             // mutex
#include <string>            // string
#include <thread>            // thread
#include <vector>            // vector

#include "../support/eventually.hpp"

namespace test {

// $GEERPC_TEST_SEED, else always the same. Every test case shows it when it fails.
inline unsigned seed() {
  static const unsigned value = [] {
    const char* const text = std::getenv("GEERPC_TEST_SEED");
    return text == nullptr ? 1u : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
  }();
  return value;
}
#define GEERPC_SHOW_SEED() INFO("to repeat: GEERPC_TEST_SEED=" << test::seed())

// One per thread; `who` tells them apart.
class Dice {
 public:
  explicit Dice(unsigned who) : state_((seed() * 7919u + who) * 2654435761u + 1) {
    for (int i = 0; i < 4; ++i) (*this)(2);
  }
  // 0 … below - 1
  unsigned operator()(unsigned below) {
    state_ = state_ * 1664525 + 1013904223;
    return (state_ >> 8) % below;
  }
  bool one_in(unsigned n) { return (*this)(n) == 0; }
  // Load, never synchronisation: a pause of at most so long, often none at all.
  void dawdle(unsigned max_us) {
    if (one_in(3)) return;
    if (one_in(2)) return std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds((*this)(max_us + 1)));
  }

 private:
  unsigned state_;
};

// What went wrong, with the first story. CHECK is for the main thread, so others tell it here.
class Complaints {
 public:
  void add(const std::string& story) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (count_++ == 0) first_ = story;
  }
  // Empty if all is well: CHECK(complaints.text() == "").
  std::string text() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_ == 0 ? "" : std::to_string(count_) + " complaints, the first: " + first_;
  }

 private:
  mutable std::mutex mutex_;
  int count_ = 0;
  std::string first_;
};

// Runs `work(index)` in that many threads, which begin at the same time, and waits for all of them.
template <class Work>
void in_threads(unsigned threads, Complaints& complaints, Work work) {
  std::atomic<unsigned> missing{threads};
  std::vector<std::thread> running;
  for (unsigned i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      --missing;
      while (missing != 0) std::this_thread::yield();
      try {
        work(i);
      } catch (const std::exception& error) {
        complaints.add("thread " + std::to_string(i) + " ended by " + error.what());
      }
    });
  }
  for (std::thread& thread : running) thread.join();
}

// How calls ended. Thread-safe.
struct Tally {
  std::atomic<int> right{0}, failed{0};
  Complaints complaints;

  // `excuses`: the errors that this call had a reason for.
  template <class T>
  void count(const geerpc::Result<T>& result, const T& expected,
             std::initializer_list<geerpc::StatusCode> excuses = {}) {
    if (result.ok()) {
      ++right;
      if (!(result.value() == expected)) complaints.add("the result of another call");
      return;
    }
    ++failed;
    for (const geerpc::StatusCode code : excuses) {
      if (result.code() == code) return;
    }
    complaints.add(std::string("an error without a reason: ") + result.error().what());
  }
  int all() const { return right + failed; }
};

// Text that belongs to one call, so that no other's, no torn and no stale one looks like it.
inline std::string text_of(std::int64_t token, std::size_t size) {
  std::string text = std::to_string(token) + ':';
  text.resize(size, '.');
  auto state = static_cast<std::uint32_t>(token * 2654435761 + 12345);
  for (std::size_t i = 24; i < size; ++i) {
    state = state * 1664525 + 1013904223;
    text[i] = static_cast<char>('a' + (state >> 24) % 26);
  }
  return text;
}

}  // namespace test

#endif  // GEERPC_TESTS_STRESS_LOAD_HPP
