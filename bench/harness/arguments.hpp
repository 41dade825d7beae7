// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The command lines of the benchmark's programs.

#ifndef BENCH_HARNESS_ARGUMENTS_HPP
#define BENCH_HARNESS_ARGUMENTS_HPP

#include <cstddef>    // size_t
#include <map>        // map
#include <stdexcept>  // invalid_argument
#include <string>     // stoul, string
#include <vector>     // vector

namespace bench {

// key=value in any place; the other words in their order.
struct Arguments {
  Arguments(int argc, const char* const* argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        words.push_back(word);
      } else {
        options[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
  }

  // "" past the last word.
  std::string word(std::size_t index) const { return index < words.size() ? words[index] : ""; }

  std::size_t option(const std::string& key, std::size_t otherwise) const {
    const auto found = options.find(key);
    return found == options.end() ? otherwise : std::stoul(found->second);
  }

  std::vector<std::string> words;
  std::map<std::string, std::string> options;
};

// What a client is to do, e.g. "threads:16:1024".
struct Work {
  explicit Work(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
      if (c == ':') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    kind = parts[0];
    std::size_t expected = 1;
    if (kind == "echo") {
      expected = 2;
      if (parts.size() == 2) size = std::stoul(parts[1]);
    } else if (kind == "connections") {
      expected = 2;
      if (parts.size() == 2) count = std::stoul(parts[1]);
    } else if (kind == "threads" || kind == "shared" || kind == "pipe" || kind == "pipecb") {
      expected = 3;
      if (parts.size() == 3) count = std::stoul(parts[1]), size = std::stoul(parts[2]);
    } else if (kind == "slow") {
      size = 16;
    } else if (kind != "add") {
      expected = 0;
    }
    if (parts.size() != expected || count == 0) {
      throw std::invalid_argument("this is no work: " + text);
    }
  }

  std::string kind;
  std::size_t count = 1;  // threads, connections, or calls in flight
  std::size_t size = 0;   // bytes of Echo; 0: Add
};

}  // namespace bench

#endif  // BENCH_HARNESS_ARGUMENTS_HPP
