// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What a server tells about itself, as JSON, in every protocol, under the reserved name "geerpc":
//
//   geerpc.Services()            ["Foo"]
//   geerpc.Methods(string name)  {"name":"Foo",
//                                 "methods":[{"name":"Sum","params":["Args"],"result":"int"}],
//                                 "types":[{"name":"Args","fields":[{"name":"Num1","type":"int"}]}]}

#ifndef GEERPC_SERVER_INTROSPECTION_HPP
#define GEERPC_SERVER_INTROSPECTION_HPP

#include <memory>       // make_unique
#include <string>       // string
#include <string_view>  // string_view
#include <tuple>        // get, tuple
#include <vector>       // vector

#include <nlohmann/json.hpp>

#include <geerpc/codec/codec.hpp>
#include <geerpc/codec/json_writer.hpp>
#include <geerpc/protocol/wires.hpp>
#include <geerpc/reflect/describe.hpp>
#include <geerpc/server/services.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

inline void write_member(JsonWriter& out, std::string_view key, std::string_view value) {
  out.key(key);
  out.string(value);
}
inline void write_texts(JsonWriter& out, const std::vector<std::string>& texts) {
  out.begin_array(texts.size());
  for (const std::string& text : texts) out.string(text);
  out.end_array();
}
inline void write_description(JsonWriter& out, const MethodDescription& method) {
  out.begin_object(3);
  write_member(out, "name", method.name);
  out.key("params");
  write_texts(out, method.params);
  write_member(out, "result", method.result);
  out.end_object();
}
inline void write_description(JsonWriter& out, const TypeDescription& type) {
  out.begin_object(2);
  write_member(out, "name", type.name);
  out.key("fields");
  out.begin_array(type.fields.size());
  for (const FieldDescription& field : type.fields) {
    out.begin_object(2);
    write_member(out, "name", field.name);
    write_member(out, "type", field.type);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}
inline void write_description(JsonWriter& out, const ServiceDescription& service) {
  out.begin_object(3);
  write_member(out, "name", service.name);
  out.key("methods");
  out.begin_array(service.methods.size());
  for (const MethodDescription& method : service.methods) write_description(out, method);
  out.end_array();
  out.key("types");
  out.begin_array(service.types.size());
  for (const TypeDescription& type : service.types) write_description(out, type);
  out.end_array();
  out.end_object();
}

// Answers with a document, which the codec encodes: every one can.
class IntrospectionHandler final : public Handler {
 public:
  enum class Asks { services, methods };

  // `services` outlives the handler, which it owns.
  IntrospectionHandler(const char* name, const Services& services, Asks asks)
      : Handler(name), services_(services), asks_(asks) {}

  MethodDescription describe(TypeDescriptions&) const override {
    return {std::string(name()), {}, "json"};
  }

  void run(const Codec& codec, const Body& body, const DecodeLimits& limits,
           Responder& responder) override {
    std::tuple<std::string> args;
    if (asks_ == Asks::methods) decode_body_args(codec, body, args, limits);
    responder.begin_handler();
    Buffer document;
    JsonWriter writer(document);
    if (asks_ == Asks::methods) {
      write_description(writer, services_.describe(std::get<0>(args)));
    } else {
      write_texts(writer, services_.names());
    }
    const nlohmann::json result = json_codec().decode(document.view(), limits);
    const auto encode_result = [&](const Codec& to, Buffer& out) { to.encode(result, out); };
    responder.reply(encode_result);
  }

 private:
  const Services& services_;
  const Asks asks_;
};

inline void add_introspection(Services& services) {
  using Asks = IntrospectionHandler::Asks;
  services.add(std::make_unique<IntrospectionHandler>("geerpc.Services", services, Asks::services));
  services.add(std::make_unique<IntrospectionHandler>("geerpc.Methods", services, Asks::methods));
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_INTROSPECTION_HPP
