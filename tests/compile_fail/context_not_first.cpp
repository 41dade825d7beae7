// expect: geerpc: a handler's context must be its first parameter
#include <geerpc/geerpc.hpp>

int handler(int value, const geerpc::Context& context);

using Args = geerpc::detail::Signature<decltype(handler)>::Args;
Args args;
