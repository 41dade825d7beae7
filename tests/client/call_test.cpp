// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The ways to call, and what they say when a call fails.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "gate.hpp"
#include "scripted_server.hpp"

namespace {

struct Point {
  int x = 0, y = 0;
};
GEERPC_FIELDS(Point, x, y)

// A method of each arity.
class Many {
 public:
  int none() { return 0; }
  int one(const Point& p) { return p.x + p.y; }
  std::string two(const std::string& a, int b) const { return a + std::to_string(b); }
  int three(int a, int b, int c) { return a + b + c; }
  int eight(int a, int b, int c, int d, int e, int f, int g, int h) {
    return a * 10000000 + b * 1000000 + c * 100000 + d * 10000 + e * 1000 + f * 100 + g * 10 + h;
  }
  Point origin(const geerpc::Context& context, Point p) {
    return context.cancelled() ? Point{} : p;
  }
  void nothing(int) {}
};
GEERPC_SERVICE(Many, none, one, two, three, eight, origin, nothing)

struct Fixture {
  geerpc::Server server;
  geerpc::Address address;
  Fixture() {
    server.add(Many{});
    server.add("Fail.With", [](int code, std::string text) -> int {
      throw geerpc::Error(static_cast<geerpc::StatusCode>(code), text);
    });
    server.add("Fail.Plainly", [](std::string text) -> int { throw std::runtime_error(text); });
    server.add("Math.Double", [](int value) { return 2 * value; });
    address = server.listen("tcp@127.0.0.1:0");
  }
};

}  // namespace

TEST_CASE("calls methods of no to eight arguments by name") {
  Fixture fixture;
  geerpc::Client client(fixture.address);
  CHECK(client.call<int>("Many.none") == 0);
  CHECK(client.call<int>("Many.one", Point{3, 4}) == 7);
  CHECK(client.call<std::string>("Many.two", "a", 1) == "a1");
  CHECK(client.call<int>("Many.three", 1, 2, 3) == 6);
  CHECK(client.call<int>("Many.eight", 1, 2, 3, 4, 5, 6, 7, 8) == 12345678);
  CHECK(client.call<Point>(test::within(std::chrono::seconds(30)), "Many.origin", Point{5, 6}).y ==
        6);
  client.call<void>("Many.nothing", 1);
  client.call<void>("Many.one", Point{});  // not interested
}

TEST_CASE("calls methods of no to eight arguments by method") {
  Fixture fixture;
  geerpc::Client client(fixture.address);
  const geerpc::Context context = test::within(std::chrono::seconds(30));
  CHECK(client.call<&Many::none>() == 0);
  CHECK(client.call<&Many::one>({3, 4}) == 7);
  CHECK(client.call<&Many::two>("a", 1) == "a1");
  CHECK(client.call<&Many::three>(1, 2, 3) == 6);
  CHECK(client.call<&Many::eight>(1, 2, 3, 4, 5, 6, 7, 8) == 12345678);
  CHECK(client.call<&Many::origin>({5, 6}).x == 5);
  client.call<&Many::nothing>(1);
  CHECK(client.call<&Many::none>(context) == 0);
  CHECK(client.call<&Many::one>(context, {3, 4}) == 7);
  CHECK(client.try_call<&Many::three>(1, 2, 3).value() == 6);
  CHECK(client.try_call<&Many::one>(context, {1, 1}).value() == 2);
  CHECK(client.async<&Many::one>({3, 5}).get() == 8);
  CHECK(client.async<&Many::origin>(context, {5, 9}).get().y == 9);
}

TEST_CASE("one client serves many threads over one connection, and each gets its own results") {
  Fixture fixture;
  geerpc::Client client(fixture.address);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int value = t * 1000 + i;
        const bool async = i % 3 == 0;
        const int doubled = async ? client.async<int>("Math.Double", value).get()
                                  : client.call<int>("Math.Double", value);
        if (doubled != 2 * value) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(fixture.server.connections() == 1);
}

TEST_CASE("what a handler threw arrives with its code and its very text") {
  Fixture fixture;
  geerpc::Client client(fixture.address);
  const auto result = client.try_call<int>("Fail.With", 5, "no such thing: 100%s");
  REQUIRE_FALSE(result.ok());
  const geerpc::Error& error = result.error();
  CHECK(error.code() == geerpc::StatusCode::not_found);
  CHECK(error.error_code() == geerpc::StatusCode::not_found);
  CHECK(std::string(error.error_code().category().name()) == "geerpc");
  CHECK(error.cause() == "no such thing: 100%s");
  CHECK(error.method() == "Fail.With");
  CHECK(error.address() == fixture.address.str());
  CHECK(std::string(error.what()) ==
        "call Fail.With on " + fixture.address.str() + ": no such thing: 100%s");
  CHECK(error.may_have_run());
  CHECK_THROWS_AS(client.call<int>("Fail.With", 5, ""), geerpc::Error);

  const auto plain = client.try_call<int>("Fail.Plainly", "just text");
  CHECK(plain.code() == geerpc::StatusCode::unknown);
  CHECK(plain.error().cause() == "just text");
  CHECK(client.async<int>("Fail.Plainly", "later").try_get().error().cause() == "later");
}

TEST_CASE("unknown services and methods and wrong arguments are errors of their own") {
  Fixture fixture;
  geerpc::Client client(fixture.address);
  using geerpc::StatusCode;
  const auto service = client.try_call<int>("Nope.Sum", 1);
  CHECK(service.code() == StatusCode::not_found);
  CHECK_FALSE(service.error().may_have_run());
  const auto method = client.try_call<int>("Many.nope", 1);
  CHECK(method.code() == StatusCode::unimplemented);
  CHECK_FALSE(method.error().may_have_run());
  CHECK(client.try_call<int>("nodot").code() == StatusCode::invalid_argument);
  CHECK(client.try_call<int>("Math.Double", "two").code() == StatusCode::invalid_argument);
  CHECK(client.call<int>("Math.Double", 2) == 4);
  CHECK(fixture.server.connections() == 1);
}

TEST_CASE("a result of another type is an error of that call alone") {
  test::GateServer server;
  geerpc::Client client(server.address);
  auto held = client.async<int>("Gate.Pass", 5);
  REQUIRE(server.gate->wait_for_waiting(1));
  const auto wrong = client.try_call<std::string>("Math.Add", 1, 2);
  CHECK(wrong.code() == geerpc::StatusCode::internal);
  CHECK(wrong.error().cause().rfind("reading body ", 0) == 0);
  CHECK(wrong.error().may_have_run());
  CHECK(client.async<std::string>("Math.Add", 1, 2).try_get().code() ==
        geerpc::StatusCode::internal);
  server.gate->open();
  CHECK(held.get() == 5);
  CHECK(client.call<int>("Math.Add", 1, 2) == 3);
  CHECK(server.server.connections() == 1);
}

TEST_CASE("an argument that is too large or can't be encoded is refused before it is sent") {
  Fixture fixture;
  geerpc::ClientOptions options;
  options.max_message_size = 1000;
  geerpc::Client client(fixture.address, options);
  const auto large = client.try_call<int>("Fail.Plainly", std::string(2000, 'x'));
  CHECK(large.code() == geerpc::StatusCode::resource_exhausted);
  CHECK_FALSE(large.error().may_have_run());
  CHECK(client.async<int>("Fail.Plainly", std::string(2000, 'x')).try_get().code() ==
        geerpc::StatusCode::resource_exhausted);
  CHECK_THROWS_AS(client.notify("Fail.Plainly", std::string(2000, 'x')), geerpc::Error);
  CHECK(client.call<int>("Math.Double", 2) == 4);
}

TEST_CASE("notify runs the method and gets no reply") {
  for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
    test::GateServer server;
    geerpc::ClientOptions options;
    options.codec = codec;
    geerpc::Client client(server.address, options);
    client.notify("Gate.Pass", 1);
    client.notify(test::within(std::chrono::seconds(30)), "Gate.Pass", 2);
    CHECK(server.gate->wait_for_waiting(2));
    client.notify("Nope.Nothing");
    server.gate->open();
    CHECK(client.call<int>("Math.Add", 1, 2) == 3);
    CHECK(server.server.connections() == 1);
  }
}

TEST_CASE("metadata and the deadline travel with the call") {
  geerpc::Server server;
  server.add("Look.At", [](const geerpc::Context& context) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(context.remaining());
    return std::make_pair(context.metadata(), left.count());
  });
  const auto address = server.listen("tcp@127.0.0.1:0");
  for (const geerpc::Codec* codec : {&geerpc::msgpack_codec(), &geerpc::json_codec()}) {
    geerpc::ClientOptions options;
    options.codec = codec;
    geerpc::Client client(address, options);
    geerpc::Context context = test::within(std::chrono::minutes(10));
    context.set_metadata({{"trace", "7"}, {"user", "\xC3\xA9"}});
    using Seen = std::pair<geerpc::Metadata, std::int64_t>;
    const auto seen = client.call<Seen>(context, "Look.At");
    CHECK(seen.first == context.metadata());
    CHECK(seen.second <= 600);
    CHECK(seen.second > 500);
    CHECK(client.async<Seen>(context, "Look.At").get().first == context.metadata());
  }
}

TEST_CASE("the deadline travels with a notification") {
  std::promise<std::chrono::nanoseconds> left;
  geerpc::Server server;
  server.add("Look.At",
             [&](const geerpc::Context& context) { left.set_value(context.remaining()); });
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));
  client.notify(test::within(std::chrono::minutes(10)), "Look.At");
  auto seen = left.get_future();
  REQUIRE(seen.wait_for(test::kPatience) == std::future_status::ready);
  const auto time = seen.get();
  CHECK(time <= std::chrono::seconds(600));
  CHECK(time > std::chrono::seconds(500));
}

TEST_CASE("an address that can't be dialled, or no codec, is refused at once") {
  CHECK_THROWS_AS(geerpc::Client("127.0.0.1:80"), geerpc::Error);
  CHECK_THROWS_AS(geerpc::Client(""), geerpc::Error);
  geerpc::ClientOptions options;
  options.codec = nullptr;
  CHECK_THROWS_AS(geerpc::Client("tcp@127.0.0.1:80", options), geerpc::Error);
}

TEST_CASE("a client can be moved while its calls are under way") {
  test::GateServer server;
  geerpc::Client first(server.address);
  auto held = first.async<int>("Gate.Pass", 5);
  REQUIRE(server.gate->wait_for_waiting(1));
  geerpc::Client second(std::move(first));
  CHECK(second.call<int>("Math.Add", 1, 2) == 3);
  server.gate->open();
  CHECK(held.get() == 5);
}
