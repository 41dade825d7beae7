// expect: geerpc: GEERPC_FIELDS names something that is not a data member
#include <geerpc/geerpc.hpp>

struct Args {
  int sum() { return 0; }
};
GEERPC_FIELDS(Args, sum)
