// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The sessions in data/: what a GeeRPC client and server, written in Go, said to each other. For
// each there are the bytes of either direction, and a description of the steps in JSON.

#ifndef GEERPC_TESTS_INTEROP_RECORDED_HPP
#define GEERPC_TESTS_INTEROP_RECORDED_HPP

#include <cstdint>    // uint64_t
#include <fstream>    // ifstream
#include <iterator>   // istreambuf_iterator
#include <map>        // map
#include <sstream>    // istringstream
#include <stdexcept>  // runtime_error
#include <string>     // string
#include <vector>     // vector

#include <nlohmann/json.hpp>

namespace interop {

inline std::string read_data(const std::string& name) {
  std::ifstream file(GEERPC_TEST_DATA "/interop/data/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("can't read " + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A header and a body, each without its newline.
struct Message {
  std::string header, body;
  bool operator==(const Message& other) const {
    return header == other.header && body == other.body;
  }
  nlohmann::json field(const char* name) const { return nlohmann::json::parse(header).at(name); }
  std::uint64_t seq() const { return field("Seq").get<std::uint64_t>(); }
};
inline std::ostream& operator<<(std::ostream& out, const Message& message) {
  return out << message.header << ' ' << message.body;
}

inline std::vector<Message> parse_messages(const std::string& text) {
  std::vector<Message> messages;
  std::istringstream lines(text);
  Message message;
  while (std::getline(lines, message.header) && std::getline(lines, message.body)) {
    messages.push_back(message);
  }
  return messages;
}

struct Step {
  std::string label;
  std::string from_client, from_server;
  nlohmann::json calls;  // method, args, reply, error, …
};

struct Session {
  std::string from_client, from_server;
  std::vector<Step> steps;  // the first is the handshake

  explicit Session(const std::string& script, const std::string& protocol = "geerpc-json")
      : from_client(read_data(protocol + "-" + script + ".c2s.bin")),
        from_server(read_data(protocol + "-" + script + ".s2c.bin")) {
    const auto description = nlohmann::json::parse(read_data(protocol + "-" + script + ".json"));
    for (const auto& entry : description.at("Steps")) {
      Step step;
      step.label = entry.at("label").get<std::string>();
      step.from_client = cut(from_client, entry.at("c2s"));
      step.from_server = cut(from_server, entry.at("s2c"));
      step.calls = entry.at("calls");
      steps.push_back(std::move(step));
    }
  }

 private:
  static std::string cut(const std::string& bytes, const nlohmann::json& range) {
    return bytes.substr(range.at(0).get<std::size_t>(), range.at(1).get<std::size_t>());
  }
};

}  // namespace interop

#endif  // GEERPC_TESTS_INTEROP_RECORDED_HPP
