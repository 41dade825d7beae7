// Load balancing over servers that the program knows, without a registry.

#include <geerpc/geerpc.hpp>

#include <iostream>  // cout
#include <map>       // map
#include <memory>    // make_shared
#include <string>    // string

using Counts = std::map<std::string, int>;

Counts ask(geerpc::XClient& cluster, int times) {
  Counts counts;
  for (int i = 0; i < times; ++i) ++counts[cluster.call<std::string>("Who.AreYou")];
  return counts;
}

void print(const std::string& title, const Counts& counts) {
  std::cout << title << ':';
  for (const auto& [name, count] : counts) std::cout << ' ' << name << '=' << count;
  std::cout << '\n';
}

// A strategy of one's own.
struct AlwaysTheFirst : geerpc::Selector {
  std::size_t select(const geerpc::Selection&) override { return 0; }
};

int main() {
  geerpc::Server a, b, c;
  a.add("Who.AreYou", [] { return std::string("a"); });
  b.add("Who.AreYou", [] { return std::string("b"); });
  c.add("Who.AreYou", [] { return std::string("c"); });
  const geerpc::Address at_a = a.listen("tcp@127.0.0.1:0");
  const geerpc::Address at_b = b.listen("tcp@127.0.0.1:0");
  const geerpc::Address at_c = c.listen("tcp@127.0.0.1:0");

  geerpc::StaticDiscovery servers{at_a, at_b, at_c};
  geerpc::XClient cluster(servers, geerpc::SelectMode::round_robin);
  print("three servers", ask(cluster, 30));

  // The list may change at any time.
  servers.update({at_a, at_b});
  print("two servers", ask(cluster, 30));

  // A server that dies is skipped. No call fails: its requests go to another server, since they
  // certainly never ran.
  b.stop();
  print("one is dead", ask(cluster, 30));

  // All at once, and what each answered.
  servers.update({at_a, at_c});
  int answers = 0;
  for (const auto& one : cluster.broadcast_all<std::string>("Who.AreYou")) {
    if (one.result.ok()) ++answers;
  }
  std::cout << "broadcast: " << answers << " answers\n";

  geerpc::StaticDiscovery only{at_c};
  geerpc::XClient first(only, std::make_shared<AlwaysTheFirst>());
  print("own strategy", ask(first, 3));
}
