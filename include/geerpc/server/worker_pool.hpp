// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// WorkerPool: threads that serve connections, and spare ones that wait to.

#ifndef GEERPC_SERVER_WORKER_POOL_HPP
#define GEERPC_SERVER_WORKER_POOL_HPP

#include <algorithm>           // remove
#include <chrono>              // seconds
#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <exception>           // exception
#include <functional>          // function
#include <memory>              // shared_ptr
#include <mutex>               // mutex
#include <thread>              // thread
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/net/idle_stack.hpp>
#include <geerpc/server/worker.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Thread-safe. A task that never returns can't be ended: stop() leaves its thread behind, which is
// why tasks hold whatever they use.
class WorkerPool {
 public:
  using Task = std::function<void(Worker&)>;

  explicit WorkerPool(std::shared_ptr<Watchlist> watchlist) : state_(std::make_shared<State>()) {
    state_->watchlist = std::move(watchlist);
  }
  ~WorkerPool() { stop(std::chrono::steady_clock::now()); }

  // Runs the task in a spare thread or in a new one. False if there can be none.
  bool run(Task task) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (state_->stopping) return false;
    if (!state_->idle.empty()) {
      const std::shared_ptr<Thread> thread = state_->idle.back();
      state_->idle.pop_back();
      thread->task = std::move(task);
      thread->wake_up.notify_one();
      return true;
    }
    std::shared_ptr<Thread> thread;
    try {
      thread = std::make_shared<Thread>(state_->watchlist);
      thread->task = std::move(task);
      state_->all.push_back(thread);
      thread->thread = std::thread([state = state_, thread] { state->work(thread); });
    } catch (const std::exception&) {
      if (!state_->all.empty() && state_->all.back() == thread) state_->all.pop_back();
      return false;
    }
    return true;
  }

  // Ends the spare threads and, until `deadline`, waits for the others. Returns how many were still
  // in their tasks and were left behind.
  std::size_t stop(std::chrono::steady_clock::time_point deadline) {
    std::thread finished;
    std::vector<std::shared_ptr<Thread>> stuck;
    {
      std::unique_lock<std::mutex> lock(state_->mutex);
      state_->stopping = true;
      for (const auto& thread : state_->idle) thread->wake_up.notify_one();
      state_->changed.wait_until(lock, deadline, [this] { return state_->all.empty(); });
      finished.swap(state_->finished);
      stuck.swap(state_->all);
      for (const auto& thread : stuck) thread->thread.detach();
    }
    if (finished.joinable()) finished.join();
    return stuck.size();
  }

 private:
  struct Thread {
    explicit Thread(const std::shared_ptr<Watchlist>& watchlist)
        : worker(std::make_shared<Worker>(watchlist)) {}
    const std::shared_ptr<Worker> worker;
    // Guarded by the state's mutex.
    std::thread thread;
    Task task;
    std::condition_variable wake_up;
  };

  // Outlives the pool if a thread was left behind.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::shared_ptr<Watchlist> watchlist;  // constant
    // Guarded by mutex.
    std::vector<std::shared_ptr<Thread>> all;   // not finished
    std::vector<std::shared_ptr<Thread>> idle;  // those of them that wait for a task
    std::thread finished;                       // the last one that left `all`, to be joined
    bool stopping = false;

    void work(const std::shared_ptr<Thread>& self) {
      std::unique_lock<std::mutex> lock(mutex);
      while (self->task != nullptr) {
        Task task = std::exchange(self->task, nullptr);
        lock.unlock();
        task(*self->worker);
        task = nullptr;  // and what it holds, without the lock
        release_stack();
        lock.lock();
        if (!stopping) wait_for_task(lock, self);
      }
      const auto found = std::find(all.begin(), all.end(), self);
      if (found == all.end()) return;  // stop() has given us up
      all.erase(found);
      // Who leaves joins who left before: nobody else has to wait for what a thread does at its
      // end, such as destructors of thread_local objects.
      std::thread before = std::exchange(finished, std::move(self->thread));
      changed.notify_all();
      lock.unlock();
      if (before.joinable()) before.join();
    }

    void wait_for_task(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Thread>& self) {
      idle.push_back(self);
      const auto woken = [&] { return self->task != nullptr || stopping; };
      while (!woken()) {
        if (idle.size() <= kSpares) {
          self->wake_up.wait(lock, woken);
        } else if (!self->wake_up.wait_for(lock, kSpareTime, woken)) {
          break;
        }
      }
      idle.erase(std::remove(idle.begin(), idle.end(), self), idle.end());
    }
  };

  static constexpr std::size_t kSpares = 4;             // that wait for ever
  static constexpr std::chrono::seconds kSpareTime{5};  // of the others

  const std::shared_ptr<State> state_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_WORKER_POOL_HPP
