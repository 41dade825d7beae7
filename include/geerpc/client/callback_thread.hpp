// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// CallbackThread: where the callbacks of a client's asynchronous calls run, and the replies are
// read that they wait for.

#ifndef GEERPC_CLIENT_CALLBACK_THREAD_HPP
#define GEERPC_CLIENT_CALLBACK_THREAD_HPP

#include <condition_variable>  // condition_variable
#include <exception>           // exception
#include <memory>              // make_shared, shared_ptr, weak_ptr
#include <mutex>               // mutex
#include <thread>              // thread
#include <utility>             // exchange
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

// What the callback thread does between callbacks. All of it without a lock of that thread's.
struct CallbackReader {
  // Waits for replies and posts what they complete. False when it should not be called again before
  // there were callbacks, or somebody asks.
  virtual bool read_for_callbacks() = 0;
  // Ends that waiting. Any thread, and perhaps with a connection's mutex held.
  virtual void interrupt_reading() = 0;
  // A batch of callbacks has run.
  virtual void after_callbacks() = 0;

 protected:
  ~CallbackReader() = default;
};

// Runs callbacks one after another, in a thread that the first one starts. The same thread reads
// the replies, so that from a reply to its callback there is no change of threads; while a callback
// takes long, or waits for another call, others read. Thread-safe.
class CallbackThread {
 public:
  ~CallbackThread() { close(); }

  // Runs these after the others. After close() they run in this thread. False if no thread can be
  // had just now: then they wait for one, see retry(). They don't run here, where somebody may be
  // reading, who would wait for himself if they wait for a reply.
  bool post(std::vector<std::shared_ptr<Callback>> callbacks,
            const std::weak_ptr<CallbackReader>& reader) {
    std::unique_lock<std::mutex> lock(state_->mutex);
    auto& queue = state_->queue;
    if (queue.empty()) {
      queue.swap(callbacks);
    } else {
      queue.insert(queue.end(), callbacks.begin(), callbacks.end());
    }
    if (!state_->running && state_->closing) return run_here(lock), true;
    if (!state_->running && !start(reader)) return false;
    if (is_current()) return true;  // it is about to look
    if (state_->asleep) state_->changed.notify_all();
    const bool reads = state_->reads;
    lock.unlock();
    if (!reads) return true;
    if (const auto strong = reader.lock()) strong->interrupt_reading();
    return true;
  }
  // Tries again to get the thread that posted callbacks wait for. False if they still do.
  bool retry(const std::weak_ptr<CallbackReader>& reader) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->queue.empty() || state_->running || start(reader);
  }
  // Runs what waits for a thread in this one, which must not be reading.
  void run_here() {
    std::unique_lock<std::mutex> lock(state_->mutex);
    if (!state_->running) run_here(lock);
  }

  // There are callbacks to come: has their replies read from now on, if the thread has nothing else
  // to do. False if it has, or there is none.
  bool ask_to_read(const std::weak_ptr<CallbackReader>& reader) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (state_->closing || (!state_->running && !start(reader))) return false;
    if (!state_->asleep) return state_->reads;
    state_->asked = true;
    state_->changed.notify_all();
    return true;
  }

  // True in a callback.
  bool is_current() const noexcept { return current() == state_.get(); }
  // True while it waits for replies.
  bool reads() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->reads;
  }
  bool has_work() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->closing || !state_->queue.empty();
  }

  // Final. All callbacks have run when it returns, unless one of them calls it. The reader must not
  // wait for replies any more by then.
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
    run_here(lock);
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
    bool reads = false;
    bool asked = false;    // to read
    bool running = false;  // there is a thread, and it looks at the queue once more before it ends
    bool closing = false;
  };

  static const State*& current() noexcept {
    thread_local const State* state = nullptr;
    return state;
  }

  static void run(State& state, const std::weak_ptr<CallbackReader>& reader) {
    current() = &state;
    std::vector<std::shared_ptr<Callback>> batch;
    std::unique_lock<std::mutex> lock(state.mutex);
    for (bool wants_to_read = true;;) {
      if (!state.queue.empty()) {
        batch.swap(state.queue);
        lock.unlock();
        for (std::shared_ptr<Callback>& callback : batch) {
          callback->run_callback();
          callback.reset();  // and what it holds, without the lock
        }
        batch.clear();
        if (const auto strong = reader.lock()) strong->after_callbacks();
        wants_to_read = true;
        lock.lock();
      } else if (state.closing) {
        break;
      } else if (wants_to_read) {
        state.reads = true;
        lock.unlock();
        {
          const auto strong = reader.lock();
          wants_to_read = strong != nullptr && strong->read_for_callbacks();
        }
        lock.lock();
        state.reads = false;
      } else {
        state.asleep = true;
        state.changed.wait(lock,
                           [&] { return state.closing || state.asked || !state.queue.empty(); });
        state.asleep = false;
        wants_to_read = std::exchange(state.asked, false);
      }
    }
    state.running = false;
    state.changed.notify_all();
  }

  // Lets go of the mutex.
  void run_here(std::unique_lock<std::mutex>& lock) {
    const std::vector<std::shared_ptr<Callback>> callbacks = std::exchange(state_->queue, {});
    lock.unlock();
    for (const std::shared_ptr<Callback>& callback : callbacks) callback->run_callback();
  }

  // Mutex held.
  bool start(const std::weak_ptr<CallbackReader>& reader) noexcept {
    try {
      thread_ = std::thread([state = state_, reader] { run(*state, reader); });
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
