// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Team: threads that do the same thing whenever they are told to.

#ifndef BENCH_HARNESS_TEAM_HPP
#define BENCH_HARNESS_TEAM_HPP

#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <cstdio>              // fflush, fprintf
#include <cstdlib>             // _Exit
#include <exception>           // exception
#include <functional>          // function
#include <mutex>               // lock_guard, mutex, unique_lock
#include <string>              // string
#include <thread>              // thread
#include <utility>             // move
#include <vector>              // vector

namespace bench {

// Ends the program from any thread, without waiting for the others.
[[noreturn]] inline void fail(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  std::fflush(stderr);
  std::_Exit(1);
}

class Team {
 public:
  // Thread i does `work(i)` each time. What it throws ends the program.
  Team(std::size_t threads, std::function<void(std::size_t)> work) : work_(std::move(work)) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { live(i); });
  }
  ~Team() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  void start() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++round_;
      working_ = threads_.size();
    }
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return working_ == 0; });
  }
  void run() {
    start();
    wait();
  }

 private:
  void live(std::size_t i) {
    std::unique_lock<std::mutex> lock(mutex_);
    for (std::size_t seen = 0;;) {
      changed_.wait(lock, [&] { return over_ || round_ != seen; });
      if (over_) return;
      seen = round_;
      lock.unlock();
      try {
        work_(i);
      } catch (const std::exception& error) {
        fail(error.what());
      }
      lock.lock();
      if (--working_ == 0) done_.notify_one();
    }
  }

  const std::function<void(std::size_t)> work_;
  std::mutex mutex_;
  std::condition_variable changed_, done_;
  std::size_t round_ = 0, working_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;  // last: they use the others
};

}  // namespace bench

#endif  // BENCH_HARNESS_TEAM_HPP
