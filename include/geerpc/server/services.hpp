// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Services: the methods that a server publishes, by name.

#ifndef GEERPC_SERVER_SERVICES_HPP
#define GEERPC_SERVER_SERVICES_HPP

#include <atomic>         // atomic
#include <map>            // map
#include <memory>         // unique_ptr
#include <mutex>          // mutex
#include <set>            // set
#include <string>         // string
#include <string_view>    // string_view
#include <unordered_map>  // unordered_map
#include <utility>        // move
#include <vector>         // vector

#include <geerpc/base/error.hpp>
#include <geerpc/protocol/go_words.hpp>
#include <geerpc/server/handler.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// What the server says about itself, see introspection.hpp.
inline constexpr std::string_view kReservedService = "geerpc";

// Methods may be added while calls run. A table that is in use is never changed: it is replaced by
// a longer copy, and kept, so that looking a method up takes no lock. Thread-safe.
class Services {
 public:
  // Adds one method. Throws Error(already_exists or invalid_argument).
  void add(std::unique_ptr<Handler> handler) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::unique_ptr<Handler>> one;
    one.push_back(std::move(handler));
    add_all(std::move(one));
  }

  // Adds all methods of a service that must not exist yet, or none.
  void add_service(const std::string& name, std::vector<std::unique_ptr<Handler>> handlers) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (name.empty()) throw Error(StatusCode::invalid_argument, "rpc: the service's name is empty");
    if (!tables_.empty() && tables_.back()->services.count(name) != 0) {
      throw Error(StatusCode::already_exists, "rpc: service already defined: " + name);
    }
    add_all(std::move(handlers));
  }

  // From now on others may be looking at the table.
  void share() {
    const std::lock_guard<std::mutex> lock(mutex_);
    shared_ = true;
  }

  // The handler of "Service.Method", split at the last dot. Null if there is none, and `why`.
  Handler* find(std::string_view name, NoHandler& why) const {
    const Table* const table = current_.load(std::memory_order_acquire);
    if (table != nullptr) {
      const auto found = table->by_name.find(name);
      if (found != table->by_name.end()) return found->second;
    }
    const std::size_t dot = name.rfind('.');
    if (dot == name.npos) {
      why = NoHandler::ill_formed;
    } else if (table == nullptr || table->services.count(std::string(name.substr(0, dot))) == 0) {
      why = NoHandler::no_service;
    } else {
      why = NoHandler::no_method;
    }
    return nullptr;
  }

  // Sorted by name, without the reserved one.
  std::vector<std::string> names() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::set<std::string> names;
    for (const auto& [name, handler] : handlers_) names.emplace(name.substr(0, name.rfind('.')));
    names.erase(std::string(kReservedService));
    return {names.begin(), names.end()};
  }
  // Throws Error(not_found).
  ServiceDescription describe(const std::string& service) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    ServiceDescription description;
    description.name = service;
    TypeDescriptions types;
    const std::string begin = service + '.';
    for (auto entry = handlers_.lower_bound(begin);
         entry != handlers_.end() && entry->first.substr(0, begin.size()) == begin; ++entry) {
      if (entry->first.find('.', begin.size()) != entry->first.npos) continue;  // of "service.x"
      description.methods.push_back(entry->second->describe(types));
    }
    if (description.methods.empty()) {
      throw geerpc_no_handler(NoHandler::no_service, begin);
    }
    description.types = types.take();
    return description;
  }

  std::vector<ServiceDescription> describe() const {
    std::vector<ServiceDescription> services;
    for (const std::string& name : names()) services.push_back(describe(name));
    return services;
  }

  std::vector<ServiceStats> stats() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::map<std::string, ServiceStats> services;
    for (const auto& [name, handler] : handlers_) {
      const std::size_t dot = name.rfind('.');
      if (name.substr(0, dot) == kReservedService) continue;
      ServiceStats& service = services[std::string(name.substr(0, dot))];
      service.name = name.substr(0, dot);
      MethodStats& method = service.methods.emplace_back();
      method.name = handler->name();
      TypeDescriptions ignored;
      method.signature = handler->describe(ignored).signature();
      handler->counters.read(method);
    }
    std::vector<ServiceStats> sorted;
    for (auto& service : services) sorted.push_back(std::move(service.second));
    return sorted;
  }

 private:
  struct Table {
    std::unordered_map<std::string_view, Handler*> by_name;
    std::unordered_map<std::string, std::size_t> services;  // how many methods each has
  };

  // Mutex held.
  void add_all(std::vector<std::unique_ptr<Handler>> handlers) {
    std::set<std::string_view> names;
    for (const auto& handler : handlers) {
      check(handler->full_name());
      if (!names.insert(handler->full_name()).second) already_defined(handler->full_name());
    }
    if (shared_ || tables_.empty()) {
      tables_.push_back(std::make_unique<Table>(tables_.empty() ? Table() : *tables_.back()));
    }
    for (auto& handler : handlers) {
      const std::string_view name = handler->full_name();
      tables_.back()->by_name.emplace(name, handler.get());
      ++tables_.back()->services[std::string(name.substr(0, name.rfind('.')))];
      handlers_.emplace(name, std::move(handler));
    }
    current_.store(tables_.back().get(), std::memory_order_release);
  }

  [[noreturn]] static void already_defined(const std::string& name) {
    throw Error(StatusCode::already_exists, "rpc: method already defined: " + name);
  }

  void check(const std::string& name) const {
    const std::size_t dot = name.rfind('.');
    if (dot == name.npos || dot == 0 || dot + 1 == name.size()) {
      throw Error(StatusCode::invalid_argument,
                  "rpc: '" + name + "' is not of the form Service.Method");
    }
    if (handlers_.count(name) != 0) already_defined(name);
  }

  mutable std::mutex mutex_;
  // Guarded by mutex_. The names are those that the handlers hold.
  std::map<std::string_view, std::unique_ptr<Handler>> handlers_;
  std::vector<std::unique_ptr<Table>> tables_;  // the last one is current
  bool shared_ = false;

  std::atomic<const Table*> current_{nullptr};
};

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_SERVER_SERVICES_HPP
