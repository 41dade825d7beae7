// expect: geerpc: text can be sent from this type but not received into it
#include <geerpc/geerpc.hpp>

struct Args {
  std::string_view text;
};
GEERPC_FIELDS(Args, text)

void use(Args& out) { geerpc::detail::decode(geerpc::json_codec(), "", out); }
