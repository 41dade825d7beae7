// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

TEST_SUITE("url") {
  TEST_CASE("has a host, a port and a path") {
    const geerpc::Url url("http://example.org:81/a/b?c=d#e");
    CHECK(url.address().str() == "http@example.org:81");
    CHECK(url.host() == "example.org:81");
    CHECK(url.path() == "/a/b?c=d");
    CHECK(url.str() == "http://example.org:81/a/b?c=d");
  }

  TEST_CASE("has defaults for the port and the path") {
    CHECK(geerpc::Url("http://h").str() == "http://h/");
    CHECK(geerpc::Url("http://h").address().port() == 80);
    CHECK(geerpc::Url("http://h:81", "/p").path() == "/p");
    CHECK(geerpc::Url("http://h:81/", "/p").path() == "/p");
    CHECK(geerpc::Url("http://[::1]", "/p").address().str() == "http@[::1]:80");
    CHECK(geerpc::Url("http://[::1]:81/q", "/p").address().str() == "http@[::1]:81");
  }

  TEST_CASE("is refused with the reason if it is malformed") {
    for (const char* text : {"", "h:81", "https://h", "http://", "http://:80", "http://h:0",
                             "http://h:x", "http://h:99999", "http://u:p@h/", "http://h h/",
                             "http://h\r\nX: y", "http://[::1", "ftp://h"}) {
      CAPTURE(text);
      CHECK_THROWS_AS(geerpc::Url{text}, geerpc::Error);
    }
  }
}
