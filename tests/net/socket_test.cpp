// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Listening, dialling, and the outbox.

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "../support/own_host.hpp"
#include "../support/raw_socket.hpp"
#include "../support/temp_dir.hpp"

using namespace std::chrono_literals;
using geerpc::Address;
using geerpc::Error;
using geerpc::StatusCode;
using geerpc::detail::Listener;
using geerpc::detail::Outbox;
using geerpc::detail::Socket;
using geerpc::detail::SteadyClock;
using geerpc::detail::Waker;
using test::RawListener;
using test::RawSocket;
using test::TempDir;

namespace {

Socket dial(const Address& address, std::chrono::nanoseconds time = 10s) {
  const Waker never;
  return geerpc::detail::dial(address, SteadyClock::now() + time, never);
}

Error dial_error(const Address& address, std::chrono::nanoseconds time = 10s) {
  try {
    dial(address, time);
  } catch (const Error& error) {
    CHECK_FALSE(error.may_have_run());
    return error;
  }
  FAIL("dialled " << address.str());
  return Error(StatusCode::ok, "");
}

Error listen_error(const Address& address) {
  try {
    Listener listener(address);
  } catch (const Error& error) {
    return error;
  }
  FAIL("listens on " << address.str());
  return Error(StatusCode::ok, "");
}

// False on machines, e.g. containers, whose loopback device has no IPv6 address.
bool has_ipv6() {
  try {
    RawListener listener("tcp@[::1]:0");
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

// True if a connection reaches this listener. `peer` is whom it sees.
bool reaches(const Address& to, const Listener& listener, Address& peer) {
  const Waker stop;
  const Socket client = dial(to);
  if (client.send_now("x", 1).bytes != 1) return false;
  char byte = 0;
  // Who tried in vain to listen on a unix socket has looked whether it is alive, and gone again.
  for (int i = 0; i < 2 && byte != 'x'; ++i) {
    Socket accepted;
    REQUIRE(listener.accept(stop, accepted, peer) == 0);
    accepted.receive(&byte, 1);
  }
  return byte == 'x';
}

}  // namespace

TEST_SUITE("sockets") {
  TEST_CASE("port 0 gives a port of one's own, and everybody who can be dialled is reached") {
    for (const char* text : {"tcp@127.0.0.1:0", "tcp@localhost:0", "tcp@[::1]:0", "tcp@:0",
                             "tcp@0.0.0.0:0", "tcp@[::]:0", "http@127.0.0.1:0"}) {
      CAPTURE(text);
      if (!has_ipv6() && Address(text).host().find(':') != std::string::npos) continue;
      const Listener listener{Address(text)};
      CHECK(listener.address().port() != 0);
      CHECK(listener.address().scheme() == Address(text).scheme());
      Address peer;
      CHECK(reaches(listener.address(), listener, peer));
      CHECK(peer.scheme() == Address::Scheme::tcp);
      CHECK(peer.port() != listener.address().port());
    }
  }

  TEST_CASE("localhost is this machine, whatever the system's tables say") {
    const geerpc::detail::Waker never;
    for (const char* host : {"localhost", "LocalHost.", "a.b.localhost"}) {
      const Address address("tcp@" + std::string(host) + ":7");
      const auto found = geerpc::detail::resolve(address, SteadyClock::now(), never);
      REQUIRE_FALSE(found.empty());
      for (const auto& target : found) {
        const Address loopback = geerpc::detail::to_address(target, Address::Scheme::tcp);
        CHECK((loopback.str() == "tcp@127.0.0.1:7" || loopback.str() == "tcp@[::1]:7"));
      }
    }
    CHECK_FALSE(geerpc::detail::is_localhost("notlocalhost"));
    CHECK_FALSE(geerpc::detail::is_localhost("localhost.example"));
    CHECK_FALSE(geerpc::detail::is_localhost("host"));
  }

  TEST_CASE("an empty host listens for IPv4 and IPv6") {
    const Listener listener{Address("tcp@:0")};
    Address peer;
    CHECK(reaches(Address("tcp@127.0.0.1:0").with_port(listener.address().port()), listener, peer));
    if (has_ipv6()) {
      CHECK(reaches(Address("tcp@[::1]:0").with_port(listener.address().port()), listener, peer));
    }
    CHECK(reaches(Address("tcp@:0").with_port(listener.address().port()), listener, peer));
  }

  TEST_CASE("a port has one listener") {
    const Listener listener{Address("tcp@127.0.0.1:0")};
    const Error error = listen_error(listener.address());
    CHECK(error.code() == StatusCode::unavailable);
    CHECK(error.cause() == "listen on " + listener.address().str() + ": address already in use");
  }

  TEST_CASE("a port is free again at once, although a connection was just closed") {
    Address address, peer;
    {
      const Listener first{Address("tcp@127.0.0.1:0")};
      address = first.address();
      const Waker stop;
      RawSocket client(address.str());
      Socket accepted;
      REQUIRE(first.accept(stop, accepted, peer) == 0);
      accepted.close();  // this side closes first and so is the one in TIME_WAIT
      CHECK(client.wait_closed());
    }
    const Listener second{address};
    CHECK(reaches(address, second, peer));
  }

  TEST_CASE("what can't be listened on is an error with the system's reason") {
    CHECK(listen_error("tcp@192.0.2.1:0").cause() ==
          "listen on tcp@192.0.2.1:0: cannot assign requested address");
    CHECK(listen_error("unix@/no/such/folder/socket").cause() ==
          "listen on unix@/no/such/folder/socket: no such file or directory");
  }

  TEST_CASE("a unix socket is reached by its path, which goes with the listener") {
    TempDir dir;
    const Address address("unix@" + dir.file("socket"));
    {
      const Listener listener(address);
      CHECK(listener.address() == address);
      Address peer;
      CHECK(reaches(address, listener, peer));
      CHECK(peer == address);
    }
    struct stat found;
    CHECK(::lstat(address.path().c_str(), &found) != 0);
  }

  TEST_CASE("a socket file that a dead server left is replaced, a living one's is not") {
    TempDir dir;
    const Address address("unix@" + dir.file("socket"));
    RawListener dead(address.str());
    CHECK(listen_error(address).cause() ==
          "listen on " + address.str() + ": address already in use");
    dead.close();
    const Listener listener(address);
    Address peer;
    CHECK(reaches(address, listener, peer));
    CHECK(listen_error(address).code() == StatusCode::unavailable);
    CHECK(reaches(address, listener, peer));
  }

  TEST_CASE("a file that is no socket is never removed") {
    TempDir dir;
    const Address address("unix@" + dir.file("notes"));
    std::ofstream(address.path()) << "important";
    CHECK(listen_error(address).code() == StatusCode::unavailable);
    std::string word;
    std::ifstream(address.path()) >> word;
    CHECK(word == "important");
  }

  TEST_CASE("a listener does not remove the socket file of its successor") {
    TempDir dir;
    const Address address("unix@" + dir.file("socket"));
    auto first = std::make_unique<Listener>(address);
    REQUIRE(::unlink(address.path().c_str()) == 0);
    const Listener second(address);
    first.reset();
    Address peer;
    CHECK(reaches(address, second, peer));
  }

  TEST_CASE("an abstract name needs no file, and has one listener") {
    const Address address("unix@@geerpc-socket-test-" + std::to_string(::getpid()));
    const Listener listener(address);
    Address peer;
    CHECK(reaches(address, listener, peer));
    CHECK(listen_error(address).code() == StatusCode::unavailable);
  }

  TEST_CASE("accept ends when it is told to") {
    const Listener listener{Address("tcp@127.0.0.1:0")};
    const Waker stop;
    std::thread waker([&] { stop.wake(); });
    Socket socket;
    Address peer;
    CHECK(listener.accept(stop, socket, peer) == ECANCELED);
    waker.join();
  }

  TEST_CASE("a dial that fails says where and why, and that nothing ran") {
    const std::string dead = RawListener(test::own_address()).address();
    const Error refused = dial_error(dead);
    CHECK(refused.code() == StatusCode::unavailable);
    CHECK(refused.cause() == "dial " + dead + ": connection refused");
    const Error missing = dial_error("unix@/no/such/socket");
    CHECK(missing.code() == StatusCode::unavailable);
    CHECK(missing.cause() == "dial unix@/no/such/socket: no such file or directory");
    // Unknown, or on a machine without a name server: no answer.
    const Error unknown = dial_error("tcp@no-such-host.invalid:80", 2s);
    CHECK((unknown.code() == StatusCode::unavailable ||
           unknown.code() == StatusCode::deadline_exceeded));
    CHECK(unknown.cause().find("dial tcp@no-such-host.invalid:80: look up host") == 0);
  }

  TEST_CASE("a dial for which this process has no descriptor left says nothing about the server") {
    RawListener listener;
    const Waker never;
    rlimit before, few;
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = before;
    few.rlim_cur = 256;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    std::vector<test::Fd> all;
    StatusCode code = StatusCode::ok;
    // Again if it connects: a look-up that an earlier test gave up ends some time, and lets its
    // descriptors go.
    for (int i = 0; i < 100 && code == StatusCode::ok; ++i) {
      do {
        all.emplace_back(::dup(never.fd()));
      } while (all.back().get() >= 0);
      try {
        geerpc::detail::dial(listener.address(), SteadyClock::now() + 10s, never);
      } catch (const Error& error) {
        code = error.code();
      }
    }
    all.clear();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(code == StatusCode::resource_exhausted);
  }

  TEST_CASE(
      "a socket that was connected to itself found nobody, and leaves the port to its server") {
    for (const std::string& host : {test::own_address(), std::string("tcp@[::1]:0")}) {
      if (!has_ipv6() && Address(host).host() == "::1") continue;
      const Address dead(RawListener(host).address());
      const test::SocketAddress own(dead.str());
      const Waker never;
      const auto targets = geerpc::detail::resolve(dead, SteadyClock::now(), never);
      REQUIRE(targets.size() == 1);
      {
        // The system would give it that port once in many times.
        const Socket socket(::socket(own.family(), SOCK_STREAM, 0));
        REQUIRE(::bind(socket.fd(), own.get(), own.size) == 0);
        CHECK(geerpc::detail::connect_socket(socket, targets[0], SteadyClock::now() + 10s, never) ==
              ECONNREFUSED);
      }
      const Listener server(dead);
      Address peer;
      CHECK(reaches(dead, server, peer));
    }
  }

  TEST_CASE("a dial ends at its deadline, and when it is told to") {
    // A queue of length 0 that is full: the kernel drops what comes.
    RawListener full("tcp@127.0.0.1:0", 0);
    std::vector<Socket> queued;
    bool timed_out = false;
    for (int i = 0; i < 10 && !timed_out; ++i) {
      try {
        queued.push_back(dial(full.address(), 100ms));
      } catch (const Error& error) {
        CHECK(error.code() == StatusCode::deadline_exceeded);
        CHECK(error.cause() == "dial " + full.address() + ": no answer in time");
        timed_out = true;
      }
    }
    REQUIRE(timed_out);
    const Waker abort;
    std::thread waker([&] { abort.wake(); });
    try {
      geerpc::detail::dial(full.address(), SteadyClock::now() + 60s, abort);
      FAIL("connected");
    } catch (const Error& error) {
      CHECK(error.code() == StatusCode::cancelled);
    }
    waker.join();
  }

  TEST_CASE("small messages are not held back, and child processes do not inherit connections") {
    const Listener listener{Address("tcp@127.0.0.1:0")};
    const Socket dialled = dial(listener.address());
    const Waker stop;
    Socket accepted;
    Address peer;
    REQUIRE(listener.accept(stop, accepted, peer) == 0);
    CHECK((::fcntl(stop.fd(), F_GETFD) & FD_CLOEXEC) != 0);
    for (const int fd : {dialled.fd(), accepted.fd()}) {
      int on = 0;
      socklen_t size = sizeof on;
      CHECK(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
      CHECK(on == 1);
      CHECK(::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size) == 0);
      CHECK(on == 1);
      CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
      CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    }
  }

  TEST_CASE("signals do not end what waits") {
    struct sigaction action {
    }, before;
    action.sa_handler = [](int) {};  // without SA_RESTART: system calls end with EINTR
    REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
    RawListener listener;
    const Socket socket = dial(listener.address());
    RawSocket peer = listener.accept();
    std::atomic<int> ended{0};
    std::thread receiver([&] {
      char byte = 0;
      CHECK(socket.receive(&byte, 1).bytes == 1);
      ++ended;
      CHECK(socket.wait_readable(SteadyClock::now() + 60s));
      ++ended;
    });
    for (int i = 0; i < 2; ++i) {
      for (int signals = 0; signals < 20; ++signals) {
        REQUIRE(::pthread_kill(receiver.native_handle(), SIGUSR1) == 0);
        CHECK_FALSE(test::eventually([&] { return ended != i; }, 1ms));
      }
      peer.send_all("x");
      CHECK(test::eventually([&] { return ended > i; }));
    }
    receiver.join();
    ::sigaction(SIGUSR1, &before, nullptr);
  }

  TEST_CASE("sending to a peer that is gone is an error and no signal") {
    RawListener listener;
    const Socket socket = dial(listener.address());
    listener.accept().reset();
    struct sigaction action;
    REQUIRE(::sigaction(SIGPIPE, nullptr, &action) == 0);
    const bool untouched = action.sa_handler == SIG_DFL;
    CHECK(untouched);  // it would kill this program
    Socket::Transfer sent{1, 0};
    while (sent.bytes > 0) sent = socket.send_now("x", 1);
    CHECK((sent.error == EPIPE || sent.error == ECONNRESET));
    while (socket.send_now("x", 1).bytes > 0) {
    }
  }

  TEST_CASE("a peer that takes a little now and then is not waited for without end") {
    RawListener listener;
    const Socket socket = dial(listener.address());
    RawSocket peer = listener.accept();
    const std::string bytes(1 << 16, 'x');
    while (socket.send_now(bytes.data(), bytes.size()).bytes > 0) {
    }
    std::atomic<bool> over{false};
    // Each read makes room for more, and we send as much as it takes.
    std::thread drip([&] {
      while (!over) {
        peer.recv_some();
        while (!over && socket.send_now(bytes.data(), bytes.size()).bytes > 0) {
        }
      }
    });
    const auto begin = test::Clock::now();
    socket.wait_delivered(200ms, 400ms);
    const auto took = test::Clock::now() - begin;
    over = true;
    drip.join();
    CHECK(took >= 200ms);
    CHECK(took < 10s);
  }

  TEST_CASE("an outbox keeps what does not fit, and what comes meanwhile, in order") {
    RawListener listener;
    const Socket socket = dial(listener.address());
    RawSocket peer = listener.accept();
    Outbox outbox(socket, 1000);
    std::string expected;
    int blocked = 0;
    for (int i = 0; i < 200; ++i) {
      const std::string block(100000, static_cast<char>('a' + i % 26));
      expected += block;
      outbox.append([&](geerpc::Buffer& out) { out.append(block); });
      const auto give_up = [&] { return ++blocked, false; };
      const auto result = outbox.flush(give_up);
      CHECK((result == Outbox::Result::sent || result == Outbox::Result::gave_up));
    }
    REQUIRE(blocked > 0);
    CHECK(outbox.needs_flush());
    CHECK_FALSE(outbox.wait_for_room(SteadyClock::now()));
    std::thread reader([&] { CHECK(peer.recv_exact(expected.size()) == expected); });
    const auto wait = [&] { return socket.wait_writable(SteadyClock::now() + 30s); };
    CHECK(outbox.flush(wait) == Outbox::Result::sent);
    CHECK(outbox.wait_for_room(SteadyClock::now()));
    CHECK_FALSE(outbox.needs_flush());
    reader.join();
  }

  TEST_CASE("lent bytes leave in their place, however little the socket takes at once") {
    RawListener listener;
    const Socket socket = dial(listener.address());
    test::RawSocket peer = listener.accept();
    Outbox outbox(socket, 64u << 20);
    const std::string large(16u << 20, 'l');
    const auto write = [&](geerpc::Buffer& out) {
      out.append("<");
      out.append_lent(large);
    };
    SUBCASE("sent at once, while others append") {
      bool appended = false;
      const auto wait = [&] {
        if (!appended) outbox.append([](geerpc::Buffer& out) { out.append(">"); });
        appended = true;
        return socket.wait_writable(SteadyClock::now() + 30s);
      };
      std::thread reader([&] { CHECK(peer.recv_exact(large.size() + 2) == "<" + large + ">"); });
      CHECK(outbox.append_and_flush(write, 0, wait) == Outbox::Result::sent);
      CHECK(appended);
      reader.join();
    }
    SUBCASE("copied when the sender gives up, and when something is appended behind them") {
      const auto never = [] { return false; };
      CHECK(outbox.append_and_flush(write, 0, never) == Outbox::Result::gave_up);
      const auto write_more = [&](geerpc::Buffer& out) {
        write(out);
        out.append("|");
        write(out);
        out.append(">");
      };
      CHECK(outbox.append_and_flush(write_more, 0, never) == Outbox::Result::gave_up);
      const std::string expected = "<" + large + "<" + large + "|<" + large + ">";
      std::thread reader([&] { CHECK(peer.recv_exact(expected.size()) == expected); });
      const auto wait = [&] { return socket.wait_writable(SteadyClock::now() + 30s); };
      CHECK(outbox.flush(wait) == Outbox::Result::sent);
      reader.join();
    }
    SUBCASE("taken back with the message that they belong to") {
      const auto fails = [&](geerpc::Buffer& out) {
        write(out);
        out.truncate(0);
        throw std::runtime_error("no");
      };
      const auto never = [] { return false; };
      CHECK_THROWS(outbox.append_and_flush(fails, 0, never));
      CHECK_FALSE(outbox.needs_flush());
    }
  }

  TEST_CASE("a sender may leave little for others to send, and is told when too much is queued") {
    RawListener listener;
    const Socket socket = dial(listener.address());
    test::RawSocket peer = listener.accept();
    Outbox outbox(socket, 10);
    const auto never = [] { return false; };
    const auto four = [](geerpc::Buffer& out) { out.append("four"); };
    CHECK(outbox.append_and_flush(four, 100, never) == Outbox::Result::queued);
    CHECK_FALSE(outbox.looks_forgotten());  // the first look
    CHECK(outbox.looks_forgotten());
    CHECK(outbox.append_and_flush(four, 100, never) == Outbox::Result::queued);
    CHECK(outbox.append_and_flush(four, 100, never) == Outbox::Result::queued);
    CHECK(outbox.append_and_flush(four, 100, never) == Outbox::Result::full);
    CHECK(outbox.flush(never) == Outbox::Result::sent);
    CHECK(peer.recv_exact(12) == "fourfourfour");
    CHECK_FALSE(outbox.looks_forgotten());
  }

  TEST_CASE("an outbox whose peer is gone is broken for good") {
    RawListener listener;
    const Socket socket = dial(listener.address());
    listener.accept().reset();
    REQUIRE(test::eventually([&] { return socket.looks_dead(); }));
    Outbox outbox(socket, 1000);
    const auto never = [] { return false; };
    CHECK(test::eventually([&] {
      return outbox.append_and_flush([](geerpc::Buffer& out) { out.append("x"); }, 0, never) ==
             Outbox::Result::broken;
    }));
    CHECK(outbox.error() != 0);
    CHECK_FALSE(outbox.needs_flush());
    CHECK(outbox.flush(never) == Outbox::Result::broken);
  }
}
