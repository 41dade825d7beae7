// expect: geerpc: the class of this method has no GEERPC_SERVICE
#include <geerpc/geerpc.hpp>

struct Foo {
  void run() {}
};

std::string_view use() { return geerpc::detail::method_full_name<&Foo::run>(); }
