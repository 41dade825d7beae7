// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The Go types that the files in data/ are about, as C++ types, by their Go names.

#ifndef GEERPC_TESTS_CODEC_GO_TYPES_HPP
#define GEERPC_TESTS_CODEC_GO_TYPES_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <geerpc/geerpc.hpp>

namespace go {

using Int = std::int64_t;
using Bytes = std::vector<std::uint8_t>;
template <class T>
using Slice = std::vector<T>;
template <class T>
using Pointer = std::unique_ptr<T>;

struct Point {
  Int X = 0, Y = 0;
};
GEERPC_FIELDS(Point, X, Y)
struct Empty {};
GEERPC_FIELDS(Empty)
struct Item {
  std::string Name;
  Int Qty = 0;
  Slice<std::string> Tags;
};
GEERPC_FIELDS(Item, Name, Qty, Tags)
struct Base {
  Int ID = 0;
};
GEERPC_FIELDS(Base, ID)
struct Derived : Base {
  std::string Label;
};
GEERPC_FIELDS(Derived, embedded(Base), Label)
struct DerivedPtr {
  Pointer<go::Base> Base;
  std::string Label;
};
GEERPC_FIELDS(DerivedPtr, Base, Label)
struct Inner {
  std::string A, B;
};
GEERPC_FIELDS(Inner, A, B)
struct Outer {
  Int First = 0;
  Inner In;
  Int Last = 0;
};
GEERPC_FIELDS(Outer, First, In, Last)
struct Ptrs {
  std::optional<Int> I;
  Pointer<std::string> S;
  std::optional<Point> P;
  Pointer<Pointer<Point>> PP;
};
GEERPC_FIELDS(Ptrs, I, S, P, PP)
struct Arrays {
  std::array<Int, 3> A{};
  bool B[2] = {};
  Int N = 0;
};
GEERPC_FIELDS(Arrays, A, B, N)
struct Bits {
  bool B = false;
  std::int8_t I8 = 0;
  std::uint8_t U8 = 0;
  float F32 = 0;
  double F64 = 0;
  std::string S;
  Bytes Bs;
};
GEERPC_FIELDS(Bits, B, I8, U8, F32, F64, S, Bs)
struct Maps {
  std::optional<std::map<std::string, Int>> SI;
  std::optional<std::map<Int, std::string>> IS;
  std::optional<std::map<std::string, Point>> SP;
};
GEERPC_FIELDS(Maps, SI, IS, SP)
struct Tree {
  Int V = 0;
  Slice<Pointer<Tree>> Kids;
};
GEERPC_FIELDS(Tree, V, Kids)
struct List {
  Int V = 0;
  Pointer<List> Next;
};
GEERPC_FIELDS(List, V, Next)
struct Opaque {
  Int Exported = 0;
};
GEERPC_FIELDS(Opaque, Exported)
struct Header {
  std::string ServiceMethod;
  std::uint64_t Seq = 0;
  std::string Error;
};
GEERPC_FIELDS(Header, ServiceMethod, Seq, Error)
struct Request {
  std::string ServiceMethod;
  std::uint64_t Seq = 0;
};
GEERPC_FIELDS(Request, ServiceMethod, Seq)
struct Response {
  std::string ServiceMethod;
  std::uint64_t Seq = 0;
  std::string Error;
};
GEERPC_FIELDS(Response, ServiceMethod, Seq, Error)
struct Args {
  Int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

// ---- Of the table of decoding cases.

struct AB {
  Int A = 0, B = 0;
};
GEERPC_FIELDS(AB, A, B)
struct BA {
  Int B = 0, A = 0;
};
GEERPC_FIELDS(BA, B, A)
struct ABC {
  Int A = 0, B = 0, C = 0;
};
GEERPC_FIELDS(ABC, A, B, C)
struct OnlyB {
  Int B = 0;
};
GEERPC_FIELDS(OnlyB, B)
struct CD {
  Int C = 0, D = 0;
};
GEERPC_FIELDS(CD, C, D)
struct AStr {
  std::string A;
};
GEERPC_FIELDS(AStr, A)
struct AUint {
  std::uint64_t A = 0;
};
GEERPC_FIELDS(AUint, A)
struct AB64 {
  Int A = 0;
  std::int8_t B = 0;
};
GEERPC_FIELDS(AB64, A, B)
struct PAB {
  std::optional<Int> A;
  Pointer<Int> B;
};
GEERPC_FIELDS(PAB, A, B)
struct Low {
  Int B = 0;
};
GEERPC_FIELDS(Low, B)
struct Emb {
  go::Base Base;
  std::string L;
};
GEERPC_FIELDS(Emb, embedded(Base), L)
struct Flat {
  Int ID = 0;
  std::string L;
};
GEERPC_FIELDS(Flat, ID, L)
struct InA {
  AB In;
};
GEERPC_FIELDS(InA, In)
struct InP {
  Pointer<AB> In;
};
GEERPC_FIELDS(InP, In)
struct InB {
  AStr In;
};
GEERPC_FIELDS(InB, In)
struct InC {
  CD In;
};
GEERPC_FIELDS(InC, In)
struct HasSlice {
  Slice<Int> S;
};
GEERPC_FIELDS(HasSlice, S)
struct J {
  Int Num1 = 0;
  std::string S;
  std::optional<Bytes> B;
  std::optional<Int> P;
  std::optional<Slice<Int>> L;
  std::optional<std::map<Int, std::string>> M;
};
GEERPC_FIELDS(J, Num1, S, B, P, L, M)

// Decodes `in` into an object that `initial` (JSON) has filled, and encodes that.
using Transcode = void (*)(const geerpc::Codec& from, std::string_view in, const geerpc::Codec& to,
                           geerpc::Buffer& out, std::string_view initial);
template <class T>
void transcode(const geerpc::Codec& from, std::string_view in, const geerpc::Codec& to,
               geerpc::Buffer& out, std::string_view initial) {
  T value{};
  if (!initial.empty()) geerpc::detail::decode(geerpc::json_codec(), initial, value);
  geerpc::detail::decode(from, in, value);
  geerpc::detail::encode(to, out, value);
}

inline const std::map<std::string, Transcode>& types() {
  static const std::map<std::string, Transcode> all{
      {"bool", transcode<bool>},
      {"int", transcode<Int>},
      {"int8", transcode<std::int8_t>},
      {"int64", transcode<Int>},
      {"Named", transcode<Int>},
      {"uint", transcode<std::uint64_t>},
      {"uint8", transcode<std::uint8_t>},
      {"uint64", transcode<std::uint64_t>},
      {"float32", transcode<float>},
      {"float64", transcode<double>},
      {"string", transcode<std::string>},
      {"[]uint8", transcode<Bytes>},
      {"[]int", transcode<Slice<Int>>},
      {"[]int8", transcode<Slice<std::int8_t>>},
      {"[]int64", transcode<Slice<Int>>},
      {"[]*int", transcode<Slice<Pointer<Int>>>},
      {"[]uint16", transcode<Slice<std::uint16_t>>},
      {"[]bool", transcode<Slice<bool>>},
      {"[]float64", transcode<Slice<double>>},
      {"[]string", transcode<Slice<std::string>>},
      {"[][]int", transcode<Slice<Slice<Int>>>},
      {"[][]uint8", transcode<Slice<Bytes>>},
      {"[2]int", transcode<std::array<Int, 2>>},
      {"[2]int8", transcode<std::array<std::int8_t, 2>>},
      {"[3]int", transcode<std::array<Int, 3>>},
      {"[2]uint8", transcode<std::array<std::uint8_t, 2>>},
      {"[4]uint8", transcode<std::array<std::uint8_t, 4>>},
      {"[2][2]int", transcode<std::array<std::array<Int, 2>, 2>>},
      {"map[string]int", transcode<std::map<std::string, Int>>},
      {"map[string]int8", transcode<std::map<std::string, std::int8_t>>},
      {"map[int]string", transcode<std::map<Int, std::string>>},
      {"map[string][]int", transcode<std::map<std::string, Slice<Int>>>},
      {"map[string]Point", transcode<std::map<std::string, Point>>},
      {"time.Time", transcode<std::chrono::system_clock::time_point>},
      {"time.Duration", transcode<std::chrono::nanoseconds>},
      {"struct {}", transcode<std::monostate>},
      {"[]Point", transcode<Slice<Point>>},
      {"[]*Point", transcode<Slice<Pointer<Point>>>},
      {"*Point", transcode<Pointer<Point>>},
      {"[]Empty", transcode<Slice<Empty>>},
      {"[]Item", transcode<Slice<Item>>},
      {"[]AB", transcode<Slice<AB>>},
      {"[]CD", transcode<Slice<CD>>},
      {"Point", transcode<Point>},
      {"Empty", transcode<Empty>},
      {"Item", transcode<Item>},
      {"Derived", transcode<Derived>},
      {"DerivedPtr", transcode<DerivedPtr>},
      {"Outer", transcode<Outer>},
      {"Ptrs", transcode<Ptrs>},
      {"Arrays", transcode<Arrays>},
      {"Bits", transcode<Bits>},
      {"Maps", transcode<Maps>},
      {"Tree", transcode<Tree>},
      {"List", transcode<List>},
      {"Opaque", transcode<Opaque>},
      {"codec.Header", transcode<Header>},
      {"Request", transcode<Request>},
      {"Response", transcode<Response>},
      {"Args", transcode<Args>},
      {"AB", transcode<AB>},
      {"BA", transcode<BA>},
      {"ABC", transcode<ABC>},
      {"OnlyB", transcode<OnlyB>},
      {"CD", transcode<CD>},
      {"AStr", transcode<AStr>},
      {"AUint", transcode<AUint>},
      {"AB64", transcode<AB64>},
      {"PAB", transcode<PAB>},
      {"Low", transcode<Low>},
      {"Emb", transcode<Emb>},
      {"Flat", transcode<Flat>},
      {"InA", transcode<InA>},
      {"InP", transcode<InP>},
      {"InB", transcode<InB>},
      {"InC", transcode<InC>},
      {"HasSlice", transcode<HasSlice>},
      {"J", transcode<J>},
  };
  return all;
}

// Go's name without its package.
inline std::string without_main(std::string text) {
  for (std::size_t at; (at = text.find("main.")) != text.npos;) text.erase(at, 5);
  return text;
}

inline std::string read_data(const std::string& name) {
  std::ifstream file(GEERPC_TEST_DATA "/codec/data/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("can't read " + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Blanks between the digits are for readers.
inline std::string from_hex(std::string_view digits) {
  std::string bytes, two;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    two += digit;
    if (two.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(two, nullptr, 16));
    two.clear();
  }
  return bytes;
}
inline std::string to_hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[c & 15];
  }
  return text;
}

// One end of a connection in gob.
struct Stream {
  geerpc::detail::GobStream state;
  geerpc::detail::GobStreamCodec codec{state};
  geerpc::detail::GobScanner scanner{state.seen, 100};

  // Learns the definitions in front of the value; returns the value.
  std::string_view value_in(std::string_view in) {
    using Found = geerpc::detail::GobScanner::Found;
    for (;;) {
      const Found found = scanner.scan(in);
      if (found == Found::nothing) throw std::runtime_error("the stream is cut short");
      if (found == Found::value) return in;
      in.remove_prefix(scanner.size());
    }
  }
};

}  // namespace go

#endif  // GEERPC_TESTS_CODEC_GO_TYPES_HPP
