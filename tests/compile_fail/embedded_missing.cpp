// expect: geerpc: embedded(X) in GEERPC_FIELDS: the type has no public member
#include <geerpc/geerpc.hpp>

struct Base {};
GEERPC_FIELDS(Base)
struct Derived : private Base {};
GEERPC_FIELDS(Derived, embedded(Other))
