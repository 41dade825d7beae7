// JSON-RPC 1.0 and 2.0: requests and batches as a server reads them, responses as clients do.

#include <geerpc/protocol/json_rpc_client_wire.hpp>
#include <geerpc/protocol/json_rpc_wire.hpp>

#include "wires.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace geerpc::detail;
  const std::string_view input = as_text(data, size);
  const auto server = [] {
    return std::unique_ptr<Wire>(new JsonRpcServerWire(wires::limits(), 10, 512));
  };
  wires::read_in_pieces(server, input);
  for (const JsonRpcVersion version : {JsonRpcVersion::one, JsonRpcVersion::two}) {
    const auto client = [&] {
      return std::unique_ptr<Wire>(new JsonRpcClientWire(wires::limits(), version));
    };
    wires::read_in_pieces(client, input);
  }
  return 0;
}
