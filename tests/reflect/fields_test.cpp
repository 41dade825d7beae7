// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <geerpc/geerpc.hpp>

namespace shapes {

struct Base {
  int id = 7;
};
struct Point : Base {
  int x = 1;
  std::string label = "p";
  const int fixed = 3;
};
GEERPC_FIELDS_AS(Point, (id, "ID"), (x, "X"), (label, "Label"), (fixed, "Fixed"))

struct Empty {};
GEERPC_FIELDS(Empty)

struct Origin {
  int x = 1, y = 2;
};
GEERPC_FIELDS(Origin, x, y)
struct Named {
  std::string name = "n";
};
GEERPC_FIELDS_AS(Named, (name, "Name"))
struct Both : Origin {
  int before = 3;
  shapes::Named Named;
  int after = 4;
};
GEERPC_FIELDS(Both, before, embedded(Origin), embedded(Named), after)
struct Deeper {
  shapes::Both both;
  int embedded = 5;
};
GEERPC_FIELDS_AS(Deeper, (embedded(both), "Both"), (embedded, "Last"))

// Derives from a type with a table, but has none of its own.
struct Derived : Point {};

enum class Color : std::uint8_t { red };
struct Unknown {};

struct Wide {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2,
      c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5,
      e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3;
};
GEERPC_FIELDS(Wide, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9,
              c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0,
              e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1,
              g2, g3)

}  // namespace shapes

namespace {

namespace detail = geerpc::detail;

struct Args {
  int Num1 = 1, Num2 = 2;
};
GEERPC_FIELDS(Args, Num1, Num2)

template <class T>
std::string names_of(T object) {
  std::string names;
  detail::for_each_field(object,
                         [&](std::string_view name, auto&) { names += std::string(name) + ' '; });
  return names;
}

}  // namespace

TEST_CASE("a field table visits names and members in its order") {
  Args args;
  int sum = 0;
  detail::for_each_field(args, [&](std::string_view, int& member) { sum += member++; });
  CHECK(sum == 3);
  CHECK(args.Num1 == 2);
  CHECK(args.Num2 == 3);
  CHECK(names_of(args) == "Num1 Num2 ");
}

TEST_CASE("a field table takes other names, inherited members and const members") {
  CHECK(names_of(shapes::Point{}) == "ID X Label Fixed ");
  const shapes::Point point;
  std::string values;
  detail::for_each_field(point, [&](std::string_view, const auto& member) {
    if constexpr (std::is_same_v<decltype(member), const int&>) {
      values += std::to_string(member) + ' ';
    } else {
      values += member + ' ';
    }
  });
  CHECK(values == "7 1 p 3 ");
}

TEST_CASE("a field table may be empty and may have 64 entries") {
  CHECK(detail::field_count_v<shapes::Empty> == 0);
  CHECK(names_of(shapes::Empty{}).empty());
  CHECK(detail::field_count_v<shapes::Wide> == 64);
  CHECK(detail::field_names_v<shapes::Wide>.front() == "a0");
  CHECK(detail::field_names_v<shapes::Wide>.back() == "g3");
}

TEST_CASE("the fields of embedded structs stand among the others, base classes and members alike") {
  CHECK(detail::field_count_v<shapes::Both> == 5);
  CHECK(detail::entry_count_v<shapes::Both> == 4);
  CHECK(names_of(shapes::Both{}) == "before x y Name after ");
  CHECK(names_of(shapes::Deeper{}) == "before x y Name after Last ");
  std::string entries;
  std::apply([&](const auto&... entry) { ((entries += std::string(entry.name) + ' '), ...); },
             detail::field_table_v<shapes::Both>.fields);
  CHECK(entries == "before Origin Named after ");
  std::apply([&](const auto&... entry) { ((entries += std::string(entry.name) + ' '), ...); },
             detail::field_table_v<shapes::Deeper>.fields);
  CHECK(entries == "before Origin Named after Both Last ");
  shapes::Deeper deeper;
  detail::for_each_field(deeper, [](std::string_view name, auto& member) {
    if constexpr (std::is_same_v<decltype(member), int&>) {
      if (name == "y") member = 20;
    }
  });
  CHECK(deeper.both.y == 20);
  const auto& constant = deeper;
  int sum = 0;
  detail::for_each_field(constant, [&](std::string_view, const auto& member) {
    if constexpr (std::is_same_v<decltype(member), const int&>) sum += member;
  });
  CHECK(sum == 3 + 1 + 20 + 4 + 5);
}

TEST_CASE("a field table belongs to its type alone") {
  CHECK(detail::has_fields_v<Args>);
  CHECK(detail::has_fields_v<const Args>);
  CHECK(detail::has_fields_v<shapes::Point>);
  CHECK_FALSE(detail::has_fields_v<shapes::Derived>);
  CHECK_FALSE(detail::has_fields_v<shapes::Base>);
  CHECK_FALSE(detail::has_fields_v<int>);
}

TEST_CASE("type names are for people and the same with every compiler") {
  using detail::type_name;
  CHECK(type_name<void>() == "void");
  CHECK(type_name<bool>() == "bool");
  CHECK(type_name<char>() == "char");
  CHECK(type_name<int>() == "int");
  CHECK(type_name<unsigned>() == "uint");
  CHECK(type_name<std::int8_t>() == "int8");
  CHECK(type_name<std::uint16_t>() == "uint16");
  CHECK(type_name<long long>() == "int64");
  CHECK(type_name<std::uint64_t>() == "uint64");
  CHECK(type_name<std::chrono::hours>() == "duration");
  CHECK(type_name<std::chrono::system_clock::time_point>() == "time");
  CHECK(type_name<float>() == "float");
  CHECK(type_name<const double>() == "double");
  CHECK(type_name<std::string>() == "string");
  CHECK(type_name<std::vector<std::byte>>() == "bytes");
  CHECK(type_name<std::vector<std::uint8_t>>() == "bytes");
  CHECK(type_name<std::vector<int>>() == "vector<int>");
  CHECK(type_name<std::set<std::string>>() == "vector<string>");
  CHECK(type_name<std::map<std::string, int>>() == "map<string, int>");
  CHECK(type_name<std::unordered_map<int, std::deque<bool>>>() == "map<int, vector<bool>>");
  CHECK(type_name<std::optional<Args>>() == "optional<Args>");
  CHECK(type_name<std::unique_ptr<int>>() == "optional<int>");
  CHECK(type_name<std::array<int, 3>>() == "array<int, 3>");
  CHECK(type_name<std::pair<int, std::string>>() == "tuple<int, string>");
  CHECK(type_name<std::tuple<>>() == "tuple<>");
  CHECK(type_name<shapes::Point>() == "Point");
  CHECK(type_name<shapes::Color>() == "Color");
  CHECK(type_name<shapes::Unknown>() == "Unknown");
  CHECK(type_name<nlohmann::json>() == "json");
}
