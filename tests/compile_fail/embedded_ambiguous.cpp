// expect: geerpc: a field of an embedded struct has the name of another field
#include <geerpc/geerpc.hpp>

struct Base {
  int id = 0;
};
GEERPC_FIELDS(Base, id)
struct Derived : Base {
  int id = 0;
};
GEERPC_FIELDS(Derived, embedded(Base), id)
void encode(geerpc::Buffer& out) { geerpc::detail::encode(geerpc::json_codec(), out, Derived()); }
