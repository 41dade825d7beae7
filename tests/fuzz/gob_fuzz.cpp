// gob: values, GeeRPC's stream and net/rpc, in both directions.

#include <geerpc/protocol/wires.hpp>

#include "values.hpp"
#include "wires.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = as_text(data, size);
  values::round_trips(geerpc::gob_codec(), input);
  for (const auto side : {wires::Wire::Side::server, wires::Wire::Side::client}) {
    const auto geerpc_wire = [&] {
      return geerpc::detail::make_wire(geerpc::gob_codec(), wires::limits(), side, true);
    };
    const auto net_rpc_wire = [&] {
      return geerpc::detail::make_net_rpc_wire(wires::limits(), side);
    };
    wires::read_in_pieces(geerpc_wire, input);
    wires::read_in_pieces(net_rpc_wire, input);
  }
  return 0;
}
