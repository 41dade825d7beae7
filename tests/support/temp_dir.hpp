// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// TempDir: an empty folder of one's own, gone with the object.

#ifndef GEERPC_TESTS_SUPPORT_TEMP_DIR_HPP
#define GEERPC_TESTS_SUPPORT_TEMP_DIR_HPP

#include <stdlib.h>  // mkdtemp

#include <cerrno>        // errno
#include <filesystem>    // remove_all
#include <string>        // string
#include <system_error>  // system_error

namespace test {

// Always below /tmp, whatever $TMPDIR says: the path of a unix socket has some 100 bytes.
class TempDir {
 public:
  TempDir() : path_("/tmp/geerpc-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "mkdtemp " + path_);
    }
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const noexcept { return path_; }
  // The path of a file or socket in it.
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace test

#endif  // GEERPC_TESTS_SUPPORT_TEMP_DIR_HPP
