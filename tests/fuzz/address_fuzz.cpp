// An address that is accepted prints as text that parses to the same address.

#include <string>

#include <geerpc/net/address.hpp>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = geerpc::Address::try_parse(as_text(data, size));
  if (!parsed.ok()) return 0;
  const geerpc::Address& address = parsed.value();
  const geerpc::Address again(address.str());
  GEERPC_FUZZ_CHECK(again == address);
  GEERPC_FUZZ_CHECK(again.scheme() == address.scheme());
  GEERPC_FUZZ_CHECK(again.host() == address.host());
  GEERPC_FUZZ_CHECK(again.port() == address.port());
  GEERPC_FUZZ_CHECK(again.path() == address.path());
  GEERPC_FUZZ_CHECK(address.str().find_first_of(", \t\r\n") == std::string::npos);
  if (address.scheme() != geerpc::Address::Scheme::unix_socket) {
    GEERPC_FUZZ_CHECK(address.with_host(address.host()) == address);
    GEERPC_FUZZ_CHECK(address.with_port(1).with_port(address.port()) == address);
  }
  return 0;
}
