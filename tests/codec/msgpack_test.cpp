// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The expected bytes are those of the MessagePack specification, checked with nlohmann/json's
// reader and writer, which have no line in common with ours.

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <geerpc/geerpc.hpp>

#include "codec/codec_test.hpp"

namespace {

using geerpc::msgpack_codec;

template <class T>
std::string pack(const T& value) {
  return test::encode(msgpack_codec(), value);
}
template <class T>
T unpack(std::string_view in, T value = T()) {
  return test::decode<T>(msgpack_codec(), in, std::move(value));
}
template <class T>
std::string unpack_error(std::string_view in) {
  return test::decode_error<T>(msgpack_codec(), in);
}
std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[c & 15];
  }
  return text;
}
// From hexadecimal digits, so that the cases below can be read.
std::string bytes(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return out;
}

struct Args {
  int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

struct Old {
  int a = 1;
  std::string b = "b";
};
GEERPC_FIELDS(Old, a, b)
struct New {
  std::vector<int> added{1};
  std::string b = "new";
  std::map<std::string, int> more;
  int a = 5;
};
GEERPC_FIELDS(New, added, b, more, a)

struct Kitchen {
  bool flag = true;
  std::int8_t small = -5;
  std::uint64_t large = 1ULL << 63;
  float f = 0.5F;
  double d = -2.25;
  std::string text = "text";
  std::vector<std::byte> data{std::byte{1}};
  std::optional<Args> maybe;
  std::vector<Args> list{{1, 2}, {300, -70000}};
  std::map<int, std::string> map{{-1, "x"}};
  std::array<int, 2> array{{1, 2}};
  std::tuple<int, std::string> tuple{1, "t"};
  std::unique_ptr<Args> pointer = std::make_unique<Args>();
  std::vector<double> numbers{1, 2.5};
  std::vector<bool> bits{true, false};
};
GEERPC_FIELDS(Kitchen, flag, small, large, f, d, text, data, maybe, list, map, array, tuple,
              pointer, numbers, bits)

struct LongName {
  int x = 1;
};
GEERPC_FIELDS_AS(LongName, (x, "a_name_that_is_longer_than_thirty_one_bytes"))

}  // namespace

TEST_CASE("integers take the fewest bytes") {
  CHECK(hex(pack(0)) == "00");
  CHECK(hex(pack(127)) == "7f");
  CHECK(hex(pack(128)) == "cc80");
  CHECK(hex(pack(256)) == "cd0100");
  CHECK(hex(pack(65536)) == "ce00010000");
  CHECK(hex(pack(1LL << 32)) == "cf0000000100000000");
  CHECK(hex(pack((std::numeric_limits<std::uint64_t>::max)())) == "cfffffffffffffffff");
  CHECK(hex(pack(-1)) == "ff");
  CHECK(hex(pack(-32)) == "e0");
  CHECK(hex(pack(-33)) == "d0df");
  CHECK(hex(pack(-129)) == "d1ff7f");
  CHECK(hex(pack(-32769)) == "d2ffff7fff");
  CHECK(hex(pack((std::numeric_limits<std::int64_t>::min)())) == "d38000000000000000");
}

TEST_CASE("integers come in any width and are checked") {
  for (const std::int64_t value : {0LL,
                                   1LL,
                                   127LL,
                                   128LL,
                                   255LL,
                                   256LL,
                                   65535LL,
                                   65536LL,
                                   4294967295LL,
                                   4294967296LL,
                                   -1LL,
                                   -32LL,
                                   -33LL,
                                   -128LL,
                                   -129LL,
                                   -32768LL,
                                   -32769LL,
                                   -2147483648LL,
                                   -2147483649LL,
                                   9223372036854775807LL,
                                   -9223372036854775807LL - 1}) {
    CAPTURE(value);
    CHECK(unpack<std::int64_t>(pack(value)) == value);
    const std::vector<std::int64_t> many(3, value);  // with bytes behind it
    CHECK(unpack<std::vector<std::int64_t>>(pack(many)) == many);
  }
  CHECK(unpack<std::uint8_t>(bytes("cf00000000000000ff")) == 255);
  CHECK(unpack<std::uint8_t>(bytes("d300000000000000ff")) == 255);
  CHECK(unpack<std::int8_t>(bytes("d2ffffff80")) == -128);
  CHECK(unpack_error<std::int8_t>(bytes("cd012c")) == "300 does not fit into int8");
  CHECK(unpack_error<std::int8_t>(bytes("d1ff7f")) == "-129 does not fit into int8");
  CHECK(unpack_error<unsigned>(bytes("ff")) == "-1 does not fit into uint");
  CHECK(unpack_error<std::int64_t>(bytes("cfffffffffffffffff")) ==
        "18446744073709551615 does not fit into int64");
  CHECK(unpack_error<Args>(pack(std::map<std::string, double>{{"Num1", 1.5}})) ==
        "expected an integer, found a number at byte 6 (field Args.Num1)");
  CHECK(unpack_error<bool>(bytes("01")) == "expected a boolean, found an integer at byte 0");
}

TEST_CASE("floating-point numbers keep their bits and take integers") {
  CHECK(hex(pack(1.5F)) == "ca3fc00000");
  CHECK(hex(pack(1.5)) == "cb3ff8000000000000");
  CHECK(unpack<double>(bytes("ca3fc00000")) == 1.5);
  CHECK(unpack<float>(bytes("cb3ff8000000000000")) == 1.5F);
  CHECK(unpack<double>(bytes("05")) == 5);
  CHECK(unpack<double>(bytes("d1ff7f")) == -129);
  CHECK(unpack<float>(pack(std::numeric_limits<double>::infinity())) ==
        std::numeric_limits<float>::infinity());
  const double nan = unpack<double>(pack(std::numeric_limits<double>::quiet_NaN()));
  CHECK(nan != nan);
  CHECK(unpack_error<float>(pack(1e300)) == "a number beyond 3.4e38 does not fit into float");
}

TEST_CASE("strings and bytes of every length") {
  CHECK(hex(pack("abc")) == "a3616263");
  CHECK(hex(pack(std::vector<std::uint8_t>{1, 2})) == "c4020102");
  for (const unsigned length : {0U, 1U, 31U, 32U, 255U, 256U, 65535U, 65536U}) {
    CAPTURE(length);
    const std::string text(length, 'x');
    CHECK(unpack<std::string>(pack(text)) == text);
    const std::vector<std::uint8_t> data(length, 7);
    CHECK(unpack<std::vector<std::uint8_t>>(pack(data)) == data);
    // One may come as the other.
    CHECK(unpack<std::string>(pack(data)).size() == length);
    CHECK(unpack<std::vector<std::uint8_t>>(pack(text)).size() == length);
  }
}

TEST_CASE("structs are maps with string keys") {
  CHECK(hex(pack(Args{3, 4})) == "82a44e756d3103a44e756d3204");
  CHECK(hex(pack(std::monostate())) == "80");
  CHECK(hex(pack(LongName{})).find("81d92b615f6e616d65") == 0);
  CHECK(unpack<LongName>(pack(LongName{7})).x == 7);
  CHECK(hex(pack(std::optional<int>())) == "c0");
  CHECK(hex(pack(std::vector<int>(16, 1))).find("dc00100101") == 0);
  CHECK(hex(pack(std::map<int, int>{{1, 2}})) == "810102");
  CHECK(hex(pack(std::make_tuple(1, "a"))) == "9201a161");
}

TEST_CASE("fields may be added, removed and reordered") {
  const New as_new = unpack<New>(pack(Old{7, "sent"}));
  CHECK(as_new.a == 7);
  CHECK(as_new.b == "sent");
  CHECK(as_new.added == std::vector<int>{1});
  New sent;
  sent.more = {{"x", 1}};
  const Old as_old = unpack<Old>(pack(sent));
  CHECK(as_old.a == 5);
  CHECK(as_old.b == "new");
  CHECK(unpack<Args>(bytes("80"), {8, 9}).Num2 == 9);
  CHECK(unpack<Args>(bytes("c0"), {8, 9}).Num2 == 9);
  // Names must match exactly; keys of other types are skipped.
  CHECK(unpack<Args>(bytes("81a44e554d3103")).Num1 == 0);
  CHECK(unpack<Args>(bytes("8201a44e756d31a44e756d3105")).Num1 == 5);
  CHECK(unpack<Args>(bytes("82a44e756d3101a44e756d3102")).Num1 == 2);
  CHECK(unpack<Args>(bytes("81d9044e756d3105")).Num1 == 5);  // a longer form than needed
}

TEST_CASE("every kind of value comes back as it was") {
  Kitchen before;
  Kitchen after;
  after.list.clear();
  after.map.clear();
  after.pointer.reset();
  after.numbers.clear();
  after = unpack<Kitchen>(pack(before), std::move(after));
  CHECK(pack(after) == pack(before));
  before.maybe = Args{5, 6};
  CHECK(unpack<Kitchen>(pack(before)).maybe->Num2 == 6);
  CHECK(pack(unpack<Kitchen>(pack(before))) == pack(before));
}

TEST_CASE("large sequences of small values come back as they were") {
  std::vector<Args> structs;
  std::vector<std::int64_t> integers;
  for (int i = 0; i < 5000; ++i) {
    structs.push_back({i, -i * 1000});
    integers.push_back(std::int64_t{i} * i * i * 1'000'003);
  }
  CHECK(pack(unpack<std::vector<Args>>(pack(structs))) == pack(structs));
  CHECK(unpack<std::vector<std::int64_t>>(pack(integers)) == integers);
}

TEST_CASE("what we write is understood by others, and the other way round") {
  const nlohmann::json value = {{"a", {1, -1, 300, -70000, 2.5, nullptr, true}},
                                {"text", std::string(300, 'x')},
                                {"bin", nlohmann::json::binary({1, 2, 3})},
                                {"deep", {{"er", {{"still", {1, 2}}}}}}};
  const std::vector<std::uint8_t> theirs = nlohmann::json::to_msgpack(value);
  const std::string ours = pack(value);
  CHECK(nlohmann::json::from_msgpack(ours) == value);
  CHECK(unpack<nlohmann::json>({reinterpret_cast<const char*>(theirs.data()), theirs.size()}) ==
        value);
  const nlohmann::json kitchen = nlohmann::json::from_msgpack(pack(std::vector<Args>{{1, 2}}));
  CHECK(kitchen == nlohmann::json{{{"Num1", 1}, {"Num2", 2}}});
}

TEST_CASE("values of every type are skipped") {
  const std::vector<std::string> values = {
      "c0", "c2", "c3", "05", "ff", "cc80", "cd0100", "ce00010000", "cf0000000100000000", "d0df",
      "d1ff7f", "d2ffff7fff", "d38000000000000000", "ca3fc00000", "cb3ff8000000000000", "a161",
      "d90161", "da000161", "db0000000161", "c40161", "c5000161", "c60000000161", "920102",
      "dc00020102", "dd000000020102", "8101a161", "de0001a16101", "df00000001a16101",
      // Extensions, of a type that nobody knows: 1, 2, 4, 8 and 16 bytes, then with a length.
      "d40711", "d5071111", "d60711111111", "d7071111111111111111",
      "d80711111111111111111111111111111111", "c7010711", "c800010711", "c9000000010711", "c70007"};
  for (const std::string& value : values) {
    CAPTURE(value);
    const std::string message = bytes("82a178" + value + "a44e756d3105");
    CHECK(unpack<Args>(message).Num1 == 5);
    for (std::size_t size = 0; size < message.size(); ++size) {
      CHECK(unpack_error<Args>(message.substr(0, size)) != "no error");
    }
  }
  CHECK(unpack_error<Args>(bytes("82a178c1a44e756d3105")) ==
        "C1 is not a MessagePack value at byte 3");
}

TEST_CASE("a count is only a claim") {
  // Each announces far more than there is: refused before anything is allocated.
  for (const char* bad :
       {"ddffffffff", "dfffffffff", "ddffffffff00", "dcffff01", "c6ffffffff00", "dbffffffff00",
        "81a178ddffffffff", "81a178dfffffffff", "c9ffffffff0700"}) {
    CAPTURE(bad);
    CHECK(unpack_error<std::vector<Kitchen>>(bytes(bad)) != "no error");
    CHECK(unpack_error<std::vector<int>>(bytes(bad)) != "no error");
    CHECK(unpack_error<std::map<std::string, std::string>>(bytes(bad)) != "no error");
    CHECK(unpack_error<nlohmann::json>(bytes(bad)) != "no error");
    CHECK(unpack_error<std::string>(bytes(bad)) != "no error");
    CHECK(unpack_error<std::tuple<>>(bytes(bad)) != "no error");
    CHECK(unpack_error<Args>(bytes(bad)) != "no error");
  }
}

TEST_CASE("nesting is limited when it is read and harmless when it is skipped") {
  const std::string too_deep = "the value is nested more than 100 deep";
  CHECK(unpack_error<nlohmann::json>(std::string(99, '\x91') + '\x90') == "no error");
  CHECK(unpack_error<nlohmann::json>(std::string(100, '\x91') + '\x90') == too_deep);
  CHECK(unpack_error<nlohmann::json>(std::string(100'000, '\x91') + '\x90') == too_deep);
  CHECK(
      unpack<Args>(bytes("82a178") + std::string(100'000, '\x91') + bytes("90a44e756d3105")).Num1 ==
      5);
}

TEST_CASE("one value, and nothing behind it") {
  CHECK(unpack_error<int>("") == "the MessagePack value ends too early at byte 0");
  CHECK(unpack_error<int>(bytes("0505")) == "1 bytes of garbage behind the MessagePack value");
}

TEST_CASE("random bytes are decoded or refused") {
  std::mt19937 random(20240229);
  const std::string whole = pack(Kitchen());
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string message = whole;
    if (round % 3 == 0) {
      message.resize(random() % 64);
      for (char& c : message) c = static_cast<char>(random());
    } else {
      for (unsigned i = 0; i <= random() % 4; ++i) {
        message[random() % message.size()] = static_cast<char>(random());
      }
    }
    if (unpack_error<Kitchen>(message) != "no error") ++refused;
    unpack_error<nlohmann::json>(message);
    unpack_error<std::tuple<>>(message);
  }
  CHECK(refused > 1000);
  CHECK(refused < 3000);
}

TEST_CASE("arguments travel as nothing, as themselves or as an array") {
  geerpc::Buffer out;
  geerpc::detail::encode_args(msgpack_codec(), out);
  CHECK(hex(out.view()) == "c0");
  out.clear();
  geerpc::detail::encode_args(msgpack_codec(), out, Args{1, 2}, "two");
  CHECK(hex(out.view()) == "9282a44e756d3101a44e756d3202a374776f");
  std::tuple<Args, std::string> args;
  geerpc::detail::decode_args(msgpack_codec(), out.view(), args);
  CHECK(std::get<0>(args).Num2 == 2);
  CHECK(std::get<1>(args) == "two");
}
