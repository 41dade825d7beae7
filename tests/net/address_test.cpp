// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <set>
#include <unordered_set>

using geerpc::Address;
using geerpc::Error;
using geerpc::StatusCode;
using Scheme = geerpc::Address::Scheme;

namespace {

std::string reason(const std::string& text) {
  const geerpc::Result<Address> result = Address::try_parse(text);
  if (result.ok()) return "none";
  CHECK(result.code() == StatusCode::invalid_argument);
  const std::string cause = result.error().cause();
  return cause.substr(cause.rfind("': ") + 3);
}

}  // namespace

TEST_SUITE("address") {
  TEST_CASE("an address is printed as it was parsed, and taken apart") {
    const Address tcp("tcp@example.com:9000");
    CHECK(tcp.str() == "tcp@example.com:9000");
    CHECK(tcp.scheme() == Scheme::tcp);
    CHECK(tcp.host() == "example.com");
    CHECK(tcp.port() == 9000);
    const Address v6("http@[2001:db8::1]:80");
    CHECK(v6.str() == "http@[2001:db8::1]:80");
    CHECK(v6.scheme() == Scheme::http);
    CHECK(v6.host() == "2001:db8::1");
    const Address path("unix@/run/a@b.sock");
    CHECK(path.str() == "unix@/run/a@b.sock");
    CHECK(path.scheme() == Scheme::unix_socket);
    CHECK(path.path() == "/run/a@b.sock");
    CHECK_FALSE(path.is_abstract());
    const Address abstract("unix@@name");
    CHECK(abstract.str() == "unix@@name");
    CHECK(abstract.path() == "@name");
    CHECK(abstract.is_abstract());
    for (const char* text : {"tcp@:0", "tcp@0.0.0.0:65535", "tcp@[::]:1", "tcp@[fe80::1%eth0]:1",
                             "tcp@under_score:1", "unix@relative", "http@h:1"}) {
      CHECK(Address(text).str() == text);
    }
    CHECK(Address("tcp@h:0080").str() == "tcp@h:80");
  }

  TEST_CASE("a malformed address is refused with the reason") {
    const std::string form = "wrong format, expect protocol@addr";
    CHECK(reason("") == form);
    CHECK(reason("127.0.0.1:1") == form);
    CHECK(reason("@h:1") == "unknown protocol, expect tcp, http or unix");
    CHECK(reason("TCP@h:1") == "unknown protocol, expect tcp, http or unix");
    CHECK(reason("tls@h:1") == "unknown protocol, expect tcp, http or unix");
    CHECK(reason("tcp@") == "the port is missing, expect host:port");
    CHECK(reason("tcp@host") == "the port is missing, expect host:port");
    for (const char* port : {"", "x", "-1", "+1", "65536", "99999", "123456", "1x", "0x1"}) {
      CHECK(reason("tcp@h:" + std::string(port)) == "the port is not a number from 0 to 65535");
    }
    CHECK(reason("tcp@::1:80") == "an IPv6 address needs brackets, e.g. tcp@[::1]:9000");
    CHECK(reason("tcp@[::1:80") == "the bracketed host is malformed");
    CHECK(reason("tcp@[]:80") == "the bracketed host is malformed");
    CHECK(reason("tcp@[1.2.3.4]:80") == "brackets are for IPv6 addresses");
    CHECK(reason("tcp@a/b:80") == "the host has a character that no host name has");
    CHECK(reason("tcp@a@b:80") == "the host has a character that no host name has");
    CHECK(reason("tcp@h\xc3\xa4:80") == "the host has a character that no host name has");
    CHECK(reason("tcp@" + std::string(256, 'h') + ":80") == "the host name is too long");
    CHECK(reason("unix@") == "the path of the unix socket is empty");
    CHECK(reason("unix@@") == "the path of the unix socket is empty");
    CHECK(reason("unix@/" + std::string(107, 'p')) ==
          "the path of a unix socket has at most 107 bytes");
    CHECK(reason("unix@/" + std::string(106, 'p')) == "none");
    const std::string smuggled = "blanks, commas and control characters are not allowed";
    for (const char* text : {"tcp@a:1,tcp@b:2", "tcp@a:1\ntcp@b:2", "tcp@a:1 ", " tcp@a:1",
                             "tcp@a\t:1", "unix@/a,b", "unix@/a b", "unix@/a\x7f"}) {
      CHECK(reason(text) == smuggled);
    }
    CHECK(reason(std::string("tcp@a\0b:1", 9)) == smuggled);
  }

  TEST_CASE("an error shows the address, but no control characters and not all of it") {
    CHECK_THROWS_WITH_AS(
        Address("tcp@a\n:1"),
        "address 'tcp@a?:1': blanks, commas and control characters are not allowed", Error);
    const auto error = Address::try_parse(std::string(100000, 'x')).error();
    CHECK(error.cause() ==
          "address '" + std::string(80, 'x') + "...': wrong format, expect protocol@addr");
  }

  TEST_CASE("addresses are compared by what they say") {
    CHECK(Address("tcp@h:1") == Address("tcp@h:01"));
    CHECK(Address("tcp@h:1") != Address("http@h:1"));
    CHECK(Address("tcp@a:1") < Address("tcp@b:1"));
    CHECK(Address() == Address());
    CHECK(Address().empty());
    CHECK(std::set<Address>{"tcp@a:1", "tcp@b:1", "tcp@a:1"}.size() == 2);
    CHECK(std::unordered_set<Address>{"tcp@a:1", "tcp@b:1", "tcp@a:1"}.size() == 2);
  }

  TEST_CASE("wildcards and loopback addresses are known") {
    for (const char* text : {"tcp@:1", "tcp@0.0.0.0:1", "tcp@[::]:1", "http@[0:0:0:0:0:0:0:0]:1"}) {
      CHECK(Address(text).is_wildcard());
      CHECK_FALSE(Address(text).is_loopback());
    }
    for (const char* text : {"tcp@localhost:1", "tcp@127.0.0.1:1", "tcp@127.8.8.8:1", "tcp@[::1]:1",
                             "unix@/s", "unix@@s"}) {
      CHECK(Address(text).is_loopback());
      CHECK_FALSE(Address(text).is_wildcard());
    }
    CHECK_FALSE(Address().is_wildcard());
    CHECK_FALSE(Address().is_loopback());
    CHECK_FALSE(Address("tcp@10.0.0.1:1").is_loopback());
  }

  TEST_CASE("host and port can be replaced") {
    const Address address("tcp@[::]:80");
    CHECK(address.with_host("example.com").str() == "tcp@example.com:80");
    CHECK(address.with_host("2001:db8::1").str() == "tcp@[2001:db8::1]:80");
    CHECK(address.with_host("[::1]").str() == "tcp@[::1]:80");
    CHECK(address.with_port(81).str() == "tcp@[::]:81");
    CHECK_THROWS_AS(address.with_host("a,b"), Error);
  }
}
