// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using geerpc::TypeDescription;
using geerpc::detail::TypeDescriptions;

namespace {

struct Leaf {
  std::optional<std::vector<std::byte>> data;
};
GEERPC_FIELDS_AS(Leaf, (data, "Data"))

struct Base {
  Leaf first;
};
GEERPC_FIELDS(Base, first)

struct Node : Base {
  std::string text;
  std::map<std::string, std::unique_ptr<Node>> children;
  std::tuple<int, Leaf> last;
};
GEERPC_FIELDS(Node, embedded(Base), text, children, last)

struct Unknown {};

template <class... T>
std::string types() {
  TypeDescriptions found;
  (found.add<T>(), ...);
  std::string text;
  for (const TypeDescription& type : found.take()) {
    text += type.name + "(";
    for (const auto& field : type.fields) text += field.name + ":" + field.type + ";";
    text += ") ";
  }
  return text;
}

}  // namespace

TEST_CASE("the structs of which a type is made are found once each, through everything") {
  CHECK(types<int, std::string, std::vector<double>, void, std::monostate, Unknown>() == "");
  const std::string leaf = "Leaf(Data:optional<bytes>;) ";
  CHECK(types<Leaf>() == leaf);
  CHECK(types<std::vector<std::array<const Leaf, 3>>, Leaf>() == leaf);
  CHECK(types<std::pair<int, std::map<int, Leaf>>>() == leaf);
  // Recursive, and with the fields of the embedded struct in its place.
  CHECK(types<std::shared_ptr<Node>>() ==
        "Node(first:Leaf;text:string;children:map<string, optional<Node>>;"
        "last:tuple<int, Leaf>;) " +
            leaf);
}

TEST_CASE("a signature names the types") {
  geerpc::MethodDescription method{"Sum", {"int", "Args"}, "void"};
  CHECK(method.signature() == "Sum(int, Args)");
  method.result = "map<string, int>";
  method.params.clear();
  CHECK(method.signature() == "Sum() map<string, int>");
}
