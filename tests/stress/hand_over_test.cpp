// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The hand-over: a call that takes long keeps its thread, and its connection goes to another one.
// Meanwhile the monitor may answer in its place, its client may cancel it, and the server may stop.
// A client would drop a second reply unseen, so the requests here are written byte by byte and all
// that comes back is counted.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "../server/serving.hpp"
#include "load.hpp"

using namespace std::chrono_literals;
using geerpc::Client;
using geerpc::Context;
using geerpc::Result;
using geerpc::Server;
using geerpc::ServerOptions;
using geerpc::StatusCode;
using test::Dice;
using test::RawSocket;
using test::Tally;

namespace {

// ---- Frames, in the little MessagePack that they need.

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}
std::string uint32(std::uint64_t value) { return '\xce' + big_endian(value, 4); }

enum Kind { kRequest = 0, kReply = 1, kError = 2, kCancel = 3, kNotify = 4, kGoaway = 5 };

// Work.For(microseconds), Work.Nap(microseconds)
std::string request(Kind kind, std::uint32_t seq, const std::string& method, unsigned us) {
  return test::frame(std::string("\x93") + static_cast<char>(kind) + uint32(seq) + '\xa8' + method +
                     uint32(us));
}
std::string cancel(std::uint32_t seq) {
  return test::frame(std::string("\x92") + static_cast<char>(kCancel) + uint32(seq));
}

// Of a frame's header, [kind, number, status code if it is an error].
struct Answer {
  int kind = -1;
  std::uint64_t number = 0;
  int code = 0;

  explicit Answer(const std::string& frame) {
    std::size_t at = 1;  // behind the array's head
    kind = static_cast<int>(next(frame, at));
    number = next(frame, at);
    if (kind == kError) code = static_cast<int>(next(frame, at));
  }

 private:
  static std::uint64_t next(const std::string& frame, std::size_t& at) {
    const auto head = static_cast<unsigned char>(frame.at(at++));
    if (head < 0x80) return head;
    if (head < 0xcc || head > 0xcf) throw std::runtime_error("not an unsigned integer");
    std::uint64_t value = 0;
    for (int bytes = 1 << (head - 0xcc); bytes > 0; --bytes) {
      value = value << 8 | static_cast<unsigned char>(frame.at(at++));
    }
    return value;
  }
};

// ---- The server.

// How many handlers run at once, and how many ever ran.
struct Work {
  std::atomic<int> running{0}, most{0}, begun{0};

  void begin() {
    ++begun;
    const int now = ++running;
    int max = most;
    while (now > max && !most.compare_exchange_weak(max, now)) {
    }
  }
  void end() { --running; }
};

// Work.For is deaf to cancellation, Work.Nap is not.
geerpc::Address serve(Server& server, Work& work) {
  server.add("Work.For", [&work](unsigned us) {
    work.begin();
    if (us != 0) std::this_thread::sleep_for(std::chrono::microseconds(us));
    work.end();
    return us;
  });
  server.add("Work.Nap", [&work](const Context& context, unsigned us) {
    work.begin();
    context.sleep_for(std::chrono::microseconds(us));
    work.end();
    return us;
  });
  return server.listen("tcp@127.0.0.1:0");
}

struct Totals {
  std::uint64_t calls = 0, errors = 0, in_flight = 0;
};
Totals totals(const Server& server) {
  Totals sum;
  for (const auto& service : server.stats()) {
    for (const auto& method : service.methods) {
      sum.calls += method.calls;
      sum.errors += method.errors;
      sum.in_flight += method.in_flight;
    }
  }
  return sum;
}

// ---- The client.

// Most are fast, the others take 0 to 6 ms: below, around and above what the monitor lets pass.
unsigned duration(Dice& dice) { return dice.one_in(6) ? dice(6001) : 0; }

// Requests 1 … n with cancellations among them, in pieces of all sizes.
class Sender {
 public:
  explicit Sender(unsigned who) : dice_(who) {}

  // Every `notify_one_in`th is one that gets no reply; 0: none is.
  void send(RawSocket& peer, std::uint32_t n, unsigned notify_one_in) {
    std::string bytes;
    for (std::uint32_t seq = 1; seq <= n; ++seq) {
      const bool silent = notify_one_in != 0 && dice_.one_in(notify_one_in);
      if (silent) ++notified;
      bytes += request(silent ? kNotify : kRequest, seq, dice_.one_in(2) ? "Work.For" : "Work.Nap",
                       duration(dice_));
      wants_reply.push_back(!silent);
      if (dice_.one_in(8)) bytes += cancel(seq - dice_((std::min)(seq, 8u)));
      if (dice_.one_in(4) || seq == n) {
        const std::size_t piece = dice_.one_in(4) ? dice_(static_cast<unsigned>(bytes.size())) : 0;
        if (!peer.try_send_all(bytes.substr(0, piece))) return;
        dice_.dawdle(200);
        if (!peer.try_send_all(bytes.substr(piece))) return;
        bytes.clear();
        dice_.dawdle(500);
      }
    }
  }

  std::vector<bool> wants_reply;  // by number, from 1 on
  std::uint64_t notified = 0;

 private:
  Dice dice_;
};

// What came back on one connection.
struct Answers {
  std::map<std::uint64_t, int> replies;  // how many, by request
  std::map<int, std::uint64_t> codes;    // how many errors, by code
  std::uint64_t errors = 0;
  bool said_goodbye = false;
  std::uint64_t requests_read = 0;

  void add(const Answer& answer) {
    if (answer.kind == kGoaway) {
      said_goodbye = true;
      requests_read = answer.number;
      return;
    }
    if (answer.kind == kError) {
      ++errors;
      ++codes[answer.code];
    }
    ++replies[answer.number];
  }
  std::uint64_t of(StatusCode code) const {
    const auto found = codes.find(static_cast<int>(code));
    return found == codes.end() ? 0 : found->second;
  }
};

// Every one of the first `n` requests that wants a reply has exactly one, and nobody else has.
std::string miscounted(const Answers& answers, const std::vector<bool>& wants_reply,
                       std::uint64_t n) {
  std::map<std::uint64_t, int> rest = answers.replies;
  for (std::uint64_t seq = 1; seq <= n; ++seq) {
    const int expected = wants_reply.at(seq - 1) ? 1 : 0;
    const auto found = rest.find(seq);
    const int got = found == rest.end() ? 0 : found->second;
    if (got != expected) {
      return "request " + std::to_string(seq) + " has " + std::to_string(got) + " replies";
    }
    rest.erase(seq);
  }
  return rest.empty() ? "" : "a reply to " + std::to_string(rest.begin()->first);
}

}  // namespace

TEST_CASE("slow calls beside fast ones, late and cancelled: exactly one reply for each") {
  GEERPC_SHOW_SEED();
  constexpr std::uint32_t kCalls = 500;
  for (const std::size_t limit : {1u, 2u, 8u, 128u}) {
    CAPTURE(limit);
    ServerOptions options;
    options.max_calls_per_connection = limit;
    if (limit != 2) options.max_handle_time = 4ms;
    Server server(options);
    Work work;
    const auto address = serve(server, work);
    RawSocket peer(address.str());
    Sender sender(static_cast<unsigned>(limit));
    peer.send_all(test::kFrameOption);
    std::thread sending([&] { sender.send(peer, kCalls, 0); });
    Answers answers;
    test::Complaints complaints;
    try {
      for (std::uint32_t i = 0; i < kCalls; ++i) answers.add(Answer(test::recv_frame(peer)));
    } catch (const std::exception& error) {
      complaints.add(error.what());
    }
    sending.join();
    CHECK(complaints.text() == "");
    CHECK(miscounted(answers, sender.wants_reply, kCalls) == "");
    // A second reply to any of them would come before this one at the latest.
    CHECK(test::eventually([&] { return server.calls_in_flight() == 0; }));
    peer.send_all(request(kRequest, kCalls + 1, "Work.For", 0));
    CHECK(Answer(test::recv_frame(peer)).number == kCalls + 1);
    CHECK(answers.errors == answers.of(StatusCode::deadline_exceeded));
    if (limit == 2) CHECK(answers.errors == 0);
    CHECK(work.begun == kCalls + 1);
    CHECK(work.most <= static_cast<int>(limit));
    const Totals sum = totals(server);
    CHECK(sum.calls == kCalls + 1);
    CHECK(sum.errors == answers.errors);
    CHECK(sum.in_flight == 0);
  }
}

TEST_CASE("a server that stops among slow calls has replied to exactly what it says it read") {
  GEERPC_SHOW_SEED();
  constexpr std::uint32_t kCalls = 400;
  for (unsigned round = 0; round < 16; ++round) {
    CAPTURE(round);
    Dice dice(round);
    ServerOptions options;
    options.max_calls_per_connection = 1 + dice(6);
    if (dice.one_in(2)) options.max_handle_time = 4ms;
    Server server(options);
    Work work;
    const auto address = serve(server, work);
    RawSocket peer(address.str());
    Sender sender(100 + round);
    Answers answers;
    test::Complaints complaints;
    peer.send_all(test::kFrameOption);
    std::thread sending([&] { sender.send(peer, kCalls, 10); });
    std::thread stopping([&, enough = static_cast<int>(dice(kCalls / 2)),
                          drain = std::chrono::milliseconds(dice(12))] {
      test::eventually([&] { return work.begun >= enough; });
      if (server.stop(drain) != 0) complaints.add("a handler was left behind");
    });
    try {
      while (!answers.said_goodbye) answers.add(Answer(test::recv_frame(peer)));
    } catch (const std::exception& error) {
      complaints.add(error.what());
    }
    stopping.join();
    sending.join();
    CHECK(complaints.text() == "");
    CHECK(answers.said_goodbye);
    CHECK(miscounted(answers, sender.wants_reply, answers.requests_read) == "");
    CHECK(answers.errors ==
          answers.of(StatusCode::deadline_exceeded) + answers.of(StatusCode::unavailable));
    // Refused ones did not run; whether a notify was refused nobody is told.
    const Totals sum = totals(server);
    CHECK(sum.calls == static_cast<std::uint64_t>(work.begun));
    const std::uint64_t certain = answers.requests_read - answers.of(StatusCode::unavailable);
    CHECK(sum.calls <= certain);
    CHECK(sum.calls + sender.notified >= certain);
    CHECK(sum.in_flight == 0);
    CHECK(work.running == 0);
    CHECK(test::eventually([&] { return server.calls_in_flight() == 0; }));
  }
}

TEST_CASE("many connections with slow calls share the server's limit, and none is starved") {
  GEERPC_SHOW_SEED();
  ServerOptions options;
  options.max_calls = 5;
  options.max_calls_per_connection = 3;
  options.max_handle_time = 5ms;
  Server server(options);
  Work work;
  const auto address = serve(server, work);
  Tally tally;
  std::atomic<int> refused{0};
  test::in_threads(8, tally.complaints, [&](unsigned i) {
    Dice dice(i);
    Client client(address);
    std::vector<std::pair<geerpc::Future<unsigned>, unsigned>> window;
    for (int k = 0; k < 400; ++k) {
      geerpc::CancelSource source;
      Context context = Context::with_cancel(source.token());
      if (dice.one_in(3)) context.set_timeout(std::chrono::microseconds(500 + dice(5000)));
      const unsigned us = duration(dice);
      const char* const method = dice.one_in(2) ? "Work.For" : "Work.Nap";
      window.emplace_back(client.async<unsigned>(context, method, us), us);
      if (dice.one_in(8)) source.cancel();
      if (window.size() <= dice(8)) continue;
      for (auto& [future, expected] : window) {
        const Result<unsigned> result = future.try_get();
        if (result.code() == StatusCode::resource_exhausted) ++refused;
        tally.count(
            result, expected,
            {StatusCode::deadline_exceeded, StatusCode::cancelled, StatusCode::resource_exhausted});
      }
      window.clear();
    }
    // Whatever was refused before, there is room again for who asks patiently.
    const auto served = [&] { return client.try_call<unsigned>("Work.For", 0u).ok(); };
    if (!test::eventually(served)) tally.complaints.add("starved");
  });
  CHECK(tally.complaints.text() == "");
  CHECK(tally.right > 100);
  CHECK(work.most <= 5);
  CHECK(test::eventually([&] { return server.calls_in_flight() == 0; }));
  const Totals sum = totals(server);
  CHECK(sum.calls == static_cast<std::uint64_t>(work.begun));
  CHECK(sum.in_flight == 0);
}
