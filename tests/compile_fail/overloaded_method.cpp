// expect: geerpc: GEERPC_SERVICE names a method that the class does not have, that is not public,
// or that is overloaded
#include <geerpc/geerpc.hpp>

struct Foo {
  int sum(int a, int b) { return a + b; }
  double sum(double a, double b) { return a + b; }
};
GEERPC_SERVICE(Foo, sum)
