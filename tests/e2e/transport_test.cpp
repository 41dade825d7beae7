// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Every codec over every kind of address, from end to end.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "../support/temp_dir.hpp"

namespace {

enum class Colour : int { red = 1, blue = 2 };

struct Part {
  std::string name;
  std::optional<double> weight;
};
GEERPC_FIELDS(Part, name, weight)

struct Thing {
  std::int64_t id = 0;
  Colour colour = Colour::red;
  std::vector<Part> parts;
  std::map<std::string, std::vector<int>> numbers;
  std::vector<std::uint8_t> bytes;
};
GEERPC_FIELDS(Thing, id, colour, parts, numbers, bytes)

Thing example() {
  return {-1234567890123,
          Colour::blue,
          {{"h\xC3\xA9llo", 1.5}, {"", {}}},
          {{"a", {1, -2, 3}}, {"", {}}},
          {0, 127, 128, 255}};
}

bool same(const Thing& a, const Thing& b) {
  bool parts = a.parts.size() == b.parts.size();
  for (std::size_t i = 0; parts && i < a.parts.size(); ++i) {
    parts = a.parts[i].name == b.parts[i].name && a.parts[i].weight == b.parts[i].weight;
  }
  return parts && a.id == b.id && a.colour == b.colour && a.numbers == b.numbers &&
         a.bytes == b.bytes;
}

// A codec that a user brings along.
struct CborCodec final : geerpc::Codec {
  std::string_view content_type() const override { return "application/cbor"; }
  void encode(const nlohmann::json& value, geerpc::Buffer& out) const override {
    const auto bytes = nlohmann::json::to_cbor(value);
    out.append(bytes.data(), bytes.size());
  }
  nlohmann::json decode(std::string_view in, const geerpc::DecodeLimits&) const override {
    return nlohmann::json::from_cbor(in);
  }
};

const CborCodec& cbor() {
  static const CborCodec codec;
  return codec;
}

struct EchoServer {
  geerpc::Server server{options()};
  EchoServer() {
    server.add("Echo.Thing", [](Thing thing) { return thing; });
    server.add("Echo.Text", [](std::string text) { return text; });
    server.add("Echo.Fail", [](std::string text) -> int {
      throw geerpc::Error(geerpc::StatusCode::out_of_range, text);
    });
  }
  static geerpc::ServerOptions options() {
    geerpc::ServerOptions options;
    options.codecs = {&cbor()};
    return options;
  }
};

void check_talk(const geerpc::Address& address, const geerpc::Codec& codec) {
  CAPTURE(address.str());
  CAPTURE(codec.content_type());
  geerpc::ClientOptions options;
  options.codec = &codec;
  geerpc::Client client(address, options);
  CHECK(same(client.call<Thing>("Echo.Thing", example()), example()));
  CHECK(same(client.async<Thing>("Echo.Thing", example()).get(), example()));
  const std::string large(300000, 'x');
  CHECK(client.call<std::string>("Echo.Text", large) == large);
  const auto failed = client.try_call<int>("Echo.Fail", "too far");
  CHECK(failed.code() == geerpc::StatusCode::out_of_range);
  CHECK(failed.error().cause() == "too far");
  CHECK(failed.error().address() == address.str());
  CHECK(client.try_call<Thing>("Echo.Text", "text").code() == geerpc::StatusCode::internal);
  CHECK(client.try_call<std::string>("Echo.Text", 1).code() ==
        geerpc::StatusCode::invalid_argument);
  CHECK(client.call<std::string>("Echo.Text", "still") == "still");
}

bool have_ipv6() {
  geerpc::Server probe;
  try {
    probe.listen("tcp@[::1]:0");
    return true;
  } catch (const geerpc::Error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("every codec works over every kind of address") {
  EchoServer echo;
  const test::TempDir dir;
  const geerpc::Address tcp = echo.server.listen("tcp@127.0.0.1:0");
  const std::string port = std::to_string(tcp.port());
  std::vector<geerpc::Address> addresses{
      tcp,
      geerpc::Address("http@127.0.0.1:" + port),  // CONNECT on the same port
      geerpc::Address("tcp@localhost:" + port),
      echo.server.listen(geerpc::Address("unix@" + dir.file("socket"))),
      echo.server.listen(geerpc::Address("unix@@geerpc-test-" + dir.path())),
      echo.server.listen("http@127.0.0.1:0"),
  };
  if (have_ipv6()) {
    addresses.push_back(echo.server.listen("tcp@[::1]:0"));
  } else {
    MESSAGE("no IPv6 here");
  }
  for (const geerpc::Address& address : addresses) {
    for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec(),
                                       static_cast<const geerpc::Codec*>(&cbor())}) {
      check_talk(address, *codec);
    }
  }
}

TEST_CASE("a wildcard address is dialled as loopback") {
  EchoServer echo;
  const geerpc::Address bound = echo.server.listen("tcp@0.0.0.0:0");
  check_talk(bound, geerpc::msgpack_codec());
}

TEST_CASE("clients of different codecs share a server at the same time") {
  EchoServer echo;
  const geerpc::Address address = echo.server.listen("tcp@127.0.0.1:0");
  std::vector<std::thread> threads;
  for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec(),
                                     static_cast<const geerpc::Codec*>(&cbor())}) {
    threads.emplace_back([&address, codec] { check_talk(address, *codec); });
  }
  for (std::thread& thread : threads) thread.join();
}
