// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A server to be tested, and peers that speak to it in literal bytes.

#ifndef GEERPC_TESTS_SERVER_SERVING_HPP
#define GEERPC_TESTS_SERVER_SERVING_HPP

#include <geerpc/geerpc.hpp>

#include <dirent.h>

#include <atomic>              // atomic
#include <chrono>              // milliseconds
#include <condition_variable>  // condition_variable
#include <cstdint>             // uint32_t
#include <initializer_list>    // initializer_list
#include <mutex>               // mutex
#include <stdexcept>           // runtime_error
#include <string>              // string, to_string
#include <string_view>         // string_view
#include <utility>             // move

#include "../support/eventually.hpp"
#include "../support/raw_socket.hpp"

namespace test {

struct Args {
  int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

struct Foo {
  int Sum(const Args& args) const { return args.Num1 + args.Num2; }
};
GEERPC_SERVICE(Foo, Sum)

// Holds handlers back until it is opened.
class Gate {
 public:
  // For the handler: waits until open; ignores its cancellation.
  void pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
    changed_.notify_all();
  }
  void open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // True once that many handlers wait.
  bool wait_for(int waiting) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return waiting_ == waiting; });
  }
  int waiting() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return waiting_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

// A server with a few methods, and a well-behaved client that was there before whatever happens.
//   Foo.Sum(Args) int       Echo.Text(string) string     Echo.Bytes(int n) string, n bytes long
//   Wait.Gate() bool        until `gate` opens
//   Wait.Cancel(Context)    until it is cancelled; `reason` is then why
class Serving {
 public:
  explicit Serving(geerpc::ServerOptions options = {},
                   const geerpc::Address& at = "tcp@127.0.0.1:0")
      : server(std::move(options)) {
    server.add(Foo{});
    server.add("Echo.Text", [](std::string text) { return text; });
    server.add("Echo.Bytes", [](int n) { return std::string(static_cast<std::size_t>(n), 'x'); });
    server.add("Wait.Gate", [this] {
      gate.pass();
      return true;
    });
    server.add("Wait.Cancel", [this](const geerpc::Context& context) {
      ++waiting;
      while (!context.cancelled()) context.sleep_for(std::chrono::seconds(60));
      reason = context.reason();
      --waiting;
    });
    address = server.listen(at);
  }
  ~Serving() { gate.open(); }

  // True if a client that was not there before and the one that was both get their answers.
  bool serves_others() {
    if (!bystander) bystander = std::make_unique<geerpc::Client>(address);
    geerpc::Client fresh(address);
    return fresh.call<int>("Foo.Sum", Args{1, 2}) == 3 &&
           bystander->call<int>("Foo.Sum", Args{3, 4}) == 7;
  }
  // The same, after the other's connection was made anew to be sure that only `n` are left.
  bool only_connections(std::size_t n) {
    return eventually([&] { return server.connections() == n; });
  }

  std::uint64_t calls(std::string_view method) const { return stats(method).calls; }
  // Those whose answers are written, if not sent.
  std::uint64_t ended(std::string_view method) const {
    const geerpc::MethodStats now = stats(method);
    return now.calls - now.in_flight;
  }
  geerpc::MethodStats stats(std::string_view method) const {
    for (const auto& service : server.stats()) {
      for (const auto& each : service.methods) {
        if (service.name + '.' + each.name == method) return each;
      }
    }
    throw std::runtime_error("no method " + std::string(method));
  }

  Gate gate;
  std::atomic<int> waiting{0};
  std::atomic<geerpc::CancelReason> reason{geerpc::CancelReason::none};
  geerpc::Address address;
  geerpc::Server server;
  std::unique_ptr<geerpc::Client> bystander;
};

// ---- What a peer sends, byte for byte.

inline const std::string kJsonOption =
    "{\"MagicNumber\":3927900,\"CodecType\":\"application/json\",\"ConnectTimeout\":0,"
    "\"HandleTimeout\":0}\n";
inline const std::string kFrameOption =
    "{\"MagicNumber\":3927900,\"CodecType\":\"application/msgpack\",\"ConnectTimeout\":0,"
    "\"HandleTimeout\":0}\n";

// "{"ServiceMethod":"Foo.Sum","Seq":1,"Error":""}" and the body, a line each.
inline std::string json_request(const std::string& method, int seq, const std::string& body) {
  return "{\"ServiceMethod\":\"" + method + "\",\"Seq\":" + std::to_string(seq) +
         ",\"Error\":\"\"}\n" + body + "\n";
}
inline std::string json_reply(const std::string& method, int seq, const std::string& body) {
  return json_request(method, seq, body);
}
inline std::string json_error(const std::string& method, int seq, const std::string& text) {
  return "{\"ServiceMethod\":\"" + method + "\",\"Seq\":" + std::to_string(seq) + ",\"Error\":\"" +
         text + "\"}\n{}\n";
}

// `content` behind its length.
inline std::string frame(std::string_view content) {
  const auto n = static_cast<std::uint32_t>(content.size());
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(n >> shift & 0xff);
  return bytes.append(content);
}
// The content of the next frame.
inline std::string recv_frame(RawSocket& peer) {
  const std::string length = peer.recv_exact(4);
  std::size_t n = 0;
  for (const char c : length) n = n << 8 | static_cast<unsigned char>(c);
  return peer.recv_exact(n);
}

// Foo.Sum({Num1: 3, Num2: 4}) with seq 1, and its answer 7.
inline const std::string kSumFrame =
    std::string("\x00\x00\x00\x18\x93\x00\x01\xa7", 8) + "Foo.Sum" + "\x82\xa4Num1\x03\xa4Num2\x04";
inline const std::string kSumReply("\x00\x00\x00\x04\x92\x01\x01\x07", 8);

// ---- What this process holds.

inline std::size_t entries_of(const char* folder) {
  DIR* const dir = ::opendir(folder);
  if (dir == nullptr) fail_with_errno(folder);
  std::size_t n = 0;
  while (::readdir(dir) != nullptr) ++n;
  ::closedir(dir);
  return n;
}
inline std::size_t open_descriptors() { return entries_of("/proc/self/fd"); }
inline std::size_t running_threads() { return entries_of("/proc/self/task"); }

}  // namespace test

#endif  // GEERPC_TESTS_SERVER_SERVING_HPP
