// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// RegistryRef: a parameter type for "some registry".

#ifndef GEERPC_REGISTRY_REGISTRY_REF_HPP
#define GEERPC_REGISTRY_REGISTRY_REF_HPP

#include <chrono>       // milliseconds
#include <memory>       // shared_ptr
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // enable_if_t, is_base_of_v, is_convertible_v
#include <utility>      // move

#include <geerpc/registry/registry.hpp>

GEERPC_BEGIN_NAMESPACE

// For a registry that is reached by its URL.
struct HttpRegistryOptions {
  // The secret that the registry wants to see (RegistryServerOptions::token); empty: none.
  std::string token;

  // For a request whose context has no deadline.
  std::chrono::milliseconds timeout = std::chrono::seconds(3);
};

namespace detail {

// Makes connect_registry a call that is looked up where a URL is used. There,
// http/http_registry.hpp offers a better match than the one here, if it was included.
template <class Text>
struct UrlTag {};

template <class Tag>
std::shared_ptr<RegistryApi> connect_registry(Tag, std::string_view, HttpRegistryOptions) {
  static_assert(sizeof(Tag) == 0,
                "geerpc: a registry URL needs cpp-httplib: include <geerpc/geerpc.hpp> without "
                "GEERPC_NO_HTTP");
  return nullptr;
}

}  // namespace detail

// Converts from everything that names a registry:
//   Registry registry;          Heartbeat a(registry, address);
//   a shared_ptr to one         Heartbeat b(std::make_shared<Registry>(), address);
//   the URL of one              Heartbeat c("http://host:9999/_geerpc_/registry", address);
//   a URL and options           Heartbeat d({"http://host:9999", {"secret"}}, address);
// A registry given by reference must outlive what was made with it. URLs need <geerpc/geerpc.hpp>;
// <geerpc/core.hpp> is not enough.
class RegistryRef {
 public:
  RegistryRef(RegistryApi& registry) : registry_(std::shared_ptr<void>(), &registry) {}
  template <class R, class = std::enable_if_t<std::is_base_of_v<RegistryApi, R>>>
  RegistryRef(std::shared_ptr<R> registry) : registry_(std::move(registry)) {
    if (registry_ == nullptr) throw Error(StatusCode::invalid_argument, "registry: null pointer");
  }
  // Throws Error(invalid_argument) for a URL that is malformed.
  template <class Text,
            std::enable_if_t<std::is_convertible_v<const Text&, std::string_view>, int> = 0>
  RegistryRef(const Text& url, HttpRegistryOptions options = {})
      : registry_(connect_registry(detail::UrlTag<Text>(), url, std::move(options))) {}

  RegistryApi* operator->() const noexcept { return registry_.get(); }
  RegistryApi& operator*() const noexcept { return *registry_; }

 private:
  std::shared_ptr<RegistryApi> registry_;
};

GEERPC_END_NAMESPACE

#endif  // GEERPC_REGISTRY_REGISTRY_REF_HPP
