// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HttpTunnel: stands between a httplib::Client and the server that it talks to, for one exchange.
//
// Why: cpp-httplib looks up names without a time limit, its timeouts are per read, it can't be
// cancelled, and versions before 0.20 read header lines of any length. Through the tunnel an
// exchange ends at its deadline or cancellation, costs a bounded amount of memory, and fails with
// its cause. Since the tunnel's end stays open until the client is done, no write of cpp-httplib
// raises SIGPIPE.

#ifndef GEERPC_HTTP_TUNNEL_HPP
#define GEERPC_HTTP_TUNNEL_HPP

#include <cctype>       // tolower
#include <cstddef>      // size_t
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <thread>       // thread
#include <utility>      // move

#include <geerpc/base/context.hpp>
#include <geerpc/net/dialer.hpp>
#include <geerpc/net/listener.hpp>
#include <geerpc/net/private_path.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

class HttpTunnel {
 public:
  // Dials `to`. Throws Error: unavailable, deadline_exceeded or cancelled.
  HttpTunnel(const Context& context, const Address& to)
      : deadline_(context.deadline()),
        on_cancel_(context.cancel_token(), [this] { cancelled_.wake(); }),
        remote_(dial(to, deadline_, cancelled_)),
        listener_(Address("unix@" + path_.str())),
        thread_([this] { run(); }) {}
  HttpTunnel(const HttpTunnel&) = delete;
  HttpTunnel& operator=(const HttpTunnel&) = delete;
  ~HttpTunnel() { finish(); }

  // Of the unix socket that the client is to connect to.
  const std::string& path() const noexcept { return path_.str(); }

  // Call it when the client is done. Returns why the exchange failed, if the tunnel knows.
  const std::optional<Error>& finish() {
    finished_.wake();
    if (thread_.joinable()) thread_.join();
    return error_;
  }

  // After finish(): whether the answer has such a header; `name` in lower case. cpp-httplib drops
  // headers without a value.
  bool answer_has_header(const std::string& name) const {
    return head_.find('\n' + name + ':') != head_.npos;
  }

 private:
  // cpp-httplib matches the status line with std::regex, which recurses for every character.
  static constexpr std::size_t kMaxStatusLine = 512;
  static constexpr std::size_t kMaxHeaderLine = 8192;  // cpp-httplib's own limit
  static constexpr std::size_t kMaxHead = 64 << 10;
  static constexpr std::size_t kMaxAnswer = 8 << 20;

  void run() {
    try {
      Address client;
      // The client connects at once; the cancellation waits until it has.
      const int error = listener_.accept(finished_, local_, client);
      if (error == ECANCELED) return;
      if (error != 0) throw Error(StatusCode::unavailable, errno_text(error));
      pump();
    } catch (const Error& error) {
      error_ = error;
    }
    if (local_) local_.shutdown_writing();
  }

  // Until the client is done or the server closes.
  void pump() {
    char bytes[16 << 10];
    for (;;) {
      pollfd fds[4] = {{cancelled_.fd(), POLLIN, 0},
                       {finished_.fd(), POLLIN, 0},
                       {local_.fd(), POLLIN, 0},
                       {remote_.fd(), POLLIN, 0}};
      if (!wait(fds)) return;
      if (fds[2].revents != 0) {
        const Socket::Transfer got = local_.receive_now(bytes, sizeof bytes);
        if (got.bytes == 0 || (got.bytes < 0 && !would_block(got.error))) return;
        if (got.bytes > 0 && !send(remote_, bytes, static_cast<std::size_t>(got.bytes))) return;
      }
      if (fds[3].revents != 0) {
        const Socket::Transfer got = remote_.receive_now(bytes, sizeof bytes);
        if (got.bytes < 0 && would_block(got.error)) continue;
        if (got.bytes < 0) throw Error(StatusCode::unavailable, errno_text(got.error));
        if (got.bytes == 0 && received_ == 0) {
          throw Error(StatusCode::unavailable, "the connection was closed without an answer");
        }
        if (got.bytes == 0) return;
        check({bytes, static_cast<std::size_t>(got.bytes)});
        if (!send(local_, bytes, static_cast<std::size_t>(got.bytes))) return;
      }
    }
  }

  // False once the client is done.
  template <std::size_t N>
  bool wait(pollfd (&fds)[N]) const {
    if (!poll_until(fds, deadline_)) {
      throw Error(StatusCode::deadline_exceeded, "no answer in time");
    }
    if (fds[0].revents != 0) throw Error(StatusCode::cancelled, "cancelled");
    return fds[1].revents == 0;
  }

  bool send(const Socket& to, const char* bytes, std::size_t n) const {
    while (n != 0) {
      const Socket::Transfer sent = to.send_now(bytes, n);
      if (sent.bytes >= 0) {
        bytes += sent.bytes;
        n -= static_cast<std::size_t>(sent.bytes);
        continue;
      }
      if (!would_block(sent.error)) throw Error(StatusCode::unavailable, errno_text(sent.error));
      pollfd fds[3] = {
          {cancelled_.fd(), POLLIN, 0}, {finished_.fd(), POLLIN, 0}, {to.fd(), POLLOUT, 0}};
      if (!wait(fds)) return false;
    }
    return true;
  }

  // Holds the answer to the limits.
  void check(std::string_view bytes) {
    const auto refuse = [](const std::string& cause) {
      throw Error(StatusCode::resource_exhausted, cause);
    };
    received_ += bytes.size();
    if (received_ > kMaxAnswer) refuse("the answer is too large");
    for (std::size_t i = 0; i < bytes.size() && in_head_; ++i) {
      head_ += static_cast<char>(std::tolower(static_cast<unsigned char>(bytes[i])));
      line_ += bytes[i] != '\r';
      if (bytes[i] == '\n') {
        in_head_ = line_ > 1;  // a blank line ends it
        in_status_ = false;
        line_ = 0;
      }
      if (line_ > (in_status_ ? kMaxStatusLine : kMaxHeaderLine)) {
        refuse(in_status_
                   ? "this is no HTTP server"
                   : "a header line of the answer is longer than " +
                         std::to_string(kMaxHeaderLine) +
                         " bytes; a Go registry puts all of its servers into one, some 370 fit");
      }
    }
    if (head_.size() > kMaxHead) refuse("the headers of the answer are too large");
  }

  const SteadyClock::time_point deadline_;
  const Waker cancelled_, finished_;
  const CancelCallback on_cancel_;
  const Socket remote_;
  const PrivatePath path_;
  const Listener listener_;

  // Used by the thread; by others after finish().
  Socket local_;
  std::string head_;  // of the answer, in lower case
  bool in_head_ = true, in_status_ = true;
  std::size_t line_ = 0;  // length of the head's line that is being received
  std::size_t received_ = 0;
  std::optional<Error> error_;

  std::thread thread_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_HTTP_TUNNEL_HPP
