// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// A ServerList as JSON: {"instance":"…","revision":7,"servers":[{"address":"tcp@h:1","age_ms":12,
// "services":["Foo"]}],"ttl_ms":300000,"uptime_ms":9000}. All but the addresses may be missing.

#ifndef GEERPC_REGISTRY_SERVER_LIST_JSON_HPP
#define GEERPC_REGISTRY_SERVER_LIST_JSON_HPP

#include <algorithm>    // min
#include <chrono>       // milliseconds
#include <cstdint>      // uint64_t
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <nlohmann/json.hpp>

#include <geerpc/registry/server_list.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

inline std::string print_server_list(const ServerList& list) {
  nlohmann::json servers = nlohmann::json::array();
  for (const ServerInfo& server : list.servers) {
    servers.push_back({{"address", server.address.str()},
                       {"services", server.services},
                       {"age_ms", server.age.count()}});
  }
  nlohmann::json json = {
      {"revision", list.revision}, {"instance", list.instance}, {"servers", std::move(servers)}};
  if (list.ttl) json["ttl_ms"] = list.ttl->count();
  if (list.uptime) json["uptime_ms"] = list.uptime->count();
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A JSON object that is nested no deeper than the registry's. Throws Error(data_loss).
inline nlohmann::json parse_registry_json(const std::string& text) {
  constexpr int max_depth = 8;  // a document of nothing but '[' would cost 40 times its size
  const auto limit_depth = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > max_depth) throw Error(StatusCode::data_loss, "its answer is nested too deep");
    return true;
  };
  try {
    nlohmann::json json = nlohmann::json::parse(text, limit_depth);
    if (json.is_object()) return json;
  } catch (const nlohmann::json::exception&) {
  }
  throw Error(StatusCode::data_loss, "its answer is not the JSON of a registry");
}

inline std::optional<std::chrono::milliseconds> json_milliseconds(const nlohmann::json& json,
                                                                  const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  constexpr std::uint64_t most = std::uint64_t{1000} * 3600 * 24 * 365 * 100;
  return std::chrono::milliseconds((std::min)(found->get<std::uint64_t>(), most));
}

// Adds a server unless its address makes no sense: one bad entry must not hide the others.
inline bool add_server(ServerList& list, std::string_view address, const nlohmann::json* details) {
  Result<Address> parsed = Address::try_parse(address);
  if (!parsed.ok()) return false;
  ServerInfo server(std::move(parsed).value());
  if (details != nullptr) {
    server.age = json_milliseconds(*details, "age_ms").value_or(std::chrono::milliseconds(0));
    const auto services = details->find("services");
    if (services != details->end() && services->is_array()) {
      for (const nlohmann::json& service : *services) {
        if (service.is_string()) server.services.push_back(service.get<std::string>());
      }
    }
  }
  list.servers.push_back(std::move(server));
  return true;
}

// Ends the reading of a list in which `bad` addresses made no sense. Throws Error(data_loss) if
// none did.
inline ServerList checked_server_list(ServerList list, std::size_t bad) {
  if (bad != 0 && list.servers.empty()) {
    throw Error(StatusCode::data_loss, "none of its servers has an address that makes sense");
  }
  list.normalise();
  return list;
}

// Throws Error(data_loss) if it is not a registry's, or if none of its addresses makes sense.
inline ServerList parse_server_list(const std::string& text) {
  const nlohmann::json json = parse_registry_json(text);
  const auto servers = json.find("servers");
  if (servers == json.end() || !servers->is_array()) {
    throw Error(StatusCode::data_loss, "its JSON has no list of servers");
  }
  ServerList list;
  std::size_t bad = 0;
  for (const nlohmann::json& server : *servers) {
    const bool named =
        server.is_object() && server.contains("address") && server["address"].is_string();
    if (!named || !add_server(list, server["address"].get<std::string>(), &server)) ++bad;
  }
  const auto revision = json.find("revision");
  if (revision != json.end() && revision->is_number_unsigned()) {
    list.revision = revision->get<std::uint64_t>();
  }
  const auto instance = json.find("instance");
  if (instance != json.end() && instance->is_string()) {
    list.instance = instance->get<std::string>();
  }
  list.ttl = json_milliseconds(json, "ttl_ms");
  list.uptime = json_milliseconds(json, "uptime_ms");
  return checked_server_list(std::move(list), bad);
}

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_REGISTRY_SERVER_LIST_JSON_HPP
