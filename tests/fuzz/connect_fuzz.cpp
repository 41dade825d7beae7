// The first bytes of a connection, HTTP CONNECT, and the answer to it.

#include <string_view>

#include <geerpc/protocol/http_connect.hpp>
#include <geerpc/protocol/recognise.hpp>

#include "fuzz.hpp"

namespace {

using namespace geerpc::detail;

// Where the head ends; 0 if it does not, or is too long.
std::size_t head_end(std::string_view input, std::size_t piece) {
  std::size_t searched = 0;
  try {
    for (std::size_t there = piece;; there += piece) {
      const std::size_t end = find_http_head_end(input.substr(0, there), searched, 512);
      if (end != 0 || there >= input.size()) return end;
    }
  } catch (const geerpc::Error&) {
    return 0;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = as_text(data, size);

  // What is known once is not taken back.
  Opening opening{};
  for (std::size_t n = 0; n <= input.size() && n < 64; ++n) {
    const Opening now = recognise(input.substr(0, n));
    GEERPC_FUZZ_CHECK(opening == Opening::unknown || now == opening || n == 0);
    opening = now;
  }

  const std::size_t end = head_end(input, input.size() + 1);
  GEERPC_FUZZ_CHECK(end <= input.size());
  GEERPC_FUZZ_CHECK(head_end(input, 1) == end);
  GEERPC_FUZZ_CHECK(head_end(input, 3) == end);
  if (end == 0) return 0;
  GEERPC_FUZZ_CHECK(input[end - 1] == '\n');
  const std::string_view head = input.substr(0, end);
  const auto offer = [](std::string_view path) {
    return path == "/_geeprc_" ? kConnectedToGeeRpc : std::string_view();
  };
  const ConnectAnswer answer = answer_connect(head, offer);
  GEERPC_FUZZ_CHECK(answer.text.substr(0, 9) == "HTTP/1.0 ");
  GEERPC_FUZZ_CHECK((answer.text.substr(9, 4) == "200 ") == !answer.connected.empty());
  GEERPC_FUZZ_CHECK(answer.connected.empty() || head.find("/_geeprc_") != head.npos);
  try {
    check_connect_answer(head);
    GEERPC_FUZZ_CHECK(head.find("200") != head.npos);
  } catch (const geerpc::Error&) {
  }
  return 0;
}
