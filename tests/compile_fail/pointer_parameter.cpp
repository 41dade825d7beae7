// expect: geerpc: a parameter must not be a pointer
#include <geerpc/geerpc.hpp>

int handler(const char* text);

using Args = geerpc::detail::Signature<decltype(handler)>::Args;
Args args;
