// An option that is accepted is the same after it was written and read again, padded or not.

#include <chrono>
#include <string>

#include <geerpc/protocol/option.hpp>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using geerpc::detail::Option;
  Option option;
  try {
    option = geerpc::detail::parse_option(as_text(data, size));
  } catch (const geerpc::Error&) {
    return 0;
  }
  for (const bool for_go_server : {false, true}) {
    const std::string text = geerpc::detail::encode_option(option, for_go_server);
    GEERPC_FUZZ_CHECK(!for_go_server || text.size() >= 512);
    const Option again = geerpc::detail::parse_option(text);
    GEERPC_FUZZ_CHECK(again.magic == option.magic);
    GEERPC_FUZZ_CHECK(again.codec == option.codec);
    GEERPC_FUZZ_CHECK(again.connect_timeout == option.connect_timeout);
    GEERPC_FUZZ_CHECK(again.handle_timeout == option.handle_timeout);
    GEERPC_FUZZ_CHECK(again.extended == option.extended);
    // One that is not positive means none and is not written.
    const auto none = std::chrono::nanoseconds(0);
    GEERPC_FUZZ_CHECK(again.call_timeout ==
                      (option.call_timeout > none ? option.call_timeout : none));
  }
  return 0;
}
