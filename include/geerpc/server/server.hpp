// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Server: publishes the methods of C++ objects.

#ifndef GEERPC_SERVER_SERVER_HPP
#define GEERPC_SERVER_SERVER_HPP

#include <chrono>              // nanoseconds
#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <memory>              // make_shared, shared_ptr, unique_ptr
#include <mutex>               // mutex
#include <string>              // string
#include <string_view>         // string_view
#include <thread>              // thread
#include <utility>             // move
#include <vector>              // vector

#include <geerpc/reflect/service.hpp>
#include <geerpc/server/acceptor.hpp>

GEERPC_BEGIN_NAMESPACE

// Serves in threads of its own from the first listen() to stop(). Handlers of one object, and of
// one connection, run at the same time in several threads: they must be thread-safe. Thread-safe
// itself.
//
//   geerpc::Server server;
//   server.add(Foo{});                                           // by its GEERPC_SERVICE
//   server.add("Math.Add", [](int a, int b) { return a + b; });  // one method
//   geerpc::Address address = server.listen("tcp@127.0.0.1:0");
//
// A handler reports an error by throwing: the text reaches the caller, and with geerpc::Error the
// code, too. If its first parameter is a const geerpc::Context&, it sees its deadline,
// cancellation, peer and metadata there.
class Server {
 public:
  explicit Server(ServerOptions options = {})
      : core_(std::make_shared<detail::ServerCore>(std::move(options))) {}
  // As stop(). In one of its own handlers the rest of that goes on after this object is gone.
  ~Server() {
    stop();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!stopper_.joinable()) return;
    if (core_->in_handler()) {
      stopper_.detach();
    } else {
      stopper_.join();
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Publishes all methods of the object's GEERPC_SERVICE, under its own or another name. The object
  // is moved in; give a shared_ptr to keep using it. Throws Error(already_exists) if a service of
  // that name is there, invalid_argument for an empty name.
  template <class T>
  void add(T object) {
    add(std::string(detail::service_name<Object<T>>()), std::move(object));
  }

  // With a service's name and an object: as above. With "Service.Method" and something to call:
  // that one method. The name "geerpc" is reserved.
  template <class T>
  void add(const std::string& name, T object) {
    check_name(name);
    if constexpr (detail::has_service_v<Object<T>>) {
      add_service(name, share(std::move(object)));
    } else {
      core_->services().add(detail::make_function_handler(name, std::move(object)));
    }
  }

  // Listens, and serves in the background. Returns the address with the port that was bound. Any
  // number of times, with different addresses. Throws Error(unavailable) with the system's reason,
  // failed_precondition after stop().
  Address listen(const Address& address) { return listen(address, nullptr); }

  // For geerpc/http/: who serves plain HTTP on all ports, and a port for nothing else.
  void set_http(std::shared_ptr<detail::PlainHttp> http) { core_->set_http(std::move(http)); }
  Address listen(const Address& address, std::shared_ptr<detail::PlainHttp> only_http) {
    core_->services().share();
    auto acceptor = std::make_unique<detail::Acceptor>(address, core_,
                                                       std::move(only_http));  // may look a name up
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) throw Error(StatusCode::failed_precondition, "listen: the server was stopped");
    acceptors_.push_back(std::move(acceptor));
    return acceptors_.back()->address();
  }

  // Waits until somebody calls stop(), and until that is done: for programs that only serve.
  void run() { state_->wait_until_stopped(); }

  // Closes the listening sockets; lets running calls end, for ServerOptions::drain_timeout at most,
  // while further requests are refused as unavailable; then cancels what still runs, closes all
  // connections and ends all threads. Takes about three seconds longer than the drain time at most,
  // whatever handlers and clients do.
  //
  // Returns how many handlers had not returned by then; their threads can't be ended and were left
  // behind. Called from one of its handlers it returns at once and the rest happens in the
  // background. Safe to call twice: the second call waits for the first.
  std::size_t stop() { return stop(core_->options().drain_timeout); }
  std::size_t stop(std::chrono::nanoseconds drain) {
    std::vector<std::unique_ptr<detail::Acceptor>> acceptors;
    bool first = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      first = !stopping_;
      stopping_ = true;
      acceptors.swap(acceptors_);
    }
    acceptors.clear();
    if (!core_->in_handler()) {
      return first ? finish(*core_, *state_, drain) : state_->wait_until_stopped();
    }
    if (!first) return 0;
    const std::lock_guard<std::mutex> lock(mutex_);
    try {
      stopper_ =
          std::thread([core = core_, state = state_, drain] { finish(*core, *state, drain); });
    } catch (const std::exception&) {
      stopping_ = false;  // no thread can be had: the next stop(), e.g. the destructor's, does it
    }
    return 0;
  }

  // True from the first listen() to stop(): whether a heartbeat should say that we are alive.
  bool accepting() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !acceptors_.empty() && !stopping_;
  }

  // What listens, in the order of the listen() calls.
  std::vector<Address> addresses() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<Address> addresses;
    for (const auto& acceptor : acceptors_) addresses.push_back(acceptor->address());
    return addresses;
  }

  // The methods of all services with their types, sorted by service and method.
  std::vector<ServiceDescription> describe() const { return core_->services().describe(); }

  // Counters of all methods, sorted by service and method.
  std::vector<ServiceStats> stats() const { return core_->services().stats(); }
  std::size_t connections() const { return core_->connections(); }
  // A call whose caller has just got its reply may still be among them.
  std::size_t calls_in_flight() const noexcept { return core_->calls_in_flight(); }

 private:
  template <class T>
  struct ObjectOf {
    using type = T;
  };
  template <class T>
  struct ObjectOf<std::shared_ptr<T>> {
    using type = T;
  };
  template <class T>
  using Object = typename ObjectOf<T>::type;

  template <class T>
  static std::shared_ptr<T> share(T object) {
    return std::make_shared<T>(std::move(object));
  }
  template <class T>
  static std::shared_ptr<T> share(std::shared_ptr<T> object) {
    if (object == nullptr) throw Error(StatusCode::invalid_argument, "rpc: the object is null");
    return object;
  }

  static void check_name(std::string_view name) {
    if (name.substr(0, name.rfind('.')) != detail::kReservedService) return;
    throw Error(StatusCode::invalid_argument, "rpc: the service name 'geerpc' is reserved");
  }

  template <class T>
  void add_service(const std::string& name, const std::shared_ptr<T>& object) {
    std::vector<std::unique_ptr<detail::Handler>> handlers;
    detail::for_each_method<T>([&](auto method, std::string_view method_name) {
      handlers.push_back(
          detail::make_method_handler<method.value>(name + '.' + std::string(method_name), object));
    });
    core_->services().add_service(name, std::move(handlers));
  }

  // Outlives the Server whose handler destroys it.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool stopped = false;         // guarded by mutex
    std::size_t left_behind = 0;  // guarded by mutex

    std::size_t wait_until_stopped() {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [this] { return stopped; });
      return left_behind;
    }
  };

  static std::size_t finish(detail::ServerCore& core, State& state,
                            std::chrono::nanoseconds drain) {
    const std::size_t left_behind = core.stop(drain);
    const std::lock_guard<std::mutex> lock(state.mutex);
    state.left_behind = left_behind;
    state.stopped = true;
    state.changed.notify_all();
    return left_behind;
  }

  const std::shared_ptr<detail::ServerCore> core_;

  const std::shared_ptr<State> state_ = std::make_shared<State>();

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::unique_ptr<detail::Acceptor>> acceptors_;
  std::thread stopper_;  // does the rest of a stop() that a handler called
  bool stopping_ = false;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_SERVER_HPP
