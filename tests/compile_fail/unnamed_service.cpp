// expect: geerpc: the name of a service must not be empty
#include <geerpc/geerpc.hpp>

struct Foo {
  void run() {}
};
GEERPC_SERVICE_AS(Foo, "", (run, "Run"))
