// expect: geerpc: GEERPC_SERVICE names a method that the class does not have, that is not public
#include <geerpc/geerpc.hpp>

class Foo {
  int sum(int a, int b) { return a + b; }
};
GEERPC_SERVICE(Foo, sum)
