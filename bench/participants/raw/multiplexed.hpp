// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Several calls at a time on one connection: a thread of its own reads the replies and gives each
// to its slot.

#ifndef BENCH_RAW_MULTIPLEXED_HPP
#define BENCH_RAW_MULTIPLEXED_HPP

#include <semaphore.h>  // sem_init, sem_post, sem_t, sem_wait

#include <array>               // array
#include <cerrno>              // EINTR
#include <condition_variable>  // condition_variable
#include <cstdint>             // int32_t
#include <cstring>             // memcmp
#include <functional>          // function
#include <mutex>               // lock_guard, mutex, unique_lock
#include <stdexcept>           // runtime_error
#include <string>              // string
#include <thread>              // thread
#include <vector>              // vector

#include <harness/team.hpp>

#include "frame.hpp"

namespace raw {

// A call that waits for its reply. The sequence number on the wire is the slot's index.
struct Slot {
  Slot() { sem_init(&ready, 0, 0); }

  void wait() {
    while (sem_wait(&ready) != 0 && errno == EINTR) {
    }
  }

  sem_t ready;
  std::string reply;

  // With a callback instead of somebody who waits.
  const std::string* expected = nullptr;
  std::function<void(bool)> done;
};

// Slots, and the thread that completes them.
class Replies {
 public:
  explicit Replies(int port) : socket_(Socket::connected(port)) {
    for (std::size_t i = 0; i < slots_.size(); ++i) free_.push_back(i);
    reader_ = std::thread([this] { read(); });
  }
  ~Replies() {
    socket_.shut_down();
    reader_.join();
  }
  Replies(const Replies&) = delete;
  Replies& operator=(const Replies&) = delete;

  const Socket& socket() const { return socket_; }
  Slot& slot(std::size_t index) { return slots_[index]; }

  std::size_t take_slot() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) throw std::runtime_error("too many calls at a time");
    const std::size_t index = free_.back();
    free_.pop_back();
    return index;
  }
  void give_back(std::size_t index) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(index);
  }

  std::string take_reply(std::size_t index) {
    Slot& slot = slots_[index];
    slot.wait();
    std::string reply = slot.reply;
    give_back(index);
    return reply;
  }

 private:
  void read() {
    try {
      FrameReader reader(socket_);
      for (Frame reply; reader.next(reply);) complete(reply);
    } catch (const std::exception& error) {
      bench::fail(error.what());
    }
  }
  void complete(const Frame& reply) {
    const std::size_t index = reply.sequence();
    if (index >= slots_.size()) throw std::runtime_error("a reply to no call");
    Slot& slot = slots_[index];
    if (slot.done == nullptr) {
      slot.reply.assign(reply.payload(), reply.payload_size());
      sem_post(&slot.ready);
      return;
    }
    const std::string& expected = *slot.expected;
    const bool ok = reply.payload_size() == expected.size() &&
                    std::memcmp(reply.payload(), expected.data(), expected.size()) == 0;
    const std::function<void(bool)> done = std::move(slot.done);
    slot.done = nullptr;
    give_back(index);
    done(ok);
  }

  Socket socket_;
  std::array<Slot, 1024> slots_;
  std::mutex mutex_;
  std::vector<std::size_t> free_;
  std::thread reader_;  // last: it uses the others
};

// For threads that share a connection: each call is sent by its own thread, in one system call.
class Demultiplexer {
 public:
  explicit Demultiplexer(int port) : replies_(port) {}

  std::int32_t add(std::int32_t a, std::int32_t b) {
    char arguments[8];
    put_int(arguments, a);
    put_int(arguments + 4, b);
    return get_int(call(Method::add, arguments, sizeof arguments).data());
  }
  // The server answers in order, so a slow call would hold up the others: `slow` is not for it.
  std::int32_t sleep(std::int32_t milliseconds) {
    char argument[4];
    put_int(argument, milliseconds);
    return get_int(call(Method::sleep, argument, sizeof argument).data());
  }
  std::string echo(const std::string& text) { return call(Method::echo, text.data(), text.size()); }

  static constexpr bool kShared = true;

 private:
  std::string call(Method method, const char* payload, std::size_t size) {
    const std::size_t index = replies_.take_slot();
    char header[kHeaderSize];
    put_header(header, size, index, method);
    {
      const std::lock_guard<std::mutex> lock(sending_);
      replies_.socket().send(header, sizeof header, payload, size);
    }
    return replies_.take_reply(index);
  }

  std::mutex sending_;
  Replies replies_;
};

// For many calls in flight: callers append to a buffer, and a second thread sends it whole whenever
// it has sent the one before.
class Pipeline {
 public:
  explicit Pipeline(int port) : replies_(port), writer_([this] { write(); }) {}
  ~Pipeline() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      over_ = true;
    }
    more_.notify_one();
    writer_.join();
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  struct Future {
    std::string get() { return replies->take_reply(index); }

    Replies* replies;
    std::size_t index;
  };

  Future echo_future(const std::string& text) {
    const std::size_t index = replies_.take_slot();
    append(index, Method::echo, text.data(), text.size());
    return {&replies_, index};
  }
  template <class Done>
  void echo_async(const std::string& text, Done done) {
    const std::size_t index = replies_.take_slot();
    replies_.slot(index).expected = &text;
    replies_.slot(index).done = done;
    append(index, Method::echo, text.data(), text.size());
  }

  std::string echo(const std::string& text) { return echo_future(text).get(); }
  std::int32_t add(std::int32_t a, std::int32_t b) {
    char arguments[8];
    put_int(arguments, a);
    put_int(arguments + 4, b);
    const std::size_t index = replies_.take_slot();
    append(index, Method::add, arguments, sizeof arguments);
    return get_int(replies_.take_reply(index).data());
  }
  std::int32_t sleep(std::int32_t milliseconds) {
    char argument[4];
    put_int(argument, milliseconds);
    const std::size_t index = replies_.take_slot();
    append(index, Method::sleep, argument, sizeof argument);
    return get_int(replies_.take_reply(index).data());
  }

  static constexpr bool kShared = true;

 private:
  void append(std::size_t index, Method method, const char* payload, std::size_t size) {
    char header[kHeaderSize];
    put_header(header, size, index, method);
    bool was_empty;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      was_empty = waiting_.empty();
      waiting_.insert(waiting_.end(), header, header + sizeof header);
      waiting_.insert(waiting_.end(), payload, payload + size);
    }
    if (was_empty) more_.notify_one();
  }

  void write() {
    try {
      std::vector<char> sending;
      for (;;) {
        {
          std::unique_lock<std::mutex> lock(mutex_);
          more_.wait(lock, [this] { return over_ || !waiting_.empty(); });
          if (over_) return;
          sending.swap(waiting_);
        }
        replies_.socket().send(sending.data(), sending.size());
        sending.clear();
      }
    } catch (const std::exception& error) {
      bench::fail(error.what());
    }
  }

  Replies replies_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<char> waiting_;
  bool over_ = false;
  std::thread writer_;  // last: it uses the others
};

}  // namespace raw

#endif  // BENCH_RAW_MULTIPLEXED_HPP
