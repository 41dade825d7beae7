// Deadlines and cancellation, as callers and handlers see them.

#include <geerpc/geerpc.hpp>

#include <atomic>    // atomic
#include <future>    // promise
#include <iostream>  // cout
#include <thread>    // thread

using namespace std::chrono_literals;

std::atomic<int> g_woken{0};       // handlers that stopped early
std::promise<void> g_second_call;  // tells that the handler of the second call runs

class Bed {
 public:
  // Would take an hour, but nobody waits so long: a handler that takes a Context sees the caller's
  // deadline and cancellation there, and sleep_for() ends with them.
  void Sleep(const geerpc::Context& context, int call) {
    if (call == 2) g_second_call.set_value();
    if (!context.sleep_for(1h)) ++g_woken;
  }
};
GEERPC_SERVICE(Bed, Sleep)

int main() {
  geerpc::ServerOptions options;
  options.max_handle_time = 500ms;  // whatever a client allows
  geerpc::Server server(options);
  server.add(Bed{});
  server.add("Math.Add", [](int a, int b) { return a + b; });
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));

  // 1. The caller's deadline.
  auto result = client.try_call<&Bed::Sleep>(geerpc::Context::with_timeout(100ms), 1);
  std::cout << "1: " << to_string(result.code()) << '\n';

  // 2. The caller changes its mind, here from another thread.
  geerpc::CancelSource source;
  std::thread canceller([&source] {
    g_second_call.get_future().wait();
    source.cancel();
  });
  result = client.try_call<&Bed::Sleep>(geerpc::Context::with_cancel(source.token()), 2);
  canceller.join();
  std::cout << "2: " << to_string(result.code()) << '\n';

  // 3. The server's own limit.
  result = client.try_call<&Bed::Sleep>(geerpc::Context::with_timeout(1min), 3);
  std::cout << "3: " << to_string(result.code()) << ", " << result.error().cause() << '\n';

  // None of this harms the connection.
  std::cout << "1 + 2 = " << client.call<int>("Math.Add", 1, 2) << '\n';

  server.stop();  // waits for the handlers
  std::cout << "handlers that stopped early: " << g_woken << '\n';
}
