// expect: geerpc: this method is not listed in the GEERPC_SERVICE of its class
#include <geerpc/geerpc.hpp>

struct Foo {
  void run() {}
  void hide() {}
};
GEERPC_SERVICE(Foo, run)

std::string_view use() { return geerpc::detail::method_full_name<&Foo::hide>(); }
