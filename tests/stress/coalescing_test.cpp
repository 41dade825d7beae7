// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Asynchronous requests leave together: small ones wait in the outbox for others, or for somebody
// who waits, or to be found forgotten; large ones are lent to it instead of copied. None may be
// lost, sent twice or torn, nor refer to bytes that are no longer there.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "load.hpp"

using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Future;
using geerpc::Result;
using geerpc::Server;
using test::Dice;
using test::Tally;

namespace {

// How often each request arrived, and whether it was whole.
class Inbox {
 public:
  explicit Inbox(std::size_t tokens) : seen_(tokens) {}

  void add(std::int64_t token, const std::string& text) {
    const bool first = seen_.at(static_cast<std::size_t>(token)).fetch_add(1) == 0;
    if (!first) complaints.add("request " + std::to_string(token) + " arrived twice");
    if (text != test::text_of(token, text.size())) {
      complaints.add("request " + std::to_string(token) + " is torn");
    }
    ++arrived;
  }

  std::atomic<int> arrived{0};
  test::Complaints complaints;

 private:
  std::vector<std::atomic<int>> seen_;
};

// Box.Put gives the text's size back; Box.Turn the text itself, which is lent to the reply.
geerpc::Address serve(Server& server, Inbox& inbox) {
  server.add("Box.Put", [&inbox](std::int64_t token, std::string text) {
    inbox.add(token, text);
    return text.size();
  });
  server.add("Box.Turn", [&inbox](std::int64_t token, std::string text) {
    inbox.add(token, text);
    return text;
  });
  return server.listen("tcp@127.0.0.1:0");
}

// Around every border: what is worth sending (2 KiB), what is worth lending (16 KiB).
std::size_t some_size(Dice& dice) {
  switch (dice(12)) {
    case 0:
      return 0;
    case 1:
      return 2000 + dice(100);
    case 2:
      return (16u << 10) - 8 + dice(16);
    case 3:
      return (16u << 10) + dice(40u << 10);
    case 4:
      return dice(100u << 10);
    default:
      return dice(200);
  }
}

// A text in memory that is overwritten and given back as soon as the call has begun, so that
// whoever still looks there is found out.
class Draft {
 public:
  Draft(std::int64_t token, std::size_t size)
      : text_(std::make_unique<std::string>(test::text_of(token, size))) {}
  ~Draft() { text_->assign(text_->size(), '#'); }
  const std::string& text() const { return *text_; }

 private:
  const std::unique_ptr<std::string> text_;
};

struct Burst {
  std::vector<std::pair<Future<std::size_t>, std::size_t>> puts;
  std::vector<std::pair<Future<std::string>, std::string>> turns;
};

void send(Client& client, std::int64_t token, Dice& dice, Burst& burst) {
  const Draft draft(token, some_size(dice));
  if (dice.one_in(3)) {
    burst.turns.emplace_back(client.async<std::string>("Box.Turn", token, draft.text()),
                             draft.text());
  } else if (dice.one_in(8)) {
    client.notify("Box.Put", token, draft.text());
  } else {
    burst.puts.emplace_back(client.async<std::size_t>("Box.Put", token, draft.text()),
                            draft.text().size());
  }
}

void collect(Burst& burst, Tally& tally) {
  for (auto& [future, expected] : burst.puts) tally.count(future.try_get(), expected);
  for (auto& [future, expected] : burst.turns) tally.count(future.try_get(), expected);
}

}  // namespace

TEST_CASE("bursts of requests of all sizes from several threads arrive once and whole") {
  GEERPC_SHOW_SEED();
  constexpr unsigned kThreads = 4, kBursts = 8;
  constexpr int kBurst = 40;
  // With room for everything; and with so little that most must wait for it.
  for (const std::size_t room : {std::size_t{4} << 20, std::size_t{20} << 10}) {
    CAPTURE(room);
    Inbox inbox(kThreads * kBursts * kBurst);
    Server server;
    ClientOptions options;
    options.max_queued_bytes = room;
    Client client(serve(server, inbox), options);
    Tally tally;
    test::in_threads(kThreads, tally.complaints, [&](unsigned who) {
      Dice dice(who);
      std::int64_t token = std::int64_t{who} * kBursts * kBurst;
      for (unsigned b = 0; b < kBursts; ++b) {
        Burst burst;
        for (int i = 0; i < kBurst; ++i, ++token) {
          send(client, token, dice, burst);
          if (dice.one_in(20)) dice.dawdle(1500);
        }
        if (dice.one_in(2)) dice.dawdle(3000);
        collect(burst, tally);
      }
    });
    CHECK(test::eventually([&] { return inbox.arrived == kThreads * kBursts * kBurst; }));
    CHECK(tally.complaints.text() == "");
    CHECK(inbox.complaints.text() == "");
    CHECK(tally.failed == 0);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("a burst that nobody waits for arrives all the same") {
  GEERPC_SHOW_SEED();
  constexpr unsigned kRounds = 120, kMost = 24;
  Inbox inbox(kRounds * kMost);
  Server server;
  const auto address = serve(server, inbox);
  auto client = std::make_unique<Client>(address);
  Tally tally;
  Dice dice(7);
  std::int64_t token = 0;
  for (unsigned round = 0; round < kRounds; ++round) {
    // Now and then nothing is connected yet, or the background thread has gone to sleep.
    if (round % 20 == 19) client = std::make_unique<Client>(address);
    if (round % 20 == 9) std::this_thread::sleep_for(std::chrono::milliseconds(60));
    Burst burst;
    const int n = 1 + static_cast<int>(dice(kMost));
    for (int i = 0; i < n; ++i) send(*client, token++, dice, burst);
    if (dice.one_in(3)) burst = Burst();  // nobody ever will
    REQUIRE(test::eventually([&] { return inbox.arrived == token; }));
    collect(burst, tally);
    dice.dawdle(2000);
  }
  CHECK(tally.complaints.text() == "");
  CHECK(inbox.complaints.text() == "");
  CHECK(tally.failed == 0);
}

TEST_CASE("callbacks that send further requests keep a window going without anybody waiting") {
  GEERPC_SHOW_SEED();
  constexpr int kChains = 24, kLength = 60;
  Inbox inbox(kChains * kLength + 1);
  Server server;
  Client client(serve(server, inbox));
  Tally tally;
  std::atomic<int> ended{0};
  Dice dice(3);  // used where the callbacks run: by one thread after the other
  const std::function<void(std::int64_t)> step = [&](std::int64_t token) {
    const Draft draft(token, some_size(dice));
    client.async<std::string>("Box.Turn", token, draft.text())
        .then([&, token, expected = draft.text()](const Result<std::string>& result) {
          tally.count(result, expected);
          if ((token + 1) % kLength == 0) {
            ++ended;
          } else {
            step(token + 1);
          }
        });
  };
  // Begun by a callback, too, so that all of them run in one thread.
  const auto begin = [&](const Result<std::size_t>&) {
    for (int chain = 0; chain < kChains; ++chain) step(std::int64_t{chain} * kLength);
  };
  client.async<std::size_t>("Box.Put", std::int64_t{kChains * kLength}, std::string()).then(begin);
  CHECK(test::eventually([&] { return ended == kChains; }));
  client.close();
  CHECK(inbox.arrived == kChains * kLength + 1);
  CHECK(tally.complaints.text() == "");
  CHECK(inbox.complaints.text() == "");
  CHECK(tally.failed == 0);
}
