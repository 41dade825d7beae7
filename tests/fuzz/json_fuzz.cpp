// JSON: values, and GeeRPC's stream in both directions, with and without our additional fields.

#include <geerpc/protocol/wires.hpp>

#include "values.hpp"
#include "wires.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = as_text(data, size);
  values::round_trips(geerpc::json_codec(), input);
  for (const bool extended : {false, true}) {
    for (const auto side : {wires::Wire::Side::server, wires::Wire::Side::client}) {
      const auto make = [&] {
        return geerpc::detail::make_wire(geerpc::json_codec(), wires::limits(), side, extended);
      };
      wires::read_in_pieces(make, input);
    }
  }
  return 0;
}
