// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The helpers that other tests trust.

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <thread>

#include "child.hpp"
#include "raw_socket.hpp"
#include "temp_dir.hpp"

namespace {

const test::ChildFunction echo("support.echo", [](const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) std::cout << argument << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) std::cout << "got " << line << std::endl;
  return 7;
});

void check_conversation(const std::string& address) {
  test::RawListener listener(address);
  test::RawSocket client(listener.address());
  test::RawSocket server = listener.accept();
  client.send_all("hello world\r\n\r\nrest");
  CHECK(server.recv_exact(6) == "hello ");
  CHECK(server.recv_until("\r\n\r\n") == "world\r\n\r\n");
  client.half_close();
  CHECK(server.recv_all() == "rest");
  server.send_all("bye");
  server.close();
  CHECK(client.recv_some() == "bye");
  CHECK(client.wait_closed());
}

}  // namespace

TEST_CASE("raw sockets talk over IPv4, unix paths and abstract names") {
  check_conversation("tcp@127.0.0.1:0");
  test::TempDir dir;
  check_conversation("unix@" + dir.file("s"));
  check_conversation("unix@@" + dir.path());
}

TEST_CASE("a raw socket gives up on a silent peer") {
  test::RawListener listener;
  test::RawSocket client(listener.address());
  test::RawSocket server = listener.accept();
  CHECK(client.silent_for(std::chrono::milliseconds(10)));
  CHECK_THROWS_AS(client.recv_exact(1, std::chrono::milliseconds(10)), std::runtime_error);
  CHECK_FALSE(client.wait_closed(std::chrono::milliseconds(10)));
}

TEST_CASE("a reset reaches the peer as an error") {
  test::RawListener listener;
  test::RawSocket client(listener.address());
  test::RawSocket server = listener.accept();
  server.reset();
  CHECK_THROWS_AS(client.recv_all(), std::system_error);
}

TEST_CASE("sending fills the buffers of a peer that does not read, then gives up") {
  test::RawListener listener;
  test::RawSocket client(listener.address(), 4096);
  test::RawSocket server = listener.accept();
  const std::string much(64 << 20, 'x');
  CHECK_THROWS_AS(server.send_all(much, std::chrono::milliseconds(50)), std::runtime_error);
}

TEST_CASE("a child gets arguments and lines, answers, and gives its exit code") {
  test::Child child("support.echo", {"one", "two words"});
  CHECK(child.read_line() == "one");
  CHECK(child.read_line() == "two words");
  child.write_line("three");
  CHECK(child.read_line() == "got three");
  child.close_input();
  CHECK(child.wait() == 7);
}

TEST_CASE("a child can be killed, and is gone then") {
  test::Child child("support.echo", {"up"});
  CHECK(child.read_line() == "up");
  child.signal(SIGKILL);
  CHECK(child.wait() == -SIGKILL);
  CHECK_THROWS_AS(child.read_line(), std::runtime_error);
}

TEST_CASE("a temporary folder disappears with its contents") {
  std::string path;
  {
    test::TempDir dir;
    path = dir.path();
    std::ofstream(dir.file("x")) << "x";
    CHECK(std::ifstream(path + "/x").good());
  }
  CHECK_FALSE(std::ifstream(path + "/x").good());
}

TEST_CASE("eventually sees what another thread does, and ends") {
  std::atomic<bool> done{false};
  std::thread other([&] { done = true; });
  CHECK(test::eventually([&] { return done.load(); }));
  other.join();
  CHECK_FALSE(test::eventually([] { return false; }, std::chrono::milliseconds(5)));
}
