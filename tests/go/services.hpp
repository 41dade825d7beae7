// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The C++ side of peer/services.go: the same types and methods.

#ifndef GEERPC_TESTS_GO_SERVICES_HPP
#define GEERPC_TESTS_GO_SERVICES_HPP

#include <array>      // array
#include <chrono>     // nanoseconds, system_clock
#include <cstdint>    // int64_t
#include <limits>     // numeric_limits
#include <map>        // map
#include <optional>   // optional
#include <stdexcept>  // runtime_error
#include <string>     // string
#include <variant>    // monostate
#include <vector>     // vector

#include <geerpc/geerpc.hpp>

namespace go_peer {

using Int = std::int64_t;
using Bytes = std::vector<std::uint8_t>;
using Time = std::chrono::system_clock::time_point;
using Ints = std::vector<Int>;

struct Args {
  Int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

struct Item {
  std::string Name;
  Int Qty = 0;
  std::vector<std::string> Tags;

  bool operator==(const Item& other) const {
    return Name == other.Name && Qty == other.Qty && Tags == other.Tags;
  }
};
GEERPC_FIELDS(Item, Name, Qty, Tags)

struct Base {
  std::int64_t ID = 0;
  std::string Label;
};
GEERPC_FIELDS(Base, ID, Label)

struct Inner {
  std::string Title;
  go_peer::Item Item;
};
GEERPC_FIELDS(Inner, Title, Item)

struct Everything : Base {
  bool Flag = false;
  Int I = 0;
  std::int8_t I8 = 0;
  std::int16_t I16 = 0;
  std::int32_t I32 = 0;
  std::int64_t I64 = 0;
  std::uint64_t U = 0;
  std::uint8_t U8 = 0;
  std::uint16_t U16 = 0;
  std::uint32_t U32 = 0;
  std::uint64_t U64 = 0;
  float F32 = 0;
  double F64 = 0;
  std::string S;
  go_peer::Bytes Bytes;
  go_peer::Ints Ints;
  std::vector<double> Floats;
  std::vector<bool> Bools;
  std::vector<std::string> Strs;
  std::vector<Item> Items;
  std::vector<go_peer::Ints> Nested;
  std::array<Int, 3> Arr{};
  std::uint8_t Grid[2][2] = {};
  std::map<std::string, Int> SI;
  std::map<Int, std::string> IS;
  std::map<std::string, Item> MItem;
  go_peer::Inner Inner;
  std::optional<Item> P, PNil;
  std::optional<Int> PInt;
  Time When = (Time::min)();
  std::chrono::nanoseconds Wait{0};
};
GEERPC_FIELDS(Everything, embedded(Base), Flag, I, I8, I16, I32, I64, U, U8, U16, U32, U64, F32,
              F64, S, Bytes, Ints, Floats, Bools, Strs, Items, Nested, Arr, Grid, SI, IS, MItem,
              Inner, P, PNil, PInt, When, Wait)

class Foo {
 public:
  Int Sum(const Args& args) { return args.Num1 + args.Num2; }
  Int SleepMs(const geerpc::Context& context, const Args& args) {
    context.sleep_for(std::chrono::milliseconds(args.Num1));
    return args.Num1 + args.Num2;
  }
  Int Fail(const Args& args) {
    throw std::runtime_error("foo failed: " + std::to_string(args.Num1) + "," +
                             std::to_string(args.Num2));
  }
  std::string Percent(const std::string& text) { throw std::runtime_error("100% " + text); }
};
GEERPC_SERVICE(Foo, Sum, SleepMs, Fail, Percent)

inline void add_services(geerpc::Server& server) {
  server.add(Foo{});
  server.add("Echo.String", [](std::string v) { return v; });
  server.add("Echo.Int", [](Int v) { return v; });
  server.add("Echo.Uint", [](std::uint64_t v) { return v; });
  server.add("Echo.Float", [](double v) { return v; });
  server.add("Echo.Bool", [](bool v) { return v; });
  server.add("Echo.Bytes", [](Bytes v) { return v; });
  server.add("Echo.Ints", [](Ints v) { return v; });
  server.add("Echo.Array", [](std::array<Int, 3> v) { return v; });
  server.add("Echo.Map", [](std::map<std::string, Int> v) { return v; });
  server.add("Echo.Items", [](std::vector<Item> v) { return v; });
  server.add("Echo.Empty", [](std::monostate v) { return v; });
  server.add("Echo.Time", [](Time v) { return v; });
  server.add("Echo.Duration", [](std::chrono::nanoseconds v) { return v; });
  server.add("Echo.Nothing", [] { return std::optional<Item>(); });
  server.add("Echo.Everything", [](Everything v) { return v; });
}

inline Everything everything() {
  Everything v;
  v.ID = -1234567890123;
  v.Label = "base";
  v.Flag = true;
  v.I = -42;
  v.I8 = -128;
  v.I16 = -32768;
  v.I32 = (std::numeric_limits<std::int32_t>::min)();
  v.I64 = (std::numeric_limits<std::int64_t>::min)();
  v.U = 42;
  v.U8 = 255;
  v.U16 = 65535;
  v.U32 = 4294967295;
  v.U64 = (std::numeric_limits<std::uint64_t>::max)();
  v.F32 = 1.5;
  v.F64 = -2.25;
  v.S = "héllo, 世界";
  v.Bytes = {0, 1, 127, 128, 255};
  v.Ints = {0, 1, -1, Int{1} << 40};
  v.Floats = {0, 17, -0.125};
  v.Bools = {true, false};
  v.Strs = {"", "a", "bc"};
  v.Items = {{"x", 1, {}}, {}, {"y", 0, {"t1", "t2"}}};
  v.Nested = {{1}, {}, {2, 3}};
  v.Arr = {7, 0, -7};
  v.Grid[0][0] = 1;
  v.Grid[1][1] = 4;
  v.SI = {{"one", 1}, {"zero", 0}};
  v.IS = {{-1, "neg"}, {0, ""}};
  v.MItem = {{"k", {"v", 9, {}}}};
  v.Inner = {"inner", {"deep", -3, {"z"}}};
  v.P = Item{"ptr", 5, {}};
  v.PInt = 5;
  v.When = Time(std::chrono::nanoseconds(1577934245000000006));
  v.Wait = std::chrono::milliseconds(1500);
  return v;
}

// All of it, so that two values can be compared.
template <class T>
std::string text_of(const T& value) {
  geerpc::Buffer out;
  geerpc::detail::encode(geerpc::json_codec(), out, value);
  return std::string(out.view());
}

}  // namespace go_peer

#endif  // GEERPC_TESTS_GO_SERVICES_HPP
