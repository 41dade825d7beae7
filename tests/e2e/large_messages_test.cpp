// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Large messages in both directions at once: nobody waits for the other in a circle.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "../support/eventually.hpp"
#include "../support/temp_dir.hpp"

namespace {

std::string payload(int seed, std::size_t size) {
  std::string text(size, static_cast<char>('a' + seed % 26));
  text.replace(0, 8, std::to_string(10000000 + seed));
  return text;
}

struct TextServer {
  geerpc::Server server;
  test::TempDir dir;
  // Its buffers hold some 200 KiB, much less than those of TCP.
  geerpc::Address address;
  TextServer() {
    server.add("Echo.Text", [](std::string text) { return text; });
    server.add("Make.Text", [](std::size_t size) { return std::string(size, 'x'); });
    address = server.listen(geerpc::Address("unix@" + dir.file("socket")));
  }
};

geerpc::ClientOptions small_queues() {
  geerpc::ClientOptions options;
  options.max_queued_bytes = 100000;
  return options;
}

}  // namespace

TEST_CASE("several threads send and receive megabytes at once over one connection") {
  TextServer echo;
  geerpc::Client client(echo.address, small_queues());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 4; ++i) {
        const std::string text = payload(t * 100 + i, 3000000);
        CHECK((client.call<std::string>("Echo.Text", text) == text));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(echo.server.connections() == 1);
}

TEST_CASE("a client that only sends gets its replies from a server that only replies") {
  for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
    TextServer echo;
    geerpc::ClientOptions options = small_queues();
    options.codec = codec;
    geerpc::Client client(echo.address, options);
    std::vector<geerpc::Future<std::string>> futures;
    for (int i = 0; i < 60; ++i) {
      futures.push_back(client.async<std::string>("Echo.Text", payload(i, 300000)));
    }
    for (int i = 0; i < 60; ++i) {
      CHECK((futures[static_cast<std::size_t>(i)].get() == payload(i, 300000)));
    }
  }
}

TEST_CASE("many notifications and no reader stop neither side") {
  for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
    TextServer echo;
    geerpc::ClientOptions options = small_queues();
    options.codec = codec;
    geerpc::Client client(echo.address, options);
    for (int i = 0; i < 100; ++i) client.notify("Echo.Text", payload(i, 100000));
    CHECK((client.call<std::string>("Echo.Text", "end") == "end"));
  }
}

TEST_CASE("small calls get through beside large ones") {
  TextServer echo;
  geerpc::Client client(echo.address);
  std::atomic<bool> done{false};
  std::thread large([&] {
    for (int i = 0; i < 4; ++i) {
      CHECK((client.call<std::string>("Make.Text", 8u << 20).size() == 8u << 20));
    }
    done = true;
  });
  int small = 0;
  while (!done) {
    CHECK((client.call<std::string>("Echo.Text", "small") == "small"));
    ++small;
  }
  large.join();
  MESSAGE(small << " small calls beside 4 of 8 MiB");
  CHECK(small > 0);
}

TEST_CASE("a handler that takes long has its text for itself") {
  TextServer echo;
  std::promise<void> go;
  echo.server.add("Hold.Text", [gate = go.get_future().share()](std::string text) {
    gate.wait();
    return text;
  });
  geerpc::Client client(echo.address);
  auto held = client.async<std::string>("Hold.Text", payload(1, 1000000));
  for (int i = 2; i < 5; ++i) {
    const std::string text = payload(i, 1000000);
    CHECK((client.call<std::string>("Echo.Text", text) == text));
  }
  go.set_value();
  CHECK((held.get() == payload(1, 1000000)));
  CHECK(echo.server.connections() == 1);
}

TEST_CASE("who gives up in the midst of a text leaves the next caller where it was") {
  TextServer echo;
  geerpc::Client client(echo.address);
  std::size_t late = 0;
  for (int i = 0; i < 20; ++i) {
    const auto context = geerpc::Context::with_timeout(std::chrono::milliseconds(i));
    const auto made = client.try_call<std::string>(context, "Make.Text", 4u << 20);
    if (made.ok()) CHECK((made.value() == std::string(4u << 20, 'x')));
    late += !made.ok();
    const std::string text = payload(i, 200000);
    CHECK((client.call<std::string>("Echo.Text", text) == text));
  }
  MESSAGE(late << " of 20 gave up");
  CHECK(late > 0);  // at least the first one
  CHECK(echo.server.connections() == 1);
}
