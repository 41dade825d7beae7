// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A client that only sends, to a server that only replies: once the buffers between them are full,
// neither can go on unless one of them reads. Here the kernel's buffers hold next to nothing, and
// every message is much larger than both.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <dirent.h>

#include <memory>
#include <vector>

#include "../support/raw_socket.hpp"
#include "../support/temp_dir.hpp"
#include "load.hpp"

using geerpc::Client;
using geerpc::ClientOptions;
using geerpc::Future;
using geerpc::Result;
using geerpc::Server;
using geerpc::ServerOptions;
using test::Dice;
using test::Tally;

namespace {

// Whether one end of the socket is bound to that address.
template <class GetName>
bool has_name(int fd, const test::SocketAddress& address, GetName get_name) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  return get_name(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
         std::memcmp(&name, &address.storage, address.size) == 0;
}

// Makes the buffers of all sockets of this process that belong to the server at `address`, its
// clients' ones included, as small as the system allows. Returns how many sockets there are.
//
// So do the segments of TCP's connections that are yet to come: one that does not fit into the
// peer's window is held back by the kernel until a timer has run out, whoever reads.
int squeeze(const geerpc::Address& address) {
  const test::SocketAddress wanted(address.str());
  int squeezed = 0;
  DIR* const dir = ::opendir("/proc/self/fd");
  if (dir == nullptr) test::fail_with_errno("/proc/self/fd");
  while (const dirent* const entry = ::readdir(dir)) {
    const int fd = std::atoi(entry->d_name);
    if (!has_name(fd, wanted, ::getsockname) && !has_name(fd, wanted, ::getpeername)) continue;
    const int minimum = 1, segment = 512;  // the first is rounded up
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &minimum, sizeof minimum);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &minimum, sizeof minimum);
    if (wanted.family() != AF_UNIX) {
      ::setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    ++squeezed;
  }
  ::closedir(dir);
  return squeezed;
}

// A server that echoes texts, and a client, with small queues of their own between them.
struct Narrow {
  explicit Narrow(bool tcp) : server(server_options()) {
    server.add("Echo.Text", [](std::int64_t, std::string text) { return text; });
    server.add("Echo.Drop", [this](std::int64_t token, const std::string& text) {
      if (text == test::text_of(token, text.size())) ++dropped;
    });
    address = server.listen(tcp ? "tcp@127.0.0.1:0" : "unix@" + folder.file("socket"));
    (void)squeeze(address);  // first of all what listens: its connections inherit that
    ClientOptions options;
    options.max_queued_bytes = 256u << 10;
    client = std::make_unique<Client>(address, options);
    client->call<std::string>("Echo.Text", 0, std::string());
    sockets = squeeze(address);
  }
  static ServerOptions server_options() {
    ServerOptions options;
    options.max_queued_bytes = 64u << 10;
    return options;
  }

  test::TempDir folder;
  std::atomic<int> dropped{0};
  Server server;
  geerpc::Address address;
  std::unique_ptr<Client> client;
  int sockets = 0;
};

constexpr std::size_t kSize = 40u << 10;  // some ten to twenty times what a buffer holds

}  // namespace

TEST_CASE("with minimal socket buffers threads that only send get all their replies in the end") {
  GEERPC_SHOW_SEED();
  for (const bool tcp : {false, true}) {
    CAPTURE(tcp);
    Narrow narrow(tcp);
    CHECK(narrow.sockets == 3);  // what listens, and both ends of the connection
    Tally tally;
    std::atomic<int> sending{4};
    test::in_threads(4, tally.complaints, [&](unsigned who) {
      std::vector<std::pair<std::int64_t, Future<std::string>>> sent;
      for (int i = 0; i < 12; ++i) {
        const std::int64_t token = std::int64_t{who} * 100 + i;
        sent.emplace_back(token, narrow.client->async<std::string>("Echo.Text", token,
                                                                   test::text_of(token, kSize)));
      }
      // Nobody waits, and so reads, as long as anybody sends.
      --sending;
      while (sending != 0) std::this_thread::yield();
      for (auto& [token, future] : sent) {
        tally.count(future.try_get(), test::text_of(token, kSize));
      }
    });
    CHECK(tally.complaints.text() == "");
    CHECK(tally.right == 4 * 12);
  }
}

TEST_CASE("with minimal socket buffers callbacks come though nobody ever waits") {
  GEERPC_SHOW_SEED();
  for (const bool tcp : {false, true}) {
    CAPTURE(tcp);
    Narrow narrow(tcp);
    Tally tally;
    for (std::int64_t token = 1; token <= 40; ++token) {
      const std::string text = test::text_of(token, kSize);
      narrow.client->async<std::string>("Echo.Text", token, text)
          .then([&, text](const Result<std::string>& result) { tally.count(result, text); });
    }
    CHECK(test::eventually([&] { return tally.all() == 40; }));
    narrow.client->close();  // before the tally that the callbacks fill
    CHECK(tally.complaints.text() == "");
    CHECK(tally.right == 40);
  }
}

TEST_CASE(
    "with minimal socket buffers calls of all kinds at once wait for each other, not for ever") {
  GEERPC_SHOW_SEED();
  for (const bool tcp : {false, true}) {
    CAPTURE(tcp);
    Narrow narrow(tcp);
    Tally tally;
    std::atomic<int> notified{0};
    test::in_threads(6, tally.complaints, [&](unsigned who) {
      Dice dice(who);
      std::vector<std::pair<Future<std::string>, std::string>> window;
      const auto collect = [&] {
        for (auto& [future, text] : window) tally.count(future.try_get(), text);
        window.clear();
      };
      for (int i = 0; i < 12; ++i) {
        const std::int64_t token = std::int64_t{who} * 100 + i + 1;
        std::string text =
            test::text_of(token, dice.one_in(3) ? dice(300) : kSize + dice(unsigned{kSize}));
        switch (dice(4)) {
          case 0:
            tally.count(narrow.client->try_call<std::string>("Echo.Text", token, text), text);
            break;
          case 1:
            narrow.client->notify("Echo.Drop", token, text);
            ++notified;
            break;
          default: {
            auto future = narrow.client->async<std::string>("Echo.Text", token, text);
            window.emplace_back(std::move(future), std::move(text));
          }
        }
        if (window.size() > dice(6)) collect();
      }
      collect();
    });
    CHECK(test::eventually([&] { return narrow.dropped == notified; }));
    CHECK(tally.complaints.text() == "");
    CHECK(tally.failed == 0);
  }
}
