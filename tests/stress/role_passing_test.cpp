// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The reader's role: callers of one connection read for each other and hand the role on, to a
// caller or to the background thread. Whoever leaves early (late, cancelled, not interested) must
// not take another's reply, or the role itself, along.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <vector>

#include "load.hpp"

using geerpc::CancelSource;
using geerpc::Client;
using geerpc::Context;
using geerpc::Future;
using geerpc::Result;
using geerpc::Server;
using geerpc::StatusCode;
using test::Dice;
using test::Tally;

namespace {

constexpr std::size_t kTextSize = 600;

// Wire.Now answers at once, Wire.Late after a moment, Wire.Text with a longer text.
geerpc::Address serve(Server& server) {
  server.add("Wire.Now", [](std::int64_t token) { return 3 * token + 1; });
  server.add("Wire.Late", [](const Context& context, std::int64_t token) {
    context.sleep_for(std::chrono::microseconds(token * 7919 % 2500));
    return 3 * token + 1;
  });
  server.add("Wire.Text", [](std::int64_t token) { return test::text_of(token, kTextSize); });
  return server.listen("tcp@127.0.0.1:0");
}

// Cancels what it is given, a moment later.
class Canceller {
 public:
  Canceller() : thread_([this] { run(); }) {}
  ~Canceller() {
    add({});
    thread_.join();
  }
  void add(std::unique_ptr<CancelSource> source) {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(source));
    changed_.notify_one();
  }

 private:
  void run() {
    Dice dice(99);
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !queue_.empty(); });
      const std::unique_ptr<CancelSource> source = std::move(queue_.front());
      queue_.pop_front();
      if (source == nullptr) return;
      lock.unlock();
      dice.dawdle(300);
      source->cancel();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<CancelSource>> queue_;  // guarded by mutex_; null: the end
  std::thread thread_;
};

// One thread's calls over a shared client.
class Player {
 public:
  Player(Client& client, Canceller& canceller, Tally& tally, std::atomic<int>& callbacks_due,
         unsigned who)
      : client_(client),
        canceller_(canceller),
        tally_(tally),
        callbacks_due_(callbacks_due),
        dice_(who),
        token_(std::int64_t{1000000} * who) {}

  void play(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      ++token_;
      one_call();
      dice_.dawdle(100);
      if (futures_.size() > dice_(12)) collect();
    }
    collect();
  }

 private:
  // The reasons that this call has to fail, if it does.
  enum class Fate { peaceful, late, cancelled };
  struct Waiting {
    Future<std::int64_t> future;
    std::int64_t expected;
    Fate fate;
  };

  static void count(Tally& tally, const Result<std::int64_t>& result, std::int64_t expected,
                    Fate fate) {
    switch (fate) {
      case Fate::peaceful:
        return tally.count(result, expected);
      case Fate::late:
        return tally.count(result, expected, {StatusCode::deadline_exceeded});
      case Fate::cancelled:
        return tally.count(result, expected, {StatusCode::cancelled});
    }
  }

  void one_call() {
    Context context;
    Fate fate = Fate::peaceful;
    if (dice_.one_in(5)) {
      fate = Fate::late;
      context.set_timeout(std::chrono::microseconds(dice_(2500)));
    } else if (dice_.one_in(5)) {
      fate = Fate::cancelled;
      auto source = std::make_unique<CancelSource>();
      context.set_cancel(source->token());
      canceller_.add(std::move(source));
    } else if (dice_.one_in(8)) {  // one that never comes true: another way to wait
      context.set_cancel(never_.token());
    }
    const char* const method = dice_.one_in(3) ? "Wire.Late" : "Wire.Now";
    const std::int64_t expected = 3 * token_ + 1;
    switch (dice_(9)) {
      case 0:
      case 1:
      case 2:
        count(tally_, client_.try_call<std::int64_t>(context, method, token_), expected, fate);
        break;
      case 3:
        tally_.count(client_.try_call<std::string>("Wire.Text", token_),
                     test::text_of(token_, kTextSize));
        break;
      case 4:
        (void)client_.async<std::int64_t>(context, method, token_);  // dropped
        break;
      case 5: {
        auto future = client_.async<std::int64_t>(context, method, token_);
        dice_.dawdle(200);
        future.cancel();
        // Its deadline or its source may be faster than that; each would be right.
        tally_.count(future.try_get(), expected,
                     {StatusCode::cancelled, StatusCode::deadline_exceeded});
        break;
      }
      case 6: {
        auto future = client_.async<std::int64_t>(context, method, token_);
        ++callbacks_due_;
        // Its result may be there before its callback, or somebody may have waited for it.
        if (dice_.one_in(2)) dice_.dawdle(200);
        if (dice_.one_in(3)) future.wait_for(std::chrono::microseconds(dice_(1500)));
        future.then(
            [&tally = tally_, &due = callbacks_due_, expected, fate](Result<std::int64_t> result) {
              count(tally, result, expected, fate);
              --due;
            });
        break;
      }
      default:
        futures_.push_back({client_.async<std::int64_t>(context, method, token_), expected, fate});
    }
  }

  void collect() {
    for (Waiting& waiting : futures_) {
      if (dice_.one_in(3)) waiting.future.wait_for(std::chrono::microseconds(dice_(400)));
      if (dice_.one_in(3)) (void)waiting.future.ready();
      count(tally_, waiting.future.try_get(), waiting.expected, waiting.fate);
    }
    futures_.clear();
  }

  Client& client_;
  Canceller& canceller_;
  Tally& tally_;
  std::atomic<int>& callbacks_due_;
  Dice dice_;
  std::int64_t token_;
  CancelSource never_;
  std::vector<Waiting> futures_;
};

}  // namespace

TEST_CASE("callers that read for each other each get their own reply, whoever leaves early") {
  GEERPC_SHOW_SEED();
  Server server;
  const auto address = serve(server);
  Tally tally;
  std::atomic<int> callbacks_due{0};
  Client client(address);
  {
    Canceller canceller;
    test::in_threads(12, tally.complaints, [&](unsigned i) {
      Player(client, canceller, tally, callbacks_due, i + 1).play(200);
    });
  }
  CHECK(test::eventually([&] { return callbacks_due == 0; }));
  CHECK(tally.complaints.text() == "");
  CHECK(tally.right > 600);
  CHECK(server.connections() == 1);
  CHECK(test::eventually([&] { return server.calls_in_flight() == 0; }));
  CHECK(client.call<std::int64_t>("Wire.Now", 1) == 4);
}

TEST_CASE("the last caller to leave passes the reader's role on to the background thread") {
  GEERPC_SHOW_SEED();
  Server server;
  const auto address = serve(server);
  Client client(address);
  Tally tally;
  for (unsigned round = 0; round < 60; ++round) {
    std::atomic<int> due{0};
    // Whoever comes back first leaves callbacks behind for which nobody waits.
    test::in_threads(4, tally.complaints, [&](unsigned i) {
      Dice dice(round * 16 + i);
      const std::int64_t token = std::int64_t{round} * 100 + i;
      ++due;
      client.async<std::int64_t>("Wire.Late", token)
          .then([&tally, &due, token](Result<std::int64_t> result) {
            tally.count(result, 3 * token + 1);
            --due;
          });
      dice.dawdle(100);
      tally.count(client.try_call<std::int64_t>("Wire.Now", token), 3 * token + 1);
    });
    REQUIRE(test::eventually([&] { return due == 0; }));
  }
  CHECK(tally.complaints.text() == "");
  CHECK(tally.right == 60 * 4 * 2);
}
