// What a registry answers, as JSON: the list is the same after it was printed and read again.

#include <string>

#include <geerpc/registry/server_list_json.hpp>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  geerpc::ServerList list;
  try {
    list = geerpc::detail::parse_server_list(std::string(as_text(data, size)));
  } catch (const geerpc::Error&) {
    return 0;
  }
  std::string last;
  for (const geerpc::ServerInfo& server : list.servers) {
    const std::string address = server.address.str();
    GEERPC_FUZZ_CHECK(last.empty() || address != last);
    GEERPC_FUZZ_CHECK(address.find_first_of(", \t\r\n") == std::string::npos);
    last = address;
  }
  const std::string text = geerpc::detail::print_server_list(list);
  const geerpc::ServerList again = geerpc::detail::parse_server_list(text);
  GEERPC_FUZZ_CHECK(geerpc::detail::print_server_list(again) == text);
  return 0;
}
