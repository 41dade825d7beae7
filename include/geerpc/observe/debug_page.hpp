// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The debug page: services, methods with their types, and how often they were called.

#ifndef GEERPC_OBSERVE_DEBUG_PAGE_HPP
#define GEERPC_OBSERVE_DEBUG_PAGE_HPP

#include <chrono>       // duration
#include <cstdint>      // uint64_t
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <nlohmann/json.hpp>

#include <geerpc/server/introspection.hpp>
#include <geerpc/server/stats.hpp>

GEERPC_BEGIN_NAMESPACE

// Where GeeRPC has it, and the same figures for programs.
inline constexpr const char* kDebugPath = "/debug/geerpc";
inline constexpr const char* kDebugJsonPath = "/debug/geerpc.json";

namespace detail {

inline std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

inline std::uint64_t calls_ended(const MethodStats& method) noexcept {
  return method.calls > method.in_flight ? method.calls - method.in_flight : 0;
}

// In microseconds; 0 before the first call ended.
inline double mean_microseconds(const MethodStats& method) noexcept {
  const std::uint64_t ended = calls_ended(method);
  const std::chrono::duration<double, std::micro> total = method.total_time;
  return ended == 0 ? 0 : total.count() / static_cast<double>(ended);
}

// "12.3 µs", "4.5 ms", "6.7 s"
inline std::string readable_time(double microseconds) {
  const char* unit = " &micro;s";
  if (microseconds >= 1e6) {
    microseconds /= 1e6;
    unit = " s";
  } else if (microseconds >= 1e3) {
    microseconds /= 1e3;
    unit = " ms";
  }
  const auto tenths = static_cast<std::uint64_t>(microseconds * 10 + 0.5);
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + unit;
}

inline std::vector<TypeDescription> types_of(const ServiceStats& service,
                                             const std::vector<ServiceDescription>& descriptions) {
  for (const ServiceDescription& description : descriptions) {
    if (description.name == service.name) return description.types;
  }
  return {};
}

inline nlohmann::json types_json(const std::vector<TypeDescription>& types) {
  nlohmann::json array = nlohmann::json::array();
  for (const TypeDescription& type : types) {
    Buffer text;
    JsonWriter writer(text);
    write_description(writer, type);
    array.push_back(json_codec().decode(text.view(), {}));
  }
  return array;
}

// "Args {Num1 int, Num2 int}"
inline std::string text_of_type(const TypeDescription& type) {
  std::string text = type.name + " {";
  for (const FieldDescription& field : type.fields) {
    if (&field != type.fields.data()) text += ", ";
    text += field.name + ' ' + field.type;
  }
  return text + '}';
}

}  // namespace detail

// A complete HTML page, in the shape of GeeRPC's, with the errors and the latency beside the calls,
// and the structs that methods take and return below them.
inline std::string debug_page_html(const std::vector<ServiceStats>& services,
                                   const std::vector<ServiceDescription>& descriptions = {}) {
  std::string page =
      "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>GeeRPC Services</title>"
      "<style>body{font-family:sans-serif}table{border-collapse:collapse}"
      "th,td{padding:.2em 1em;text-align:right}th:first-child,td:first-child{text-align:left;"
      "font-family:monospace}tr:nth-child(even){background:#eee}</style></head>\n<body>\n";
  for (const ServiceStats& service : services) {
    page += "<hr>\nService " + detail::html_escaped(service.name) +
            "\n<hr>\n<table>\n<tr><th>Method</th><th>Calls</th><th>Errors</th><th>In flight</th>"
            "<th>Mean</th><th>Longest</th></tr>\n";
    for (const MethodStats& method : service.methods) {
      const std::chrono::duration<double, std::micro> longest = method.max_time;
      page += "<tr><td>" + detail::html_escaped(method.signature) + "</td><td>" +
              std::to_string(method.calls) + "</td><td>" + std::to_string(method.errors) +
              "</td><td>" + std::to_string(method.in_flight) + "</td><td>" +
              detail::readable_time(detail::mean_microseconds(method)) + "</td><td>" +
              detail::readable_time(longest.count()) + "</td></tr>\n";
    }
    page += "</table>\n";
    for (const TypeDescription& type : detail::types_of(service, descriptions)) {
      page += "<pre>" + detail::html_escaped(detail::text_of_type(type)) + "</pre>\n";
    }
  }
  return page + "</body>\n</html>\n";
}

// {"services":[{"name":"Foo","methods":[{"name":"Sum","signature":"Sum(Args) int","calls":1,
// "errors":0,"in_flight":0,"total_us":12.5,"max_us":12.5}],
// "types":[{"name":"Args","fields":[{"name":"Num1","type":"int"}]}]}]}
inline std::string debug_page_json(const std::vector<ServiceStats>& services,
                                   const std::vector<ServiceDescription>& descriptions = {}) {
  nlohmann::json all = nlohmann::json::array();
  for (const ServiceStats& service : services) {
    nlohmann::json methods = nlohmann::json::array();
    for (const MethodStats& method : service.methods) {
      const std::chrono::duration<double, std::micro> total = method.total_time,
                                                      longest = method.max_time;
      methods.push_back({{"name", method.name},
                         {"signature", method.signature},
                         {"calls", method.calls},
                         {"errors", method.errors},
                         {"in_flight", method.in_flight},
                         {"total_us", total.count()},
                         {"max_us", longest.count()}});
    }
    all.push_back({{"name", service.name},
                   {"methods", std::move(methods)},
                   {"types", detail::types_json(detail::types_of(service, descriptions))}});
  }
  const nlohmann::json json = {{"services", std::move(all)}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

GEERPC_END_NAMESPACE

#endif  // GEERPC_OBSERVE_DEBUG_PAGE_HPP
