// expect: geerpc: an embedded struct needs GEERPC_FIELDS, too
#include <geerpc/geerpc.hpp>

struct Base {
  int id = 0;
};
struct Derived : Base {};
GEERPC_FIELDS(Derived, embedded(Base))
constexpr auto count = geerpc::detail::field_count_v<Derived>;
