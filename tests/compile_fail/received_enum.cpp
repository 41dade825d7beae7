// expect: geerpc: an enum that is received needs a fixed underlying type
#include <geerpc/geerpc.hpp>

enum Color { red, green };

void use(Color& out) { geerpc::detail::decode(geerpc::json_codec(), "", out); }
