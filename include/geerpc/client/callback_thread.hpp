// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// CallbackThread: where the callbacks of a client's asynchronous calls run.

#ifndef GEERPC_CLIENT_CALLBACK_THREAD_HPP
#define GEERPC_CLIENT_CALLBACK_THREAD_HPP

#include <condition_variable>  // condition_variable
#include <deque>               // deque
#include <exception>           // exception
#include <functional>          // function
#include <memory>              // make_shared, shared_ptr
#include <mutex>               // mutex
#include <thread>              // thread
#include <utility>             // move

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Runs callbacks one after another in a thread that the first one starts, apart from the thread
// that reads, so that a callback may wait for another call. Thread-safe.
class CallbackThread {
 public:
  ~CallbackThread() { close(); }

  // After close(), or if no thread can be had, the callback runs in this thread.
  void post(std::function<void()> callback) {
    {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      if (state_->running || (!state_->closing && start())) {
        state_->queue.push_back(std::move(callback));
        state_->changed.notify_all();
        return;
      }
    }
    callback();
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
    std::deque<std::function<void()>> queue;
    bool running = false;  // there is a thread, and it looks at the queue once more before it ends
    bool closing = false;
  };

  static void run(State& state) {
    std::unique_lock<std::mutex> lock(state.mutex);
    for (;;) {
      state.changed.wait(lock, [&] { return state.closing || !state.queue.empty(); });
      if (state.queue.empty()) break;
      std::function<void()> callback = std::move(state.queue.front());
      state.queue.pop_front();
      lock.unlock();
      callback();
      callback = nullptr;  // and what it holds, without the lock
      lock.lock();
    }
    state.running = false;
    state.changed.notify_all();
  }

  // Mutex held.
  bool start() noexcept {
    try {
      thread_ = std::thread([state = state_] { run(*state); });
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
