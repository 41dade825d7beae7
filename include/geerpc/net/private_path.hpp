// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// PrivatePath: a place for a unix socket that other users can't reach.

#ifndef GEERPC_NET_PRIVATE_PATH_HPP
#define GEERPC_NET_PRIVATE_PATH_HPP

#include <cerrno>   // errno
#include <cstdlib>  // getenv
#include <string>   // string

#include <stdlib.h>
#include <unistd.h>

#include <geerpc/base/error.hpp>
#include <geerpc/net/socket.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// A file name in a new directory that only this user may enter. Both are removed at the end.
class PrivatePath {
 public:
  // Throws Error(unavailable) if there is no place for the directory.
  PrivatePath() {
    const char* const chosen = std::getenv("TMPDIR");
    int error = ENOENT;
    // /dev/shm can be written where a container's own file system can't.
    for (const char* const parent : {chosen, "/tmp", "/dev/shm"}) {
      directory_ = std::string(parent == nullptr ? "" : parent) + "/geerpc-XXXXXX";
      if (parent == nullptr || directory_.size() > kLongest) continue;
      if (::mkdtemp(&directory_[0]) != nullptr) {
        file_ = directory_ + "/http";
        return;
      }
      error = errno;
    }
    throw Error(StatusCode::unavailable, "no directory for a socket: " + errno_text(error) +
                                             "; set TMPDIR to one that can be written");
  }
  PrivatePath(const PrivatePath&) = delete;
  PrivatePath& operator=(const PrivatePath&) = delete;
  ~PrivatePath() {
    ::unlink(file_.c_str());
    ::rmdir(directory_.c_str());
  }

  const std::string& str() const noexcept { return file_; }

 private:
  static constexpr std::size_t kLongest = 90;  // a unix socket's path has room for 103 bytes

  std::string directory_, file_;
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_PRIVATE_PATH_HPP
