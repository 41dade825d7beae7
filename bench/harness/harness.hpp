// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What the participants' programs share, so that all of them do the same work and count it alike.
//
// A client.cpp says how its library makes a call, and nothing else:
//
//   struct Connection {                                // one connection
//     explicit Connection(int port);                   // or (int port, const std::string& mode)
//     std::int32_t add(std::int32_t a, std::int32_t b);
//     std::string echo(const std::string& text);       // what came back, not what was sent
//     std::int32_t sleep(std::int32_t milliseconds);
//     static constexpr bool kShared = true;            // may several threads call at once?
//
//     // If the library has asynchronous calls:
//     template <class Done>                            // with callbacks: calls done(bool ok) once,
//     void echo_async(const std::string& text, Done);  // in any thread
//     SomeFuture echo_future(const std::string& text); // with futures: std::string .get()
//   };
//   int main(int argc, char** argv) { return bench::client_main<Connection>(argc, argv); }
//
// `text` stays as it is until the call has completed. Errors are exceptions: the program says what
// happened, and ends with 1. `mode` is the last word of the command line, "" if there is none.
//
// A server.cpp starts to listen on 127.0.0.1 and a free port, then returns what
//
//   bench::serve_until_stdin_ends(port)
//
// returns. bench::Arguments reads its command line: [MODE] [key=value...].

#ifndef BENCH_HARNESS_HARNESS_HPP
#define BENCH_HARNESS_HARNESS_HPP

#include <harness/arguments.hpp>
#include <harness/client_main.hpp>
#include <harness/server_main.hpp>

#endif  // BENCH_HARNESS_HARNESS_HPP
