// The demo of GeeRPC: a registry, two servers that register themselves, and a client that finds
// them there. All in one process, over real sockets.
//
//   ./demo [port of the registry]        9999 unless given here or as GEERPC_DEMO_PORT

#include <geerpc/geerpc.hpp>

#include <atomic>    // atomic
#include <cstdlib>   // getenv
#include <iostream>  // cerr, cout
#include <mutex>     // mutex
#include <optional>  // optional
#include <string>    // string, to_string
#include <thread>    // thread
#include <vector>    // vector

using namespace std::chrono_literals;

struct Args {
  int Num1 = 0, Num2 = 0;
};
GEERPC_FIELDS(Args, Num1, Num2)

class Foo {
 public:
  int Sum(const Args& args) { return args.Num1 + args.Num2; }

  // Takes Num1 seconds, but no longer than somebody waits for it.
  int Sleep(const geerpc::Context& context, const Args& args) {
    if (!context.sleep_for(std::chrono::seconds(args.Num1))) {
      throw geerpc::Error(geerpc::StatusCode::cancelled, "woken early");
    }
    return args.Num1 + args.Num2;
  }
};
GEERPC_SERVICE(Foo, Sum, Sleep)

// Prints a whole line at a time, whichever thread it comes from.
void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::cout << line << std::endl;
}

// A server and the heartbeat that keeps it registered; gone with this object.
struct Node {
  explicit Node(const std::string& registry) {
    server.add(Foo{});
    const geerpc::Address address = server.listen("tcp@127.0.0.1:0");
    for (const geerpc::ServiceStats& service : server.stats()) {
      for (const geerpc::MethodStats& method : service.methods) {
        say("rpc server: register " + service.name + '.' + method.name);
      }
    }
    heartbeat.emplace(registry, server, address);
    if (!heartbeat->wait_registered(5s)) {
      throw geerpc::Error(geerpc::StatusCode::unavailable, heartbeat->status()[0].last_error);
    }
    say(address.str() + " send heart beat to registry " + registry);
  }

  geerpc::Server server;
  std::optional<geerpc::Heartbeat> heartbeat;
};

// Says how a call of `method` ended.
void report(const std::string& what, const Args& args, const geerpc::Result<int>& result) {
  say(what + (result.ok() ? " success: " + std::to_string(args.Num1) + " + " +
                                std::to_string(args.Num2) + " = " + std::to_string(result.value())
                          : std::string(" error: ") + result.error().cause()));
}

// Five at once: f(i, {i, i * i}) for i = 0 ... 4.
template <class F>
void five_times(F f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) threads.emplace_back([i, &f] { f(i, Args{i, i * i}); });
  for (std::thread& thread : threads) thread.join();
}

// Each call goes to one of the servers. Returns how many did not end as they should.
int call(const std::string& registry) {
  say("rpc registry: refresh servers from registry " + registry);
  geerpc::XClient cluster(geerpc::RegistryDiscovery(registry), geerpc::SelectMode::random);
  std::atomic<int> wrong{0};
  five_times([&](int, const Args& args) {
    const geerpc::Result<int> result = cluster.try_call<int>("Foo.Sum", args);
    report("call Foo.Sum", args, result);
    if (!result.ok()) ++wrong;
  });
  return wrong;
}

// Each broadcast goes to all servers.
int broadcast(const std::string& registry) {
  say("rpc registry: refresh servers from registry " + registry);
  geerpc::XClient cluster(geerpc::RegistryDiscovery(registry), geerpc::SelectMode::random);
  std::atomic<int> wrong{0};
  five_times([&](int i, const Args& args) {
    geerpc::Result<int> result = cluster.try_broadcast<int>("Foo.Sum", args);
    report("broadcast Foo.Sum", args, result);
    if (!result.ok()) ++wrong;

    // Sleeps i seconds where 2 are allowed. With i = 2 it may end either way.
    result = cluster.try_broadcast<int>(geerpc::Context::with_timeout(2s), "Foo.Sleep", args);
    report("broadcast Foo.Sleep", args, result);
    if (i < 2 ? !result.ok() : i > 2 && result.code() != geerpc::StatusCode::deadline_exceeded) {
      ++wrong;
    }
  });
  return wrong;
}

int main(int argc, char** argv) {
  const char* const from_environment = std::getenv("GEERPC_DEMO_PORT");
  const std::string port = argc > 1 ? argv[1] : from_environment ? from_environment : "9999";
  try {
    geerpc::Registry registry;
    geerpc::RegistryServer registry_server(registry);
    try {
      registry_server.listen("127.0.0.1:" + port);
    } catch (const geerpc::Error& error) {
      std::cerr << "demo: the registry can't listen on port " << port << ": " << error.what()
                << "\nIf another program uses it, choose another one: ./demo PORT\n";
      return 1;
    }
    say(std::string("rpc registry path: ") + geerpc::kRegistryPath);
    const std::string url = registry_server.url();
    const Node first(url), second(url);

    const int wrong = call(url) + broadcast(url);
    if (wrong != 0) std::cerr << "demo: " << wrong << " calls did not end as they should\n";
    return wrong == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "demo: " << error.what() << '\n';
    return 1;
  }
}
