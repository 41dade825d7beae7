// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobSkipper: reads over values of any type of the peer's.

#ifndef GEERPC_CODEC_GOB_SKIP_HPP
#define GEERPC_CODEC_GOB_SKIP_HPP

#include <cstddef>  // size_t
#include <cstdint>  // int64_t, uint64_t

#include <geerpc/codec/gob_schema.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// An interface value is a name, a type and a value of that type. A type that is new is defined
// right there; the message then ends, and the rest of the value, and of all that it is in, comes in
// the next one. Where such a value ends only who reads it can tell: so the thread that reads the
// stream reads over each value that may hold interface values, and learns the types that are
// defined in it; whoever decodes the value later reads over these definitions. (Go itself skips
// such a value by its announced length, and then misses what was defined in it.)
class GobSkipper {
 public:
  GobSkipper(const GobSchema& schema, std::size_t max_depth)
      : schema_(schema), max_depth_(max_depth), depth_left_(max_depth) {}

  // As that thread. Definitions up to `known` were learned at an earlier attempt, which met the end
  // of what was there; `known` moves on.
  GobSkipper(GobSchema& schema, std::size_t max_depth, const char*& known)
      : schema_(schema),
        max_depth_(max_depth),
        depth_left_(max_depth),
        learning_(&schema),
        known_(&known) {}

  // What stands behind the number of a type.
  void skip_typed(GobReader& in, std::int64_t id) {
    const GobRemote& type = schema_.get(id);
    if (type.shape != GobShape::record) in.uint();
    skip(in, type);
  }

  // How many more messages the value turned out to be in.
  int cuts() const noexcept { return cuts_; }

  // A value whose type is known. Recursive, but no deeper than allowed.
  void skip(GobReader& in, const GobRemote& type) {
    switch (type.shape) {
      case GobShape::basic:
        skip_basic(in, type.id);
        return;
      case GobShape::opaque:
        in.string();
        return;
      case GobShape::array:
      case GobShape::slice:
      case GobShape::map:
      case GobShape::record:
        break;
    }
    if (depth_left_ == 0) throw_too_deep(max_depth_);
    --depth_left_;
    if (type.shape == GobShape::record) {
      for (std::size_t field = 0; in.next_field(field, type.fields.size());) {
        skip(in, schema_.get(type.fields[field - 1].type));
      }
    } else {
      const GobRemote* const key = type.shape == GobShape::map ? &schema_.get(type.key) : nullptr;
      const GobRemote& element = schema_.get(type.element);
      for (std::uint64_t left = in.uint(); left != 0; --left) {
        in.begin_element();
        if (key != nullptr) skip(in, *key);
        skip(in, element);
      }
    }
    ++depth_left_;
  }

 private:
  void skip_basic(GobReader& in, int id) {
    if (id == kGobInterface) return skip_interface(in);
    if (id == kGobBytes || id == kGobString) {
      in.string();
      return;
    }
    in.uint();
    if (id == kGobComplex) in.uint();
  }

  void skip_interface(GobReader& in) {
    if (in.string().empty()) return;  // nil
    if (depth_left_ == 0) throw_too_deep(max_depth_);
    --depth_left_;
    // The type, behind definitions of such as are new. Behind one there is either the length of
    // what follows or the end of the message.
    std::int64_t id = 0;
    while ((id = next_type(in)) < 0) {
      define(in, id);
      if (!in.at_end()) in.uint();
    }
    in.uint();  // the length of the value, or of its part up to the next definition
    skip_typed(in, id);
    ++depth_left_;
  }
  std::int64_t next_type(GobReader& in) {
    if (in.at_end()) {
      if (++cuts_ > kMaxCuts) {
        throw Error(StatusCode::resource_exhausted, "gob: a value in too many messages");
      }
      in.begin_message();
    }
    return in.integer();
  }
  void define(GobReader& in, std::int64_t id) {
    if (learning_ == nullptr || in.position() <= *known_) {
      GobSchema::skip_definition(in);
      return;
    }
    const char* const here = in.position();
    learning_->learn(id, in);
    *known_ = here;
  }

  static constexpr int kMaxCuts = 64;

  const GobSchema& schema_;
  const std::size_t max_depth_;
  std::size_t depth_left_;
  int cuts_ = 0;
  GobSchema* const learning_ = nullptr;
  const char** const known_ = nullptr;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_SKIP_HPP
