// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Peers that come and go: in each state, in crowds, killed; and a server without descriptors left.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <vector>

#include "../support/child.hpp"
#include "serving.hpp"

using namespace std::chrono_literals;
using geerpc::CancelReason;
using geerpc::Client;
using test::Args;
using test::eventually;
using test::frame;
using test::json_request;
using test::kFrameOption;
using test::kJsonOption;
using test::kSumFrame;
using test::kSumReply;
using test::RawSocket;
using test::Serving;

namespace {

const std::string kWaitFrame = frame(std::string("\x93\x00\x01\xab", 4) + "Wait.Cancel" + "\xc0");
const std::string kBytesFrame = frame(std::string("\x93\x00\x01\xaa", 4) + "Echo.Bytes" +
                                      std::string("\xce\x01\x00\x00\x00", 5));

// Calls a method and waits until it is killed.
const test::ChildFunction call_for_ever("server-call-for-ever",
                                        [](const std::vector<std::string>& arguments) {
                                          Client client(arguments.at(0));
                                          client.call<void>(arguments.at(1));
                                          return 1;
                                        });

// Serves with few descriptors; prints the address, and "ok" once it could serve again.
const test::ChildFunction serve_without_descriptors(
    "server-without-descriptors", [](const std::vector<std::string>&) {
      Serving serving;
      // UBSan looks at each type with a pipe of its own the first time: let it have done so.
      if (Client(serving.address).call<int>("Foo.Sum", Args{1, 2}) != 3) return 2;
      if (!serving.only_connections(0)) return 3;
      rlimit limit{};
      ::getrlimit(RLIMIT_NOFILE, &limit);
      limit.rlim_cur = test::open_descriptors() + 3;
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
      std::cout << serving.address.str() << std::endl;
      std::string line;
      std::getline(std::cin, line);  // until all the peers are here
      std::cout << serving.server.connections() << std::endl;
      std::getline(std::cin, line);
      return 0;
    });

}  // namespace

TEST_SUITE("server peers") {
  TEST_CASE("a peer may vanish in each state") {
    Serving serving;
    REQUIRE(serving.serves_others());
    const std::string connect = "CONNECT /_geeprc_ HTTP/1.0\n\n";
    const std::string json = json_request("Foo.Sum", 1, "{\"Num1\":1}");
    struct State {
      const char* name;
      std::string sent;
      std::size_t received;
    };
    const std::vector<State> states = {
        {"connected", "", 0},
        {"in a CONNECT", connect.substr(0, 10), 0},
        {"behind CONNECT", connect, 10},
        {"in an option", kJsonOption.substr(0, 30), 0},
        {"behind an option", kFrameOption, 0},
        {"in a length", kFrameOption + kSumFrame.substr(0, 2), 0},
        {"in a frame", kFrameOption + kSumFrame.substr(0, 9), 0},
        {"in a JSON header", kJsonOption + json.substr(0, 9), 0},
        {"between JSON header and body", kJsonOption + json.substr(0, json.find('\n')), 0},
        {"in a JSON body", kJsonOption + json.substr(0, json.size() - 3), 0},
        {"with a reply on the way", kFrameOption + kSumFrame, 0},
        {"in a reply", kFrameOption + kSumFrame, 3},
        {"in a large reply", kFrameOption + kBytesFrame, 1},
        {"in large replies", kFrameOption + kBytesFrame + kBytesFrame + kBytesFrame, 1},
        {"in a slow call", kFrameOption + kWaitFrame, 0},
        {"in a slow call and a frame", kFrameOption + kWaitFrame + kSumFrame.substr(0, 9), 0},
    };
    for (const State& state : states) {
      CAPTURE(state.name);
      for (const bool hard : {false, true}) {
        CAPTURE(hard);
        RawSocket peer(serving.address.str());
        peer.send_all(state.sent);
        const bool slow = std::string_view(state.name).substr(0, 14) == "in a slow call";
        if (slow) REQUIRE(eventually([&] { return serving.waiting == 1; }));
        if (state.received != 0) CHECK(peer.recv_exact(state.received).size() == state.received);
        if (hard) {
          peer.reset();
        } else {
          peer.close();
        }
        CHECK(serving.only_connections(1));
        CHECK(eventually([&] { return serving.server.calls_in_flight() == 0; }));
        if (slow) CHECK(serving.reason.exchange(CancelReason::none) == CancelReason::client_gone);
      }
    }
    CHECK(serving.serves_others());
  }

  TEST_CASE("a client process killed in mid-call cancels its call, and harms no other") {
    Serving serving;
    REQUIRE(serving.serves_others());
    test::Child child("server-call-for-ever", {serving.address.str(), "Wait.Cancel"});
    REQUIRE(eventually([&] { return serving.waiting == 1; }));
    child.kill();
    CHECK(eventually([&] { return serving.waiting == 0; }));
    CHECK(serving.reason == CancelReason::client_gone);
    CHECK(serving.only_connections(1));
    CHECK(serving.serves_others());
  }

  TEST_CASE("1,000 connections opened and dropped leave no descriptor and no thread behind") {
    Serving serving;
    REQUIRE(serving.serves_others());
    REQUIRE(serving.only_connections(1));
    const std::size_t descriptors = test::open_descriptors(), threads = test::running_threads();
    constexpr std::size_t spares = 4;  // threads that the server keeps for the next connections
    for (int round = 0; round < 5; ++round) {
      std::vector<std::unique_ptr<RawSocket>> peers;
      for (int i = 0; i < 200; ++i) {
        peers.push_back(std::make_unique<RawSocket>(serving.address.str()));
        if (i % 2 == 0) peers.back()->send_all(kFrameOption + kSumFrame);
      }
      for (std::size_t i = 0; i < peers.size(); i += 2) {
        CHECK(peers[i]->recv_exact(kSumReply.size()) == kSumReply);
      }
      for (std::size_t i = 0; i < peers.size(); ++i) {
        if (i % 3 == 0) peers[i]->reset();
      }
    }
    CHECK(serving.only_connections(1));
    CHECK(eventually([&] { return test::open_descriptors() == descriptors; }));
    CHECK(eventually([&] { return test::running_threads() <= threads + spares; }));
    CHECK(serving.serves_others());
  }

  TEST_CASE("50 calls that took too long leave no thread behind, and their handlers hear of it") {
    Serving serving;
    REQUIRE(serving.serves_others());
    const std::size_t threads = test::running_threads();
    constexpr std::size_t spares = 4 + 2;  // those that wait for further work, and the client's own
    geerpc::ClientOptions options;
    options.handle_timeout = 10ms;
    geerpc::Client client(serving.address, options);
    std::vector<geerpc::Future<void>> calls;
    for (int i = 0; i < 50; ++i) calls.push_back(client.async<void>("Wait.Cancel"));
    for (auto& call : calls) {
      CHECK(call.try_get().code() == geerpc::StatusCode::deadline_exceeded);
    }
    CHECK(eventually([&] { return serving.waiting == 0; }));
    CHECK(serving.reason == CancelReason::deadline);
    CHECK(eventually([&] { return test::running_threads() <= threads + spares; }));
  }

  TEST_CASE("a server without descriptors left accepts again when there are some") {
    test::Child child("server-without-descriptors");
    const std::string address = child.read_line();
    // Three are served; the others stand in the queue.
    std::vector<std::unique_ptr<RawSocket>> peers;
    for (int i = 0; i < 8; ++i) {
      peers.push_back(std::make_unique<RawSocket>(address));
      peers.back()->send_all(kFrameOption + kSumFrame);
    }
    std::size_t served = 0;
    for (auto& peer : peers) {
      if (served == 2) break;
      CHECK(peer->recv_exact(kSumReply.size()) == kSumReply);
      ++served;
    }
    CHECK(peers.back()->silent_for(50ms));
    child.write_line("count");
    const std::string connections = child.read_line();
    CHECK(std::stoi(connections) < 8);
    // Each one that goes makes room for the next.
    for (auto& peer : peers) {
      if (served < 8 && peer == peers[served]) {
        CHECK(peer->recv_exact(kSumReply.size()) == kSumReply);
        ++served;
      }
      peer->close();
    }
    CHECK(served == 8);
    child.write_line("end");
    CHECK(child.wait() == 0);
  }

  TEST_CASE("an idle connection's thread holds no stack that only a handler needed") {
    Serving serving;
    std::atomic<char*> deep{nullptr};
    serving.server.add("Deep.Call", [&deep] {
      volatile char block[256 << 10];
      for (std::size_t i = 0; i < sizeof block; i += 1024) block[i] = 1;
      deep = const_cast<char*>(block);
    });
    const auto resident = [&deep] {
      const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
      const auto address = reinterpret_cast<std::uintptr_t>(deep.load()) & ~(page - 1);
      unsigned char state = 0;
      REQUIRE(::mincore(reinterpret_cast<void*>(address), 1, &state) == 0);
      return (state & 1) != 0;
    };
    Client client(serving.address);
    client.call<void>("Deep.Call");
    CHECK(eventually([&] { return !resident(); }));
    client.call<void>("Deep.Call");
    CHECK(client.call<int>("Foo.Sum", Args{1, 2}) == 3);
    CHECK(eventually([&] { return !resident(); }));
  }
}
