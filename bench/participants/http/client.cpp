// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// JSON-RPC 2.0 by HTTP POST, from a bare socket that is kept: hardly more than one send and one
// recv, so that what is measured is the server.

#include <cstddef>    // size_t
#include <cstdint>    // int32_t
#include <cstdlib>    // strtoul
#include <strings.h>  // strncasecmp

#include <stdexcept>    // runtime_error
#include <string>       // stoi, string, to_string
#include <string_view>  // string_view

#include <harness/harness.hpp>
#include <participants/raw/socket.hpp>

namespace {

class Connection {
 public:
  explicit Connection(int port) : socket_(raw::Socket::connected(port)) {}

  std::int32_t add(std::int32_t a, std::int32_t b) {
    return std::stoi(
        std::string(call("Bench.Add", std::to_string(a) + ',' + std::to_string(b), "}")));
  }
  // `text` consists of letters, which JSON has as they are.
  std::string echo(const std::string& text) {
    return std::string(call("Bench.Echo", '"' + text + '"', "\"}")).substr(1);
  }
  std::int32_t sleep(std::int32_t) { throw std::runtime_error("no method sleeps here"); }

  static constexpr bool kShared = false;

 private:
  // What stands between "result": and `end`, with which the answer ends.
  std::string_view call(const char* method, const std::string& params, std::string_view end) {
    body_ = R"({"jsonrpc":"2.0","id":1,"method":")";
    body_.append(method).append(R"(","params":[)").append(params).append("]}");
    request_ = "POST /jsonrpc HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
    request_ += "Content-Length: " + std::to_string(body_.size()) + "\r\n\r\n" + body_;
    socket_.send(request_.data(), request_.size());

    // Members stand in any order, "result" last in both servers' answers but for Go's line end.
    std::string_view answer = receive();
    if (!answer.empty() && answer.back() == '\n') answer.remove_suffix(1);
    constexpr std::string_view name = "\"result\":";
    const std::size_t at = answer.find(name);
    if (at == answer.npos || answer.size() < at + name.size() + end.size() ||
        answer.substr(answer.size() - end.size()) != end) {
      throw std::runtime_error("not a result: " + std::string(answer));
    }
    answer.remove_prefix(at + name.size());
    answer.remove_suffix(end.size());
    return answer;
  }

  // The body of the answer.
  std::string_view receive() {
    constexpr std::string_view name = "content-length:";
    input_.clear();
    std::size_t head = 0, length = 0;
    for (;;) {
      char buffer[16u << 10];
      const std::size_t got = socket_.receive(buffer, sizeof buffer);
      if (got == 0) throw std::runtime_error("the server closed the connection");
      input_.append(buffer, got);
      if (head == 0) {
        const std::size_t end = input_.find("\r\n\r\n");
        if (end == input_.npos) continue;
        head = end + 4;
        if (input_.compare(0, 12, "HTTP/1.1 200") != 0) throw std::runtime_error(input_);
        for (std::size_t line = 0; line < end; line = input_.find("\r\n", line) + 2) {
          if (strncasecmp(input_.data() + line, name.data(), name.size()) == 0) {
            length = std::strtoul(input_.data() + line + name.size(), nullptr, 10);
          }
        }
      }
      if (input_.size() == head + length) break;
      if (input_.size() > head + length) throw std::runtime_error("more than one answer");
    }
    return std::string_view(input_).substr(head);
  }

  raw::Socket socket_;
  std::string body_, request_, input_;
};

}  // namespace

int main(int argc, char** argv) { return bench::client_main<Connection>(argc, argv); }
