// Calls that don't wait: futures, callbacks, and many calls on their way over one connection.

#include <geerpc/geerpc.hpp>

#include <condition_variable>  // condition_variable
#include <iostream>            // cout
#include <mutex>               // mutex
#include <vector>              // vector

int main() {
  geerpc::Server server;
  server.add("Math.Square", [](int n) { return n * n; });
  geerpc::Client client(server.listen("tcp@127.0.0.1:0"));

  // A future. The call is on its way while this thread does something else.
  geerpc::Future<int> later = client.async<int>("Math.Square", 12);
  std::cout << "12 * 12 = " << later.get() << '\n';

  // A thousand calls without waiting for one reply in between.
  std::vector<geerpc::Future<int>> futures;
  for (int n = 1; n <= 1000; ++n) futures.push_back(client.async<int>("Math.Square", n));
  long sum = 0;
  for (geerpc::Future<int>& future : futures) sum += future.get();
  std::cout << "1 * 1 + ... + 1000 * 1000 = " << sum << '\n';

  // A callback. It runs in the client's background thread.
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  client.async<int>("Math.Square", 7).then([&](const geerpc::Result<int>& result) {
    const std::lock_guard<std::mutex> lock(mutex);
    std::cout << "7 * 7 = " << result.value() << ", in a callback\n";
    done = true;
    changed.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return done; });

  // An error waits in the future until somebody asks.
  geerpc::Future<int> wrong = client.async<int>("Math.Cube", 2);
  std::cout << "error: " << wrong.try_get().error().cause() << '\n';
}
