// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Acceptor: a listening socket and the thread that accepts on it.

#ifndef GEERPC_SERVER_ACCEPTOR_HPP
#define GEERPC_SERVER_ACCEPTOR_HPP

#include <algorithm>  // min
#include <chrono>     // milliseconds
#include <memory>     // shared_ptr
#include <thread>     // thread
#include <utility>    // move

#include <geerpc/net/listener.hpp>
#include <geerpc/server/core.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Accepts from construction to destruction.
class Acceptor {
 public:
  // Throws Error(unavailable) if the address can't be had. `only_http`: see ServerCore::accept().
  Acceptor(const Address& address, std::shared_ptr<ServerCore> core,
           std::shared_ptr<PlainHttp> only_http)
      : listener_(address),
        core_(std::move(core)),
        only_http_(std::move(only_http)),
        thread_([this] { run(); }) {}
  ~Acceptor() {
    stop_.wake();
    thread_.join();
  }

  const Address& address() const noexcept { return listener_.address(); }

 private:
  void run() {
    constexpr std::chrono::milliseconds shortest{5}, longest{1000};
    std::chrono::milliseconds pause = shortest;
    for (;;) {
      Socket socket;
      Address peer;
      const int error = listener_.accept(stop_, socket, peer);
      if (error == ECANCELED) return;
      if (error == 0) {
        accept(std::move(socket), peer);
        pause = shortest;
      } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
        // Out of descriptors or memory: it may pass, and asking at once again would not help.
        pollfd fds[1] = {{stop_.fd(), POLLIN, 0}};
        if (poll_until(fds, SteadyClock::now() + pause)) return;
        pause = (std::min)(2 * pause, longest);
      }
      // Anything else concerns the one connection that did not come about.
    }
  }

  void accept(Socket socket, const Address& peer) {
    try {
      core_->accept(std::move(socket), peer, only_http_);
    } catch (const std::exception&) {
      // Out of memory: this connection is closed, the next one may find some.
    }
  }

  const Waker stop_;
  const Listener listener_;
  const std::shared_ptr<ServerCore> core_;
  const std::shared_ptr<PlainHttp> only_http_;
  std::thread thread_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_ACCEPTOR_HPP
