// expect: geerpc: GEERPC_FIELDS names a member that the type does not have, that is not public
#include <geerpc/geerpc.hpp>

class Args {
  int hidden = 0;
};
GEERPC_FIELDS(Args, hidden)
