// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobPlan: how a struct of the peer's becomes a struct of ours. Types are compared once, by Go's
// rules and with Go's error texts; values are then read without a look at names.

#ifndef GEERPC_CODEC_GOB_PLAN_HPP
#define GEERPC_CODEC_GOB_PLAN_HPP

#include <algorithm>    // find
#include <atomic>       // atomic
#include <cstddef>      // size_t
#include <memory>       // make_unique, unique_ptr
#include <optional>     // optional
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <utility>      // exchange, pair
#include <vector>       // vector

#include <geerpc/codec/gob_schema.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

struct GobPlan {
  static constexpr std::size_t kSkip = ~std::size_t{0};
  struct Step {
    std::size_t field = kSkip;        // of ours
    const GobRemote* type = nullptr;  // if it is not skipped
  };

  const GobType* local = nullptr;
  std::vector<Step> steps;           // for each field of the peer's struct
  std::vector<std::size_t> matches;  // those that are not skipped, at most one for each of ours
  std::optional<Error> failure;      // why there is no way
  const GobPlan* next = nullptr;     // another type of ours, for the same struct of the peer's
};

inline GobSchema::~GobSchema() {
  for (const auto& type : types_) {
    for (const GobPlan* plan = type->plans.load(std::memory_order_acquire); plan != nullptr;) {
      delete std::exchange(plan, plan->next);
    }
  }
}

// Appends what Go calls the type, "Args = struct { A int; B []string; }", as far as that is short.
inline void append_gob_remote_name(const GobSchema& schema, const GobRemote* type, int depth,
                                   std::string& out) {
  constexpr int max_depth = 8;
  constexpr std::size_t max_size = 400;
  if (out.size() > max_size) return;
  if (type == nullptr || depth > max_depth) {
    out += '?';
    return;
  }
  const auto append = [&](int id) {
    append_gob_remote_name(schema, schema.find(id), depth + 1, out);
  };
  const std::string_view name = type->name.substr(0, 100);
  switch (type->shape) {
    case GobShape::array:
      out += "[" + std::to_string(type->length) + "]";
      return append(type->element);
    case GobShape::slice:
      out += "[]";
      return append(type->element);
    case GobShape::map:
      out += "map[";
      append(type->key);
      out += ']';
      return append(type->element);
    case GobShape::basic:
    case GobShape::opaque:
      break;
    case GobShape::record:
      if (depth != 0 && !name.empty()) break;
      out.append(name).append(" = struct { ");
      for (const GobRemote::Field& field : type->fields) {
        if (out.size() > max_size) break;
        out.append(field.name.substr(0, 100)).append(" ");
        append(field.type);
        out += "; ";
      }
      out += '}';
      return;
  }
  out += name;
}
inline std::string gob_remote_name(const GobSchema& schema, const GobRemote* type) {
  std::string name;
  append_gob_remote_name(schema, type, 0, name);
  return name;
}

// Finds plans and makes those that are missing. On the stack of one decoding; several may be at
// work on one schema.
class GobPlanner {
 public:
  GobPlanner(const GobSchema& schema, std::size_t max_depth)
      : schema_(schema), max_depth_(max_depth) {}

  // Throws Error(invalid_argument), in Go's words, unless a value of the peer's type can become one
  // of ours that is not in anything else.
  void check(const GobRemote* remote, const GobType& local) {
    if (local.shape != GobShape::record && !is_compatible(remote, local)) {
      throw_bad_value("gob: decoding into local type *" + gob_type_name(local) +
                      ", received remote type " + gob_remote_name(schema_, remote));
    }
    if (remote == nullptr) throw_bad_value("gob: unknown type id or corrupted data");
    prepare(*remote, local);
    if (local.shape != GobShape::record) return;
    const bool both_have_fields = local.field_count != 0 && !remote->fields.empty();
    if (both_have_fields && plan(*remote, local).matches.empty()) {
      throw_bad_value("gob: type mismatch: no fields matched compiling decoder for " +
                      std::string(local.name));
    }
  }

  // The plan for a struct, and for those in it. Throws Error if they can't be had.
  const GobPlan& plan(const GobRemote& remote, const GobType& local) {
    for (const GobPlan* each = remote.plans.load(std::memory_order_acquire); each != nullptr;
         each = each->next) {
      if (each->local != &local) continue;
      if (each->failure) throw *each->failure;
      return *each;
    }
    return make(remote, local);
  }

 private:
  static constexpr std::size_t kMaxPlanned = 1u << 18;  // places in the plans of one stream

  // Structs pass here: they are looked at field by field.
  bool is_compatible(const GobRemote* remote, const GobType& local) const {
    if (remote == nullptr) return false;
    const auto elements = [&] {
      return is_compatible(schema_.find(remote->element), local.element());
    };
    switch (local.shape) {
      case GobShape::record:
        return true;
      case GobShape::basic:
        // What marshals itself has no other form for those who don't know how.
        if (remote->shape == GobShape::opaque) {
          return local.id == kGobBytes || local.id == kGobString;
        }
        return remote->shape == GobShape::basic && remote->id == local.id;
      case GobShape::opaque:
        return remote->shape == GobShape::opaque;
      case GobShape::array:
        return remote->shape == GobShape::array && remote->length == local.length && elements();
      case GobShape::slice:
        return remote->shape == GobShape::slice && elements();
      case GobShape::map:
        return remote->shape == GobShape::map &&
               is_compatible(schema_.find(remote->key), local.key()) && elements();
    }
    return false;
  }

  // Makes the plans for all structs in a type that is compatible.
  void prepare(const GobRemote& remote, const GobType& local) {
    if (local.shape == GobShape::record) {
      if (remote.shape != GobShape::record) {
        throw_bad_value("gob: type mismatch in decoder: want struct type " + gob_type_name(local) +
                        "; got non-struct");
      }
      // A struct that is inside itself is being planned already.
      const Pair pair(&remote, &local);
      if (std::find(open_.begin(), open_.end(), pair) == open_.end()) plan(remote, local);
      return;
    }
    if (local.shape == GobShape::map) prepare(schema_.get(remote.key), local.key());
    if (local.element != nullptr) prepare(schema_.get(remote.element), local.element());
  }

  // A failure is kept, too: the peer must not make us find it out again and again.
  const GobPlan& make(const GobRemote& remote, const GobType& local) {
    if (schema_.planned.load(std::memory_order_relaxed) > kMaxPlanned) {
      throw Error(StatusCode::resource_exhausted, "gob: too many different types");
    }
    auto plan = std::make_unique<GobPlan>();
    plan->local = &local;
    plan->steps.resize(remote.fields.size());
    open_.emplace_back(&remote, &local);
    try {
      if (open_.size() > max_depth_) throw_too_deep(max_depth_);
      std::vector<bool> taken(local.match_count);
      for (std::size_t i = 0; i < remote.fields.size(); ++i) {
        if (plan_field(remote, remote.fields[i], local, taken, plan->steps[i])) {
          plan->matches.push_back(i);
        }
      }
    } catch (const Error& error) {
      plan->failure = error;
      plan->steps = {};
    }
    open_.pop_back();
    schema_.planned.fetch_add(plan->steps.size() + 8, std::memory_order_relaxed);
    GobPlan* const made = plan.release();
    made->next = remote.plans.load(std::memory_order_relaxed);
    while (!remote.plans.compare_exchange_weak(made->next, made, std::memory_order_acq_rel)) {
    }
    if (made->failure) throw *made->failure;
    return *made;
  }

  // False if the field is to be skipped.
  bool plan_field(const GobRemote& remote, const GobRemote::Field& field, const GobType& local,
                  std::vector<bool>& taken, GobPlan::Step& step) {
    for (std::size_t i = 0; i < local.match_count; ++i) {
      if (local.fields[i].name != field.name || taken[i]) continue;
      const GobType& ours = local.fields[i].type();
      const GobRemote& theirs = schema_.get(field.type);
      if (!is_compatible(&theirs, ours)) {
        throw_bad_value("gob: wrong type (" + std::string(local.fields[i].pointer ? "*" : "") +
                        gob_type_name(ours) + ") for received field " +
                        std::string(remote.name.substr(0, 100)) + "." +
                        std::string(field.name.substr(0, 100)));
      }
      prepare(theirs, ours);
      taken[i] = true;
      step = {i, &theirs};
      return true;
    }
    return false;
  }

  using Pair = std::pair<const GobRemote*, const GobType*>;

  const GobSchema& schema_;
  const std::size_t max_depth_;
  std::vector<Pair> open_;  // of which plans are being made
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_PLAN_HPP
