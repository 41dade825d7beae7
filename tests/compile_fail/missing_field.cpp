// expect: geerpc: GEERPC_FIELDS names a member that the type does not have
#include <geerpc/geerpc.hpp>

struct Args {
  int Num1 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)
