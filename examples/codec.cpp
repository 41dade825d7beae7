// A codec of your own, here CBOR. It converts between nlohmann::json and bytes; geerpc does the
// rest. Server and client must both know it.

#include <geerpc/geerpc.hpp>

#include <iostream>  // cout
#include <map>       // map
#include <string>    // string
#include <vector>    // vector

struct CborCodec : geerpc::Codec {
  std::string_view content_type() const override { return "application/cbor"; }
  void encode(const nlohmann::json& value, geerpc::Buffer& out) const override {
    const std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(value);
    out.append(bytes.data(), bytes.size());
  }
  nlohmann::json decode(std::string_view in, const geerpc::DecodeLimits&) const override {
    return nlohmann::json::from_cbor(in);
  }
};

struct Order {
  std::string item;
  int quantity = 0;
  std::vector<std::byte> note;
};
GEERPC_FIELDS(Order, item, quantity, note)

int main() {
  const CborCodec cbor;

  geerpc::ServerOptions server_options;
  server_options.codecs = {&cbor};  // beside MessagePack and JSON
  geerpc::Server server(server_options);
  server.add("Shop.Buy", [](const Order& order) {
    return std::map<std::string, int>{{order.item, order.quantity}};
  });
  const geerpc::Address address = server.listen("tcp@127.0.0.1:0");

  geerpc::ClientOptions client_options;
  client_options.codec = &cbor;
  geerpc::Client client(address, client_options);
  const auto bought = client.call<std::map<std::string, int>>(
      "Shop.Buy", Order{"apples", 3, {std::byte{0}, std::byte{255}}});
  std::cout << "apples: " << bought.at("apples") << '\n';

  // A server that does not know the codec says so.
  geerpc::Server other;
  geerpc::Client refused(other.listen("tcp@127.0.0.1:0"), client_options);
  const auto result = refused.try_call<void>("Shop.Buy", Order{});
  std::cout << to_string(result.code()) << ": " << result.error().cause() << '\n';
}
