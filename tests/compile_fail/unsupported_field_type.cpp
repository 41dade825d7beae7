// expect: geerpc: this type has no GEERPC_FIELDS and nlohmann/json does not convert it, so it can't
// be sent
#include <geerpc/geerpc.hpp>

struct Opaque {};
struct Args {
  Opaque opaque;
};
GEERPC_FIELDS(Args, opaque)

void use(geerpc::Buffer& out) { geerpc::detail::encode(geerpc::json_codec(), out, Args()); }
