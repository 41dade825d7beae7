// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// CallbackThread: where the callbacks of a client's asynchronous calls run.

#ifndef GEERPC_CLIENT_CALLBACK_THREAD_HPP
#define GEERPC_CLIENT_CALLBACK_THREAD_HPP

#include <condition_variable>  // condition_variable
#include <exception>           // exception
#include <functional>          // function
#include <memory>              // make_shared, shared_ptr
#include <mutex>               // mutex
#include <thread>              // thread
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What there is to run, once.
struct Callback {
  virtual void run_callback() noexcept = 0;

 protected:
  ~Callback() = default;
};

// Runs callbacks one after another in a thread that the first one starts, apart from the thread
// that reads, so that a callback may wait for another call. Thread-safe.
class CallbackThread {
 public:
  ~CallbackThread() { close(); }

  // Runs these after the others. After close(), or if no thread can be had, they run in this
  // thread. The thread calls `after` when it has run all that were posted.
  void post(std::vector<std::shared_ptr<Callback>> callbacks, const std::function<void()>& after) {
    {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      if (state_->running || (!state_->closing && start(after))) {
        auto& queue = state_->queue;
        if (queue.empty()) {
          queue.swap(callbacks);
        } else {
          queue.insert(queue.end(), callbacks.begin(), callbacks.end());
        }
        if (state_->asleep) state_->changed.notify_all();
        return;
      }
    }
    for (const std::shared_ptr<Callback>& callback : callbacks) callback->run_callback();
  }

  // True in a callback.
  bool is_current() const noexcept { return current() == state_.get(); }
  // True if callbacks run or are going to.
  bool busy() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->running && (!state_->asleep || !state_->queue.empty());
  }

  // Final. All callbacks have run when it returns, unless one of them calls it.
  void close() {
    std::unique_lock<std::mutex> lock(state_->mutex);
    state_->closing = true;
    state_->changed.notify_all();
    std::thread thread;
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();  // it ends when it has run what is left
      self_closed_ = true;
    }
    if (self_closed_) return;
    state_->changed.wait(lock, [this] { return !state_->running; });
    thread.swap(thread_);
    lock.unlock();
    if (thread.joinable()) thread.join();
  }

 private:
  // Outlives the object that a callback destroys.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    // Guarded by mutex.
    std::vector<std::shared_ptr<Callback>> queue;
    bool asleep = false;
    bool running = false;  // there is a thread, and it looks at the queue once more before it ends
    bool closing = false;
  };

  static const State*& current() noexcept {
    thread_local const State* state = nullptr;
    return state;
  }

  static void run(State& state, const std::function<void()>& after) {
    current() = &state;
    std::vector<std::shared_ptr<Callback>> batch;
    std::unique_lock<std::mutex> lock(state.mutex);
    for (;;) {
      state.asleep = true;
      state.changed.wait(lock, [&] { return state.closing || !state.queue.empty(); });
      state.asleep = false;
      if (state.queue.empty()) break;
      batch.swap(state.queue);
      lock.unlock();
      for (std::shared_ptr<Callback>& callback : batch) {
        callback->run_callback();
        callback.reset();  // and what it holds, without the lock
      }
      batch.clear();
      after();
      lock.lock();
    }
    state.running = false;
    state.changed.notify_all();
  }

  // Mutex held.
  bool start(const std::function<void()>& after) noexcept {
    try {
      thread_ = std::thread([state = state_, after] { run(*state, after); });
      state_->running = true;
    } catch (const std::exception&) {
    }
    return state_->running;
  }

  const std::shared_ptr<State> state_ = std::make_shared<State>();
  // Guarded by the state's mutex.
  std::thread thread_;
  bool self_closed_ = false;  // by a callback
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CALLBACK_THREAD_HPP
