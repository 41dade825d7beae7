// MessagePack: values, and our frames.

#include <geerpc/protocol/wires.hpp>

#include "values.hpp"
#include "wires.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = as_text(data, size);
  values::round_trips(geerpc::msgpack_codec(), input);
  const auto make = [] {
    return geerpc::detail::make_wire(geerpc::msgpack_codec(), wires::limits(),
                                     wires::Wire::Side::server, true);
  };
  wires::read_in_pieces(make, input);
  return 0;
}
