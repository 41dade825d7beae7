// expect: geerpc: a handler must be a function or have exactly one operator()
#include <geerpc/geerpc.hpp>

const auto handler = [](auto value) { return value; };

using Signature = geerpc::detail::Signature<decltype(handler)>;
Signature signature;
