// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Client: calls the methods of one server.

#ifndef GEERPC_CLIENT_CLIENT_HPP
#define GEERPC_CLIENT_CLIENT_HPP

#include <chrono>       // steady_clock
#include <memory>       // make_shared, shared_ptr, weak_ptr
#include <optional>     // optional
#include <string_view>  // string_view
#include <type_traits>  // conditional_t, is_void_v
#include <utility>      // move

#include <geerpc/client/call_by_method.hpp>
#include <geerpc/client/future.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Makes one synchronous call; `call` is done when it returns nothing. A connection that had died
// unnoticed is replaced once, if the request never ran.
inline std::optional<Error> run_call(Channel& channel, Call& call, SteadyClock::time_point now,
                                     const Context& context, std::string_view method,
                                     EncodeBody body) {
  RequestHeader header;
  header.method = method;
  header.metadata = &context.metadata();
  try {
    for (bool again = false;; again = true) {
      const std::shared_ptr<ClientConnection> connection =
          channel.acquire(now, call.deadline, context.cancel_token());
      if (call.deadline <= now) throw deadline_error().never_ran();
      // The server knows the default. A repeated call has less time left.
      if (again || context.has_deadline()) header.set_deadline(call.deadline, now);
      try {
        connection->run(call, now, header, context, body);
      } catch (const Error& error) {
        call.error = error;
      }
      if (!call.error) return {};
      now = SteadyClock::now();
      const bool stale = call.error->code() == StatusCode::unavailable &&
                         !call.error->may_have_run() && !connection->alive(now);
      if (again || !stale) return std::move(call.error);
      call.error.reset();
      call.done = false;
    }
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace detail

// Connects when the first call needs it, and again after the connection was lost; all calls share
// one connection. Thread-safe: any number of threads may call at once.
//
//   geerpc::Client client("tcp@127.0.0.1:9999");
//   int sum = client.call<int>("Foo.Sum", Args{1, 2});     // by name
//   int same = client.call<&Foo::Sum>({1, 2});             // by method, its types checked
//
// Every form takes a Context as its first argument, or none: then the call has the deadline of
// ClientOptions::call_timeout. The deadline covers everything: connecting, sending, waiting.
//
// One argument travels as itself, several as an array, none as null, as Go does.
//
// Errors: unavailable (the server can't be reached, or was lost: Error::may_have_run() says whether
// the call may have had an effect), deadline_exceeded, cancelled, what the server or the handler
// answered, and internal if the result is not of type R.
class Client : public detail::CallByMethod<Client> {
 public:
  // call<&Foo::Sum>(…), try_call<&Foo::Sum>(…) and async<&Foo::Sum>(…), with or without a Context.
  using CallByMethod::async;
  using CallByMethod::call;
  using CallByMethod::try_call;

  // Throws Error(invalid_argument) for an address that can't be dialled. Does not connect yet.
  explicit Client(Address address, ClientOptions options = {}) {
    if (address.empty()) throw Error(StatusCode::invalid_argument, "the address is empty");
    background_ = std::make_shared<detail::Background>(std::move(address),
                                                       detail::settled(std::move(options)));
  }
  ~Client() {
    if (background_ != nullptr) close();
  }
  Client(Client&&) noexcept = default;
  Client& operator=(Client&& other) noexcept {
    std::swap(background_, other.background_);  // the other closes what was ours
    return *this;
  }

  const Address& address() const noexcept { return channel().address(); }

  // Calls `method`, waits for its result and returns it. Throws Error.
  template <class R, class... A>
  R call(const Context& context, std::string_view method, const A&... args) {
    return try_call<R>(context, method, args...).value();
  }
  template <class R, class... A>
  R call(std::string_view method, const A&... args) {
    return try_call<R>(Context(), method, args...).value();
  }

  // The same, but returns the Error instead of throwing it.
  template <class R, class... A>
  Result<R> try_call(const Context& context, std::string_view method, const A&... args) {
    check_types<R, A...>();
    detail::Channel& to = channel();
    const auto now = detail::SteadyClock::now();
    detail::SyncCall<R> call;
    call.deadline = deadline_of(context, now);
    const auto body = [&](const Codec& codec, Buffer& out) {
      detail::encode_args(codec, out, args...);
    };
    if (const auto error = detail::run_call(to, call, now, context, method, body)) {
      return error->in_call(method, address().str());
    }
    return call.slot.take();
  }
  template <class R, class... A>
  Result<R> try_call(std::string_view method, const A&... args) {
    return try_call<R>(Context(), method, args...);
  }

  // Starts a call and comes back at once; the arguments are encoded by then. All errors are in the
  // Future.
  template <class R, class... A>
  Future<R> async(const Context& context, std::string_view method, const A&... args) {
    check_types<R, A...>();
    const auto now = detail::SteadyClock::now();
    const auto call = std::make_shared<detail::TypedAsyncCall<R>>(background_, method);
    call->deadline = deadline_of(context, now);
    const auto encode = [&](const Codec& codec, Buffer& out) {
      detail::encode_args(codec, out, args...);
    };
    background_->start(call, now, context, encode);
    // Not earlier: who cancels looks for a call that was started.
    if (context.cancel_token().can_be_cancelled()) {
      call->on_cancel.emplace(context.cancel_token(),
                              [weak = std::weak_ptr<detail::AsyncCall>(call)] {
                                if (auto strong = weak.lock()) {
                                  detail::Background& background = *strong->background;
                                  background.cancel(std::move(strong));
                                }
                              });
    }
    return Future<R>(call);
  }
  template <class R, class... A>
  Future<R> async(std::string_view method, const A&... args) {
    return async<R>(Context(), method, args...);
  }

  // Sends a call that gets no reply. Returns when it is handed over for sending: nothing tells
  // whether it arrives or what becomes of it. Throws Error if it can't be sent.
  template <class... A>
  void notify(const Context& context, std::string_view method, const A&... args) {
    check_types<void, A...>();
    detail::RequestHeader header;
    header.method = method;
    header.metadata = &context.metadata();
    auto now = detail::SteadyClock::now();
    const auto deadline = deadline_of(context, now);
    detail::Channel& to = channel();
    const auto body = [&](const Codec& codec, Buffer& out) {
      detail::encode_args(codec, out, args...);
    };
    try {
      const auto connection = to.acquire(now, deadline, context.cancel_token());
      if (deadline <= now) throw detail::deadline_error().never_ran();
      if (context.has_deadline()) header.set_deadline(deadline, now);
      connection->notify(now, header, context, deadline, body);
    } catch (const Error& error) {
      throw error.in_call(method, address().str());
    }
  }
  template <class... A>
  void notify(std::string_view method, const A&... args) {
    notify(Context(), method, args...);
  }

  // Final: ends the connection, fails all calls in flight with `cancelled`, and every later one.
  // Safe to call twice, and from a callback.
  void close() { background_->close(); }
  bool closed() const { return channel().closed(); }

 private:
  detail::Channel& channel() const noexcept { return background_->channel(); }

  std::chrono::steady_clock::time_point deadline_of(
      const Context& context, std::chrono::steady_clock::time_point now) const {
    const auto timeout = channel().options().call_timeout;
    if (context.has_deadline() || timeout.count() <= 0) return context.deadline();
    return Context::deadline_after(timeout, now);
  }

  template <class R, class... A>
  static constexpr void check_types() {
    static_assert(detail::decodable_v<std::conditional_t<std::is_void_v<R>, bool, R>>,
                  "geerpc: the result type has no GEERPC_FIELDS and nlohmann/json does not convert "
                  "it, so no result can be decoded into it");
    static_assert((detail::encodable_v<A> && ...),
                  "geerpc: an argument's type has no GEERPC_FIELDS and nlohmann/json does not "
                  "convert it, so it can't be sent");
  }

  std::shared_ptr<detail::Background> background_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_CLIENT_CLIENT_HPP
