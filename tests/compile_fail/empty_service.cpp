// expect: geerpc: GEERPC_SERVICE must name at least one method
#include <geerpc/geerpc.hpp>

struct Foo {};
GEERPC_SERVICE(Foo)
