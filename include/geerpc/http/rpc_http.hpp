// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// HTTP on the ports of an RPC server, or on a port of its own.
//
//   geerpc::Server server;
//   geerpc::serve_http(server);                        // beside everything else, on all its ports
//   server.listen("tcp@127.0.0.1:9999");
//   geerpc::listen_http(server, "127.0.0.1:8080");     // a port that speaks nothing else
//
//   curl -d '{"jsonrpc":"2.0","method":"Foo.Sum","params":{"Num1":1,"Num2":2},"id":1}'
//        -H 'Content-Type: application/json' http://127.0.0.1:9999/jsonrpc

#ifndef GEERPC_HTTP_RPC_HTTP_HPP
#define GEERPC_HTTP_RPC_HTTP_HPP

#include <algorithm>    // min
#include <cstddef>      // size_t
#include <memory>       // make_shared, unique_ptr
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move

#include <geerpc/http/engine.hpp>
#include <geerpc/http/head.hpp>
#include <geerpc/http/json_rpc_handler.hpp>
#include <geerpc/server/server.hpp>

#ifndef GEERPC_NO_HTTP

GEERPC_BEGIN_NAMESPACE

namespace detail {

// Collects complete requests within their limits, in the connection's own thread, so that neither a
// slow peer nor a slow call holds up another connection.
class RpcHttp final : public PlainHttp {
 public:
  explicit RpcHttp(const HttpOptions& options)
      : options_(options), handler_(options), engine_(make_httplib_server<HttpEngine>()) {
    order_httplib_statics();
    engine_->set_idle_timeout(options.idle_timeout);
  }

  void serve(ServerStream& stream, const RpcAccess& rpc) override {
    const auto handle = [&](const httplib::Request& request, httplib::Response& response) {
      handler_(request, response, rpc);
    };
    const HttpEngine::Handler handler(handle);
    while (const std::optional<Request> request = receive(stream)) {
      HttpEngine::Answer answer = engine_->answer(request->head, request->body, handler);
      const auto write = [&](Buffer& out) { out.append(answer.text); };
      if (!answer.keep_alive) return stream.send_last(answer.text);
      if (!stream.append(write) || !stream.flush()) return;
    }
  }

 private:
  static constexpr std::size_t kMaxHead = 16u << 10;

  struct Request {
    std::string head, body;
  };

  static void refuse(ServerStream& stream, const std::string& status) {
    stream.send_last("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }

  // The next request; nothing if there is none, which the peer was told if it is its fault.
  std::optional<Request> receive(ServerStream& stream) const {
    Buffer& input = stream.input();
    if (input.empty()) {
      input.release();
      if (!stream.receive_until(ServerStream::after(options_.idle_timeout))) return {};
    }
    const auto deadline = ServerStream::after(options_.receive_timeout);
    std::size_t searched = 0, end = 0;
    try {
      while ((end = find_http_head_end(input.view(), searched, kMaxHead)) == 0) {
        if (!stream.receive_until(deadline))
          return refuse(stream, "408 Request Timeout"), std::nullopt;
      }
    } catch (const Error&) {
      return refuse(stream, "431 Request Header Fields Too Large"), std::nullopt;
    }
    const HttpHead head =
        rewrite_http_head(input.view().substr(0, end),
                          (std::min)(options_.max_body_size, stream.options().max_message_size));
    if (head.refusal != nullptr) return refuse(stream, head.refusal), std::nullopt;
    input.consume(end);
    if (head.expects_continue && input.size() < head.body) {
      stream.append([](Buffer& out) { out.append("HTTP/1.1 100 Continue\r\n\r\n"); });
      if (!stream.flush()) return {};
    }
    while (input.size() < head.body) {
      if (!stream.receive_until(deadline))
        return refuse(stream, "408 Request Timeout"), std::nullopt;
    }
    Request request{head.text + "\r\n", std::string(input.view().substr(0, head.body))};
    input.consume(head.body);
    return request;
  }

  const HttpOptions options_;
  const JsonRpcHandler handler_;
  const std::unique_ptr<HttpEngine> engine_;
};

}  // namespace detail

// From now on `server` answers HTTP on all ports that it listens on, beside everything else. Each
// connection has a thread, as all of the server's have, and counts as one of its connections.
inline void serve_http(Server& server, const HttpOptions& options = {}) {
  server.set_http(std::make_shared<detail::RpcHttp>(options));
}

// Has `server` listen on "host:port" for HTTP only. Returns what was bound. Throws Error as
// Server::listen() does.
inline Address listen_http(Server& server, std::string_view host_and_port,
                           const HttpOptions& options = {}) {
  return server.listen(detail::http_address(host_and_port),
                       std::make_shared<detail::RpcHttp>(options));
}

GEERPC_END_NAMESPACE

#endif  // GEERPC_NO_HTTP

#endif  // GEERPC_HTTP_RPC_HTTP_HPP
