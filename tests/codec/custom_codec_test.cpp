// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <geerpc/geerpc.hpp>

#include "codec/codec_test.hpp"

namespace {

// As in the comment at geerpc::Codec.
struct CborCodec : geerpc::Codec {
  std::string_view content_type() const override { return "application/cbor"; }
  void encode(const nlohmann::json& value, geerpc::Buffer& out) const override {
    const auto bytes = nlohmann::json::to_cbor(value);
    out.append(bytes.data(), bytes.size());
  }
  nlohmann::json decode(std::string_view in, const geerpc::DecodeLimits&) const override {
    return nlohmann::json::from_cbor(in);
  }
};

// Misbehaves in every way that the interface allows.
struct BadCodec : geerpc::Codec {
  std::string_view content_type() const override { return "application/bad"; }
  void encode(const nlohmann::json&, geerpc::Buffer&) const override {
    throw std::runtime_error("can't write");
  }
  nlohmann::json decode(std::string_view, const geerpc::DecodeLimits&) const override {
    nlohmann::json deep;
    for (int i = 0; i < 100'000; ++i) deep = nlohmann::json::array({std::move(deep)});
    return deep;
  }
};

struct Item {
  std::string name = "n";
  std::vector<std::uint8_t> data{1, 2};
  std::map<int, double> prices{{-1, 0.5}, {10, 1e300}};
  std::uint64_t large = 18446744073709551615U;
};
GEERPC_FIELDS(Item, name, data, prices, large)

}  // namespace

TEST_CASE("a codec of one's own carries every value unchanged") {
  const CborCodec cbor;
  const std::string bytes = test::encode(cbor, Item{});
  const nlohmann::json seen = nlohmann::json::from_cbor(bytes);
  CHECK(seen["data"].is_binary());
  CHECK(seen["prices"]["-1"] == 0.5);
  Item empty;
  empty.name.clear();
  empty.data.clear();
  empty.prices.clear();
  empty.large = 0;
  const Item back = test::decode<Item>(cbor, bytes, empty);
  CHECK(test::to_json(back) == test::to_json(Item{}));
}

TEST_CASE("what a codec of one's own throws becomes an Error") {
  const CborCodec cbor;
  CHECK(test::decode_error<int>(cbor, "\xFF").find("application/cbor: ") == 0);
  CHECK(test::decode_error<int>(cbor, "\x61x") == "expected an integer, found a string at byte 0");
  CHECK(test::decode_error<Item>(cbor, "\xA1\x64name\x01") ==
        "expected a string, found an integer at byte 6 (field Item.name)");
  const BadCodec bad;
  CHECK(test::error_of([&] { test::encode(bad, 1); }) == "application/bad: can't write");
  CHECK(test::decode_error<int>(bad, "") == "the value is nested more than 100 deep");
}

TEST_CASE("the built-in codecs convert nlohmann::json values, too") {
  const nlohmann::json value = {{"a", {1, "x", nullptr}}};
  for (const geerpc::Codec* codec : {&geerpc::json_codec(), &geerpc::msgpack_codec()}) {
    geerpc::Buffer out;
    codec->encode(value, out);
    CHECK(codec->decode(out.view(), {}) == value);
    CHECK_THROWS_AS(codec->decode(out.view().substr(1), {}), geerpc::Error);
  }
}
