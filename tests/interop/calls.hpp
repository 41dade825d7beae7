// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The calls of the recorded sessions, made by our client.

#ifndef GEERPC_TESTS_INTEROP_CALLS_HPP
#define GEERPC_TESTS_INTEROP_CALLS_HPP

#include <doctest/doctest.h>
#include <geerpc/geerpc.hpp>

#include <array>       // array
#include <cstdint>     // int64_t, uint64_t
#include <functional>  // function
#include <map>         // map
#include <memory>      // make_shared
#include <optional>    // optional
#include <string>      // string
#include <vector>      // vector

#include "services.hpp"

namespace interop {

// How a call ended: with a result, in JSON, or with an error.
struct Outcome {
  std::string result;
  std::optional<geerpc::Error> error;
};
using Finish = std::function<Outcome()>;
using Start = std::function<Finish(geerpc::Client&, const std::string& method, std::string args)>;

// Decodes the recorded argument into an A, sends that, and encodes the R that comes back.
template <class A, class R>
Finish start(geerpc::Client& client, const std::string& method, const std::string& text) {
  A argument;
  geerpc::detail::decode(geerpc::json_codec(), text, argument);
  auto future = std::make_shared<geerpc::Future<R>>(client.async<R>(method, argument));
  return [future] {
    const geerpc::Result<R> result = future->try_get();
    if (!result.ok()) return Outcome{"", result.error()};
    geerpc::Buffer out;
    geerpc::detail::encode(geerpc::json_codec(), out, result.value());
    return Outcome{std::string(out.view()), {}};
  };
}
template <class T>
Start echo() {
  return start<T, T>;
}

inline const std::map<std::string, Start>& methods() {
  static const std::map<std::string, Start> all{
      {"Foo.Sum", start<Args, Int>},
      {"Foo.SleepMs", start<Args, Int>},
      {"Foo.Fail", start<Args, Int>},
      {"Foo.Nope", start<Args, Int>},
      {"Nope.Sum", start<Args, Int>},
      {"nodot", start<Args, Int>},
      {"Arith.Add", start<ArithArgs, Reply>},
      {"Arith.Mul", start<ArithArgs, Reply>},
      {"Embed.Exported", start<ArithArgs, Reply>},
      {"Echo.Error", echo<std::string>()},
      {"BuiltinTypes.Map", start<ArithArgs, std::map<Int, Int>>},
      {"BuiltinTypes.Slice", start<ArithArgs, std::vector<Int>>},
      {"BuiltinTypes.Array", start<ArithArgs, std::array<Int, 2>>},
      {"Kitchen.Sink", echo<SinkData>()},
      {"Kitchen.Describe", start<SinkData, std::string>},
      {"Types.String", echo<std::string>()},
      {"Types.Int64", echo<std::int64_t>()},
      {"Types.Uint64", echo<std::uint64_t>()},
      {"Types.Float64", echo<double>()},
      {"Types.Float32", echo<float>()},
      {"Types.Bool", echo<bool>()},
      {"Types.Bytes", echo<Bytes>()},
      {"Types.Ints", echo<std::vector<Int>>()},
      {"Types.Strs", echo<std::vector<std::string>>()},
      {"Types.Items", echo<std::vector<Item>>()},
      {"Types.Arr", echo<std::array<Int, 3>>()},
      {"Types.StrInt", echo<std::map<std::string, Int>>()},
      {"Types.IntStr", echo<std::map<Int, std::string>>()},
      {"Types.MapItem", echo<std::map<std::string, Item>>()},
      {"Types.MapInts", echo<std::map<std::string, std::vector<Int>>>()},
      {"Types.Item", echo<Item>()},
      {"Types.ItemPtr", echo<Item>()},
      {"Types.Empty", echo<Empty>()},
  };
  return all;
}

// The calls of the scripts about errors, whose arguments are of types of their own.
inline Start starter(const nlohmann::json& call) {
  const std::string reply_type = call.at("reply_type").get<std::string>();
  const std::string args_type = call.at("args_type").get<std::string>();
  if (reply_type == "*string" && args_type == "svc.Args") return start<Args, std::string>;
  if (args_type != "svc.Args" && reply_type == "*int") return start<nlohmann::json, Int>;
  if (args_type == "float64" && reply_type == "*float32") return start<nlohmann::json, float>;
  return methods().at(call.at("method").get<std::string>());
}

// `result` is what the server sent, in JSON.
inline void check_outcome(const Outcome& outcome, const nlohmann::json& call,
                          const std::string& result) {
  if (!call.contains("error")) {
    INFO((outcome.error ? outcome.error->what() : ""));
    CHECK(outcome.result == result);
    return;
  }
  const std::string error = call.at("error").get<std::string>();
  REQUIRE(outcome.error);
  if (error.rfind("reading body ", 0) == 0) {  // the text of Go's own decoder follows
    CHECK(outcome.error->code() == geerpc::StatusCode::internal);
    CHECK(outcome.error->cause().rfind("reading body ", 0) == 0);
  } else {
    CHECK(outcome.error->cause() == error);
  }
}

}  // namespace interop

#endif  // GEERPC_TESTS_INTEROP_CALLS_HPP
