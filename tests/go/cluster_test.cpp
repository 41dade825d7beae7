// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A mixed cluster: servers in C++ and in Go behind one registry, which is ours or one in Go, called
// by clients in C++ and in Go that find them there.

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "peer.hpp"

namespace {

using namespace go_peer;
using geerpc::StatusCode;

// How long the registry lists a server that is gone. Heartbeats come ten times as often and more,
// so that a busy machine makes nobody vanish who is there.
constexpr auto kTtl = 2s * test::kSlowdown;

// A server in C++ with heartbeats; the arguments are its name, the registry's URL, and "tcp" or
// "http" (CONNECT) for how clients shall reach it.
const test::ChildFunction member("member", [](const std::vector<std::string>& arguments) {
  const std::string& name = arguments.at(0);
  CppServer cpp(arguments.at(2) + "@127.0.0.1:0");
  cpp.server.add("Who.AreYou", [name] { return name; });
  geerpc::HeartbeatOptions options;
  options.period = 100ms;
  options.advertise = cpp.address;
  const geerpc::Heartbeat heartbeat(arguments.at(1), cpp.server, cpp.address, options);
  std::cout << cpp.address << std::endl;
  return until_input_ends();
});

struct GoRegistry {
  Peer peer{{"registry", std::to_string(kTtl.count()) + "s"}};
  std::string url = peer.read_line(kPatience);
};

struct OurRegistry {
  geerpc::Registry registry{options()};
  geerpc::RegistryServer server{registry};
  std::string url = (server.listen("127.0.0.1:0"), server.url());

  static geerpc::RegistryOptions options() {
    geerpc::RegistryOptions options;
    options.ttl = kTtl;
    return options;
  }
};

// A server of either kind, by its name.
struct Member {
  std::unique_ptr<test::Process> process;
  std::string address;

  explicit Member(std::unique_ptr<test::Process> started)
      : process(std::move(started)), address(process->read_line(kPatience)) {}
};

Member cpp_member(const std::string& name, const std::string& url, const std::string& scheme) {
  return Member(
      std::make_unique<test::Child>("member", std::vector<std::string>{name, url, scheme}));
}
// It listens as GeeRPC's servers do, and so registers itself as "tcp@[::]:port".
Member go_member(const std::string& protocol, const std::string& name, const std::string& url,
                 const std::string& scheme) {
  return Member(std::make_unique<Peer>(
      std::vector<std::string>{"member", protocol, scheme + "@:0", url, name}));
}

geerpc::XClientOptions cluster_options(const std::string& protocol) {
  geerpc::XClientOptions options;
  options.client = options_for(protocol);
  return options;
}

geerpc::RegistryDiscovery discovery_of(const std::string& url) {
  geerpc::RegistryDiscoveryOptions options;
  options.refresh_period = 50ms;
  return geerpc::RegistryDiscovery(url, options);
}

class Cluster {
 public:
  Cluster(const std::string& url, const std::string& protocol)
      : url_(url), protocol_(protocol), discovery_(discovery_of(url)) {
    start_cpp("alice", "tcp");
    start_cpp("bob", "http");
    start_go("carl", "tcp");
    start_go("dora", "http");
    CHECK(is_listed());
  }

  void check() {
    // Both kinds of clients know all, and take them in turn.
    CHECK(turns(8) == "alice 2, bob 2, carl 2, dora 2");
    CHECK(go_turns(8) == "alice 2, bob 2, carl 2, dora 2");
    CHECK(everybody() == "alice bob carl dora");
    CHECK(ask_go("all") == "alice bob carl dora");
    CHECK(xclient_.broadcast<Int>("Foo.Sum", Args{3, 4}) == 7);

    // One of each kind is killed while calls are made.
    go_turns(1);  // has connections to lose
    std::atomic<bool> over{false};
    std::atomic<int> answered{0}, wrong{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        while (!over) {
          const auto result = xclient_.try_call<Int>("Foo.Sum", Args{answered, 1});
          if (result.ok()) ++answered;
          // Whoever waited for the one that was killed hears of it. Nobody else notices.
          else if (result.error().code() != StatusCode::unavailable)
            ++wrong;
        }
      });
    }
    CHECK(test::eventually([&] { return answered > 100; }));
    kill("alice");
    kill("dora");
    // The registry still lists them.
    const int before = answered;
    CHECK(test::eventually([&] { return answered > before + 100; }));
    const std::string turns_with_losses = go_turns(8);
    CAPTURE(turns_with_losses);
    CHECK(turns_with_losses.find("bob 2") != std::string::npos);
    CHECK(turns_with_losses.find("carl 2") != std::string::npos);
    over = true;
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
    for (int i = 0; i < 20; ++i) CHECK(xclient_.call<Int>("Foo.Sum", Args{i, 1}) == i + 1);

    // Then they are gone from it, and from what clients know; the others have stayed.
    CHECK(is_listed());
    CHECK(turns(8) == "bob 4, carl 4");
    CHECK(go_turns(8) == "bob 4, carl 4");
    CHECK(everybody() == "bob carl");
    CHECK(ask_go("all") == "bob carl");

    // New ones are found.
    start_cpp("emil", "tcp");
    start_go("frida", "tcp");
    CHECK(is_listed());
    CHECK(turns(8) == "bob 2, carl 2, emil 2, frida 2");
    CHECK(go_turns(8) == "bob 2, carl 2, emil 2, frida 2");
    CHECK(everybody() == "bob carl emil frida");
  }

 private:
  void start_cpp(const std::string& name, const std::string& scheme) {
    members_.emplace(name, cpp_member(name, url_, scheme));
  }
  void start_go(const std::string& name, const std::string& scheme) {
    members_.emplace(name, go_member(protocol_, name, url_, scheme));
  }
  void kill(const std::string& name) {
    members_.at(name).process->kill();
    members_.erase(name);
  }

  // Waits until the registry lists just the members, as a client of it and a discovery see it.
  bool is_listed() {
    std::set<std::string> wanted;
    for (const auto& each : members_) wanted.insert(each.second.address);
    const auto addresses = [](const geerpc::ServerList& list) {
      std::set<std::string> found;
      for (const auto& server : list.servers) found.insert(server.address.str());
      return found;
    };
    geerpc::HttpRegistry registry(url_);
    return test::eventually([&] { return addresses(registry.list()) == wanted; }, kPatience) &&
           test::eventually([&] { return addresses(*discovery_.servers()) == wanted; });
  }

  // Who answers so many calls, as peer/cluster.go says it.
  std::string turns(int number) {
    std::map<std::string, int> counts;
    for (int i = 0; i < number; ++i) ++counts[xclient_.call<std::string>("Who.AreYou")];
    std::string text;
    for (const auto& [name, count] : counts) {
      text += (text.empty() ? "" : ", ") + name + " " + std::to_string(count);
    }
    return text;
  }
  std::string everybody() {
    std::set<std::string> names;
    for (const auto& each : xclient_.broadcast_all<std::string>("Who.AreYou")) {
      names.insert(each.result.ok() ? each.result.value() : each.result.error().what());
    }
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
  }

  std::string ask_go(const std::string& what) {
    go_client_.write_line(what);
    return go_client_.read_line(kPatience);
  }
  std::string go_turns(int number) { return ask_go("turns " + std::to_string(number)); }

  const std::string url_, protocol_;
  geerpc::RegistryDiscovery discovery_;
  geerpc::XClient xclient_{discovery_, geerpc::SelectMode::round_robin, cluster_options(protocol_)};
  Peer go_client_{{"cluster", protocol_, url_}};
  std::map<std::string, Member> members_;
};

template <class Registry>
void check_cluster(const std::string& protocol) {
  Registry registry;
  Cluster(registry.url, protocol).check();
}

}  // namespace

TEST_CASE("servers in C++ and Go behind our registry are called in gob from C++ and Go") {
  check_cluster<OurRegistry>("geerpc-gob");
}

TEST_CASE("servers in C++ and Go behind our registry are called in JSON from C++ and Go") {
  check_cluster<OurRegistry>("geerpc-json");
}

TEST_CASE("servers in C++ and Go behind a registry in Go are called in gob from C++ and Go") {
  check_cluster<GoRegistry>("geerpc-gob");
}

TEST_CASE("servers in C++ and Go behind a registry in Go are called in JSON from C++ and Go") {
  check_cluster<GoRegistry>("geerpc-json");
}

TEST_CASE("servers in C++ and Go behind one registry are called by net/rpc from C++ and Go") {
  check_cluster<GoRegistry>("netrpc");
}
