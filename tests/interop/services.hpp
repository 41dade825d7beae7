// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The types and services of the recorded sessions. What is nil in Go is an empty optional here:
// Go writes nil and empty slices differently.

#ifndef GEERPC_TESTS_INTEROP_SERVICES_HPP
#define GEERPC_TESTS_INTEROP_SERVICES_HPP

#include <array>      // array
#include <chrono>     // milliseconds
#include <cstdint>    // int64_t
#include <map>        // map
#include <optional>   // optional
#include <stdexcept>  // runtime_error
#include <string>     // string
#include <thread>     // sleep_for
#include <utility>    // move
#include <vector>     // vector

#include <geerpc/geerpc.hpp>

namespace interop {

using Int = std::int64_t;
using Bytes = std::vector<std::uint8_t>;
template <class T>
using Nilable = std::optional<T>;

struct Args {
  Int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

struct ArithArgs {
  Int A = 0, B = 0;
};
GEERPC_FIELDS(ArithArgs, A, B)

struct Reply {
  Int C = 0;
};
GEERPC_FIELDS(Reply, C)

struct Empty {};
GEERPC_FIELDS(Empty)

struct Item {
  std::string Name;
  Int Qty = 0;
  Nilable<std::vector<std::string>> Tags;
};
GEERPC_FIELDS(Item, Name, Qty, Tags)

struct InnerData {
  std::string Title;
  interop::Item Item;
};
GEERPC_FIELDS(InnerData, Title, Item)

struct BaseData {
  Int ID = 0;
  std::string Label;
};
GEERPC_FIELDS(BaseData, ID, Label)

struct SinkData {
  BaseData Base;  // embedded
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
  Nilable<interop::Bytes> Bytes;
  Nilable<std::vector<Int>> Ints;
  Nilable<std::vector<double>> Floats;
  Nilable<std::vector<bool>> Bools;
  Nilable<std::vector<std::string>> Strs;
  Nilable<std::vector<Item>> Items;
  Nilable<std::vector<std::vector<Int>>> Nested;
  std::array<Int, 3> Arr{};
  Nilable<std::map<std::string, Int>> SI;
  Nilable<std::map<Int, std::string>> IS;
  Nilable<std::map<std::string, Item>> MItem;
  InnerData Inner;
  Nilable<Item> P, PNil;
  Nilable<Int> PInt;
};
GEERPC_FIELDS(SinkData, embedded(Base), Flag, I, I8, I16, I32, I64, U, U8, U16, U32, U64, F32, F64,
              S, Bytes, Ints, Floats, Bools, Strs, Items, Nested, Arr, SI, IS, MItem, Inner, P,
              PNil, PInt)

// All values in one line, written by a program that shares nothing with the encoders.
inline std::string describe(const SinkData& v) {
  std::string out;
  const auto number = [](auto n) { return std::to_string(n); };
  const auto thousandths = [&](double f) { return number(static_cast<Int>(f * 1000)); };
  const auto list = [&](const auto& values, auto one) {
    for (const auto& value : values) out += one(value) + ",";
    out += ';';
  };
  const auto maybe = [&](const auto& values, auto one) {
    if (values) return list(*values, one);
    out += ';';
  };
  const auto item = [&](const Item& i) {
    std::string tags;
    for (const std::string& tag : i.Tags.value_or(std::vector<std::string>())) {
      tags += (tags.empty() ? "" : "+") + tag;
    }
    return i.Name + "*" + number(i.Qty) + "[" + tags + "]";
  };
  const auto item_or_nil = [&](const Nilable<Item>& i) { return i ? item(*i) : "nil"; };
  out += number(v.Base.ID) + "," + v.Base.Label + ";" + (v.Flag ? "true" : "false") + ";";
  out += number(v.I) + "," + number(v.I8) + "," + number(v.I16) + "," + number(v.I32) + "," +
         number(v.I64) + ";";
  out += number(v.U) + "," + number(v.U8) + "," + number(v.U16) + "," + number(v.U32) + "," +
         number(v.U64) + ";";
  out += thousandths(static_cast<double>(v.F32)) + "," + thousandths(v.F64) + ";" + v.S + ";";
  for (const unsigned char byte : v.Bytes.value_or(interop::Bytes())) {
    const char* const digits = "0123456789abcdef";
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  out += ';';
  maybe(v.Ints, number);
  maybe(v.Floats, thousandths);
  maybe(v.Bools, [](bool b) { return std::string(b ? "true" : "false"); });
  const auto strs = v.Strs.value_or(std::vector<std::string>());
  for (std::size_t i = 0; i < strs.size(); ++i) out += (i == 0 ? "" : "|") + strs[i];
  out += ';';
  maybe(v.Items, item);
  for (const auto& row : v.Nested.value_or(std::vector<std::vector<Int>>())) {
    for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : ",") + number(row[i]);
    out += row.empty() ? "/" : ",/";
  }
  out += ';';
  for (std::size_t i = 0; i < v.Arr.size(); ++i) out += (i == 0 ? "" : ",") + number(v.Arr[i]);
  out += ';';
  maybe(v.SI, [&](const auto& e) { return e.first + "=" + number(e.second); });
  maybe(v.IS, [&](const auto& e) { return number(e.first) + "=" + e.second; });
  maybe(v.MItem, [&](const auto& e) { return e.first + "=" + item(e.second); });
  out += v.Inner.Title + "," + item(v.Inner.Item) + ";";
  out += item_or_nil(v.P) + ";" + item_or_nil(v.PNil) + ";";
  out += (v.PInt ? number(*v.PInt) : "nil") + ";";
  return out;
}

class Foo {
 public:
  Int Sum(const Args& args) { return args.Num1 + args.Num2; }
  Int SleepMs(const Args& args) {  // like the Go one it heeds no context
    std::this_thread::sleep_for(std::chrono::milliseconds(args.Num1));
    return args.Num1 + args.Num2;
  }
  Int Fail(const Args& args) {
    throw std::runtime_error("foo failed: " + std::to_string(args.Num1) + "," +
                             std::to_string(args.Num2));
  }
};
GEERPC_SERVICE(Foo, Sum, SleepMs, Fail)

inline void add_services(geerpc::Server& server) {
  server.add(Foo{});
  server.add("Arith.Add", [](ArithArgs a) { return Reply{a.A + a.B}; });
  server.add("Arith.Mul", [](ArithArgs a) { return Reply{a.A * a.B}; });
  server.add("Embed.Exported", [](ArithArgs a) { return Reply{a.A + a.B}; });
  server.add("Echo.Error", [](std::string text) -> std::string { throw std::runtime_error(text); });
  server.add("BuiltinTypes.Map", [](ArithArgs a) { return std::map<Int, Int>{{a.A, a.B}}; });
  server.add("BuiltinTypes.Slice", [](ArithArgs a) { return std::vector<Int>{a.A, a.B}; });
  server.add("BuiltinTypes.Array", [](ArithArgs a) { return std::array<Int, 2>{a.A, a.B}; });
  server.add("Kitchen.Sink", [](SinkData data) { return data; });
  server.add("Kitchen.Describe", [](SinkData data) { return describe(data); });
  server.add("Types.String", [](std::string v) { return v; });
  server.add("Types.Int64", [](std::int64_t v) { return v; });
  server.add("Types.Uint64", [](std::uint64_t v) { return v; });
  server.add("Types.Float64", [](double v) { return v; });
  server.add("Types.Float32", [](float v) { return v; });
  server.add("Types.Bool", [](bool v) { return v; });
  server.add("Types.Bytes", [](Bytes v) { return v; });
  server.add("Types.Ints", [](std::vector<Int> v) { return v; });
  server.add("Types.Strs", [](std::vector<std::string> v) { return v; });
  server.add("Types.Items", [](std::vector<Item> v) { return v; });
  server.add("Types.Arr", [](std::array<Int, 3> v) { return v; });
  server.add("Types.StrInt", [](std::map<std::string, Int> v) { return v; });
  server.add("Types.IntStr", [](std::map<Int, std::string> v) { return v; });
  server.add("Types.MapItem", [](std::map<std::string, Item> v) { return v; });
  server.add("Types.MapInts", [](std::map<std::string, std::vector<Int>> v) { return v; });
  server.add("Types.Item", [](Item v) { return v; });
  server.add("Types.ItemPtr", [](Item v) { return v; });
  server.add("Types.Empty", [](Empty v) { return v; });
}

// All of them, at an address of its own.
struct TestServer {
  geerpc::Server server;
  std::string address;
  TestServer() {
    add_services(server);
    address = server.listen("tcp@127.0.0.1:0").str();
  }
};

}  // namespace interop

#endif  // GEERPC_TESTS_INTEROP_SERVICES_HPP
