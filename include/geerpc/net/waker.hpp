// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Waker: ends another thread's poll.

#ifndef GEERPC_NET_WAKER_HPP
#define GEERPC_NET_WAKER_HPP

#include <cerrno>  // errno

#include <unistd.h>

#include <geerpc/base/error.hpp>
#include <geerpc/net/socket.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// A pipe whose reading end becomes readable at wake() and stays so until drain(). Thread-safe.
class Waker {
 public:
  // Throws Error(resource_exhausted) when the process has no descriptors left.
  Waker() {
    int ends[2];
    if (open_pipe(ends) != 0) {
      throw Error(StatusCode::resource_exhausted, "create a pipe: " + errno_text(errno))
          .never_ran();
    }
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
  }

  int fd() const noexcept { return read_end_.get(); }

  void wake() const noexcept {
    const char byte = 0;
    // A full pipe is as good as one more byte.
    while (::write(write_end_.get(), &byte, 1) < 0 && errno == EINTR) {
    }
  }
  void drain() const noexcept {
    char bytes[64];
    while (::read(read_end_.get(), bytes, sizeof bytes) > 0) {
    }
  }

 private:
  FileDescriptor read_end_, write_end_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_WAKER_HPP
