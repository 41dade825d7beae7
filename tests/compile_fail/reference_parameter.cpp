// expect: geerpc: a parameter must not be a reference to non-const
#include <geerpc/geerpc.hpp>

int handler(int& out);

using Args = geerpc::detail::Signature<decltype(handler)>::Args;
Args args;
