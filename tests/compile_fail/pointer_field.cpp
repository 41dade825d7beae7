// expect: geerpc: this type has no GEERPC_FIELDS and nlohmann/json does not convert it, so it can't
// be sent
#include <geerpc/geerpc.hpp>

struct Args {
  int* pointer;
};
GEERPC_FIELDS(Args, pointer)

void use(geerpc::Buffer& out) { geerpc::detail::encode(geerpc::json_codec(), out, Args()); }
