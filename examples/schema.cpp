// How structs may change while old and new programs talk to each other, and how the names on the
// wire can differ from those in C++.

#include <geerpc/geerpc.hpp>

#include <iostream>  // cout
#include <string>    // string
#include <vector>    // vector

// What a program of last year knows ...
namespace last_year {
struct Person {
  std::string name;
  int age = 0;
};
GEERPC_FIELDS(Person, name, age)
}  // namespace last_year

// ... and one of today: `age` is gone, `languages` is new.
namespace today {
struct Person {
  std::string name;
  std::vector<std::string> languages{"C++"};  // if nobody says otherwise
};
GEERPC_FIELDS(Person, name, languages)
}  // namespace today

// C++ has its own idea of good names: each is followed by the one on the wire.
struct Point {
  int x = 0, y = 0;
};
GEERPC_FIELDS_AS(Point, (x, "X"), (y, "Y"))

class Geometry {
 public:
  Point mirrored(const Point& p) const { return {-p.x, -p.y}; }
};
GEERPC_SERVICE_AS(Geometry, "Geo", (mirrored, "Mirror"))

int main() {
  geerpc::Server server;
  server.add("People.Today", [](const today::Person& p) { return p.name + " " + p.languages[0]; });
  server.add("People.LastYear",
             [](const last_year::Person& p) { return p.name + " " + std::to_string(p.age); });
  server.add(Geometry{});
  const geerpc::Address address = server.listen("tcp@127.0.0.1:0");
  geerpc::Client client(address);

  // A field that was not sent keeps its default, one that is not known is skipped.
  std::cout << client.call<std::string>("People.Today", last_year::Person{"Ada", 36}) << '\n';
  std::cout << client.call<std::string>("People.LastYear", today::Person{"Ada", {"Ada"}}) << '\n';

  // In C++ by its C++ names; seen from outside, here as JSON, by those on the wire.
  const Point p = client.call<&Geometry::mirrored>({1, 2});
  std::cout << "C++: x = " << p.x << ", y = " << p.y << '\n';
  geerpc::ClientOptions options;
  options.codec = &geerpc::json_codec();
  geerpc::Client outside(address, options);
  const nlohmann::json argument = {{"X", 1}, {"Y", 2}};
  std::cout << "wire: " << outside.call<nlohmann::json>("Geo.Mirror", argument) << '\n';
}
