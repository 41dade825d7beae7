// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// client_main: a client program, for a Connection as harness.hpp describes it.
//
//   <client> PORT WORK [MODE] [key=value...]
//
// says "ready" when its connections stand and each has made a call, or "unsupported: <reason>", and
// then takes commands from its standard input until that ends:
//
//   run MILLISECONDS        make calls for that long     both answer with one line of JSON
//   calls N                 make N calls per thread

#ifndef BENCH_HARNESS_CLIENT_MAIN_HPP
#define BENCH_HARNESS_CLIENT_MAIN_HPP

#include <csignal>      // signal
#include <cstdio>       // fflush, printf
#include <iostream>     // cin
#include <memory>       // make_unique
#include <stdexcept>    // invalid_argument
#include <string>       // getline, stoi, stoul, string
#include <thread>       // sleep_for
#include <type_traits>  // is_constructible_v, void_t
#include <utility>      // declval

#include <harness/arguments.hpp>
#include <harness/callbacks.hpp>
#include <harness/loops.hpp>

namespace bench {
namespace detail {

struct AnyCallback {
  void operator()(bool) const {}
};

template <class Connection, class = void>
constexpr bool has_callbacks_v = false;
template <class Connection>
constexpr bool has_callbacks_v<
    Connection,
    std::void_t<decltype(std::declval<Connection&>().echo_async(std::string(), AnyCallback()))>> =
    true;

template <class Connection, class = void>
constexpr bool has_futures_v = false;
template <class Connection>
constexpr bool
    has_futures_v<Connection, std::void_t<decltype(std::string(
                                  std::declval<Connection&>().echo_future(std::string()).get()))>> =
        true;

template <class Connection>
std::unique_ptr<Connection> connect(int port, const std::string& mode) {
  if constexpr (std::is_constructible_v<Connection, int, std::string>) {
    return std::make_unique<Connection>(port, mode);
  } else {
    if (!mode.empty()) throw std::invalid_argument("this client has no mode " + mode);
    return std::make_unique<Connection>(port);
  }
}

// Obeys commands until there are no more. `loop` makes the calls.
template <class Loop>
int obey(Loop&& loop) {
  std::printf("ready\n");
  std::fflush(stdout);
  Latencies latencies;
  for (std::string line; std::getline(std::cin, line);) {
    Limit limit;
    if (line.rfind("run ", 0) == 0) {
      limit.time = std::chrono::milliseconds(std::stoul(line.substr(4)));
    } else if (line.rfind("calls ", 0) == 0) {
      limit.calls = std::stoul(line.substr(6));
    } else {
      throw std::invalid_argument("this is no command: " + line);
    }
    latencies.clear();
    const Clock::duration time = loop.run(limit, latencies);
    print_figures(latencies, time);
  }
  return 0;
}

// Connections that are there and do nothing.
struct Silence {
  Clock::duration run(const Limit& limit, Latencies&) {
    if (limit.time == Clock::duration::max()) return {};
    std::this_thread::sleep_for(limit.time);
    return limit.time;
  }
};

inline int unsupported(const std::string& reason) {
  std::printf("unsupported: %s\n", reason.c_str());
  return 0;
}

template <class Connection>
int run_client(int port, const Work& work, const std::string& mode) {
  const bool shared = work.kind == "shared" || work.kind == "slow";
  if (shared && !Connection::kShared) {
    return unsupported("one call at a time on a connection");
  }
  if (work.kind == "pipe" && !has_futures_v<Connection>) return unsupported("no futures");
  if (work.kind == "pipecb" && !has_callbacks_v<Connection>) return unsupported("no callbacks");

  Connections<Connection> connections;
  const bool several = work.kind == "threads" || work.kind == "connections";
  for (std::size_t i = 0; i < (several ? work.count : 1); ++i) {
    connections.push_back(connect<Connection>(port, mode));
    Caller(0).call(*connections.back());
  }

  Connection& first = *connections.front();
  if (work.kind == "connections") return obey(Silence());
  if (work.kind == "threads" || work.kind == "shared") {
    return obey(Threads<Connection>(connections, work.count, work.size));
  }
  if (work.kind == "slow") return obey(BesideSlow<Connection>(first, work.size));
  if constexpr (has_futures_v<Connection>) {
    if (work.kind == "pipe") return obey(Futures<Connection>(first, work.count, work.size));
  }
  if constexpr (has_callbacks_v<Connection>) {
    if (work.kind == "pipecb") return obey(Callbacks<Connection>(first, work.count, work.size));
  }
  return obey(Sequence<Connection>(first, work.size));
}

}  // namespace detail

template <class Connection>
int client_main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const Arguments arguments(argc, argv);
    const int port = std::stoi(arguments.word(0));
    return detail::run_client<Connection>(port, Work(arguments.word(1)), arguments.word(2));
  } catch (const std::exception& error) {
    fail(error.what());
  }
}

}  // namespace bench

#endif  // BENCH_HARNESS_CLIENT_MAIN_HPP
