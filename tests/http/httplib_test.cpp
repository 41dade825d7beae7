// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <geerpc/geerpc.hpp>

#include <doctest/doctest.h>

#include <thread>

#include "../support/eventually.hpp"

TEST_SUITE("cpp-httplib") {
  TEST_CASE("a cpp-httplib server of one's own serves the registry and the debug page") {
    geerpc::Registry registry;
    std::vector<geerpc::ServiceStats> stats{{"Foo", {{"Sum", "Sum(Args) int"}}}};
    const geerpc::HttpHandler handler = geerpc::registry_handler(registry);
    auto http = geerpc::detail::make_httplib_server();
    http->Get(geerpc::kRegistryPath, handler);
    http->Post(geerpc::kRegistryPath, handler);
    http->Delete(geerpc::kRegistryPath, handler);
    http->Get(geerpc::kDebugPath, geerpc::debug_handler([&] { return stats; }));
    const int port = http->bind_to_any_port("127.0.0.1");
    std::thread thread([&] { http->listen_after_bind(); });
    REQUIRE(test::eventually([&] { return http->is_running(); }));

    const std::string host = "http://127.0.0.1:" + std::to_string(port);
    geerpc::HttpRegistry client(host);
    client.put({geerpc::Address("tcp@a:1"), {"Foo"}});
    const geerpc::ServerList list = client.list();
    REQUIRE(list.servers.size() == 1);
    CHECK(list.servers[0].services == std::vector<std::string>{"Foo"});
    client.remove("tcp@a:1");
    CHECK(registry.size() == 0);

    httplib::Client browser("127.0.0.1", port);
    const auto page = browser.Get(geerpc::kDebugPath);
    REQUIRE(page);
    CHECK(page->status == 200);
    CHECK(page->body == geerpc::debug_page_html(stats));
    CHECK(page->get_header_value("Content-Type") == "text/html; charset=utf-8");

    http->stop();
    thread.join();
  }
}
