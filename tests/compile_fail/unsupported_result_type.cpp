// expect: geerpc: this type has no GEERPC_FIELDS and nlohmann/json does not convert it, so it can't
// be received
#include <geerpc/geerpc.hpp>

struct Opaque {};

void use(std::vector<Opaque>& out) { geerpc::detail::decode(geerpc::msgpack_codec(), "", out); }
