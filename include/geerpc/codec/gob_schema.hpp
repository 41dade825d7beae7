// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobSchema: the types that the peer of one stream has described to us.

#ifndef GEERPC_CODEC_GOB_SCHEMA_HPP
#define GEERPC_CODEC_GOB_SCHEMA_HPP

#include <atomic>       // atomic
#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint32_t
#include <limits>       // numeric_limits
#include <memory>       // make_unique, unique_ptr
#include <string>       // string, to_string
#include <string_view>  // string_view
#include <utility>      // move
#include <vector>       // vector

#include <geerpc/base/random.hpp>
#include <geerpc/codec/gob_reader.hpp>
#include <geerpc/codec/gob_type.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

struct GobPlan;

// One type of the peer's. Constant once it is in the schema, but for the plans.
struct GobRemote {
  struct Field {
    std::string_view name;
    int type = 0;
  };

  GobRemote() = default;
  GobRemote(GobShape its_shape, int its_id, std::string_view its_name)
      : shape(its_shape), id(its_id), name(its_name) {}

  GobShape shape = GobShape::basic;
  int id = 0;
  std::string_view name;
  int key = 0;                // map
  int element = 0;            // array, slice, map
  std::size_t length = 0;     // array
  std::vector<Field> fields;  // record
  std::string text;           // the definition, which the names are in

  // How values of this record become values of C++ types; the newest first. See GobPlan.
  mutable std::atomic<const GobPlan*> plans{nullptr};
};

// Definitions are learned by the thread that reads the stream; any thread may look types up
// meanwhile. So what is published is never changed: the table grows into a copy, and the old one
// stays until the end.
class GobSchema {
 public:
  static constexpr std::size_t kMaxTypes = 4096;
  static constexpr std::size_t kMaxFields = 65536;
  static constexpr std::size_t kMaxBytes = 1u << 20;  // of all definitions

  GobSchema() = default;
  ~GobSchema();  // in gob_plan.hpp
  GobSchema(const GobSchema&) = delete;
  GobSchema& operator=(const GobSchema&) = delete;

  // Reads a definition, behind the negative number with which it starts. Throws Error.
  void learn(std::int64_t id, GobReader& in) {
    if (id >= 0 || id < -std::int64_t{(std::numeric_limits<int>::max)()}) {
      throw_bad_value("gob: unknown type id or corrupted data");
    }
    auto type = std::make_unique<GobRemote>();
    type->id = static_cast<int>(-id);
    if (type->id < kGobFirstId || find(type->id) != nullptr) {
      throw_bad_value("gob: duplicate type received");
    }
    bytes_ += parse(in, *type, true);
    if (types_.size() == kMaxTypes || bytes_ > kMaxBytes) {
      throw Error(StatusCode::resource_exhausted, "gob: too many type definitions");
    }
    add(std::move(type));
  }
  // Reads over one that was learned already.
  static void skip_definition(GobReader& in) {
    GobRemote ignored;
    parse(in, ignored, false);
  }

  // True once a definition mentions interface types: their values need care, see GobSkipper.
  bool has_interfaces() const noexcept { return has_interfaces_; }

  // Null if there is no such type (yet). Any thread.
  const GobRemote* find(std::int64_t id) const {
    if (id > 0 && id < kGobFirstId) return basic(id);
    const Table* const table = table_.load(std::memory_order_acquire);
    if (table == nullptr) return nullptr;
    for (std::size_t i = hash(id);; ++i) {
      const GobRemote* const type = table->place(i).load(std::memory_order_acquire);
      if (type == nullptr || type->id == id) return type;
    }
  }
  // The same, where a type is needed.
  const GobRemote& get(std::int64_t id) const {
    const GobRemote* const type = find(id);
    if (type == nullptr) throw_bad_value("gob: unknown type id or corrupted data");
    return *type;
  }

  // How many places in plans are in use; for GobPlan.
  mutable std::atomic<std::size_t> planned{0};

 private:
  struct Table {
    explicit Table(std::size_t n)
        : size(n), places(std::make_unique<std::atomic<const GobRemote*>[]>(n)) {
      for (std::size_t i = 0; i < n; ++i) places[i].store(nullptr, std::memory_order_relaxed);
    }
    const std::size_t size;  // a power of two, at least twice what is in it
    const std::unique_ptr<std::atomic<const GobRemote*>[]> places;

    std::atomic<const GobRemote*>& place(std::size_t i) const { return places[i & (size - 1)]; }
  };

  // The peer chooses the numbers, but must not be able to choose the places.
  std::size_t hash(std::int64_t id) const noexcept {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(id) * seed_) >> 32);
  }
  void put(const Table& table, const GobRemote* type) const {
    std::size_t i = hash(type->id);
    while (table.place(i).load(std::memory_order_relaxed) != nullptr) ++i;
    table.place(i).store(type, std::memory_order_release);
  }

  static const GobRemote* basic(std::int64_t id) {
    static const GobRemote types[] = {
        {GobShape::basic, kGobBool, "bool"},       {GobShape::basic, kGobInt, "int"},
        {GobShape::basic, kGobUint, "uint"},       {GobShape::basic, kGobFloat, "float"},
        {GobShape::basic, kGobBytes, "bytes"},     {GobShape::basic, kGobString, "string"},
        {GobShape::basic, kGobComplex, "complex"}, {GobShape::basic, kGobInterface, "interface"}};
    return id <= kGobInterface ? &types[id - 1] : nullptr;
  }

  void add(std::unique_ptr<GobRemote> type) {
    has_interfaces_ = has_interfaces_ || mentions_interfaces(*type);
    const GobRemote* const added = type.get();
    types_.push_back(std::move(type));
    if (tables_.empty() || tables_.back()->size < 2 * types_.size()) {
      tables_.push_back(std::make_unique<Table>(tables_.empty() ? 32 : 4 * tables_.back()->size));
      for (const auto& each : types_) put(*tables_.back(), each.get());
      table_.store(tables_.back().get(), std::memory_order_release);
    } else {
      put(*tables_.back(), added);
    }
  }
  static bool mentions_interfaces(const GobRemote& type) {
    for (const GobRemote::Field& field : type.fields) {
      if (field.type == kGobInterface) return true;
    }
    return type.key == kGobInterface || type.element == kGobInterface;
  }

  // Reads a struct of Go's type wireType (encoding/gob/type.go; docs/protocol.md), of whose fields
  // exactly one is there. Returns its size. If it is to be kept the names point into a copy.
  static std::size_t parse(GobReader& in, GobRemote& type, bool keep) {
    const char* const begin = in.position();
    read(in, type);
    const auto size = static_cast<std::size_t>(in.position() - begin);
    if (!keep) return size;
    type.text.assign(begin, size);
    const auto move = [&](std::string_view& name) {
      if (!name.empty()) name = {type.text.data() + (name.data() - begin), name.size()};
    };
    move(type.name);
    for (GobRemote::Field& field : type.fields) move(field.name);
    return size;
  }
  static void read(GobReader& in, GobRemote& type) {
    constexpr GobShape shapes[] = {GobShape::array, GobShape::slice,  GobShape::record,
                                   GobShape::map,   GobShape::opaque, GobShape::opaque,
                                   GobShape::opaque};
    std::size_t which = 0;
    if (!in.next_field(which, 7)) throw_bad_value("gob: bad data: empty type definition");
    type.shape = shapes[which - 1];
    read_shape(in, type);
    if (in.next_field(which, 7)) throw_bad_value("gob: bad data: ambiguous type definition");
  }
  // CommonType is the first field of all shapes; what follows differs.
  static void read_shape(GobReader& in, GobRemote& type) {
    const bool one = type.shape == GobShape::slice || type.shape == GobShape::record;
    const std::size_t fields = type.shape == GobShape::opaque ? 1 : one ? 2 : 3;
    for (std::size_t field = 0; in.next_field(field, fields);) {
      if (field == 1) {
        read_name_and_id(in, type.name);
      } else if (type.shape == GobShape::record) {
        read_fields(in, type);
      } else if (type.shape == GobShape::array && field == 3) {
        const std::int64_t length = in.integer();
        if (length < 0) throw_bad_value("gob: bad data: array of negative length");
        type.length = static_cast<std::size_t>(length);
      } else if (type.shape == GobShape::map && field == 2) {
        type.key = read_id(in);
      } else {
        type.element = read_id(in);
      }
    }
  }
  static void read_fields(GobReader& in, GobRemote& type) {
    const std::uint64_t count = in.uint();
    if (count > in.left()) GobReader::throw_short();  // a definition is in one message
    if (count > kMaxFields) {
      throw Error(StatusCode::resource_exhausted, "gob: too many fields in a type definition");
    }
    type.fields.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      in.begin_element();
      GobRemote::Field& field = type.fields.emplace_back();
      field.type = read_name_and_id(in, field.name);
    }
  }
  // A struct {Name string; Id int}.
  static int read_name_and_id(GobReader& in, std::string_view& name) {
    int id = 0;
    for (std::size_t field = 0; in.next_field(field, 2);) {
      if (field == 1) {
        name = in.string();
      } else {
        id = read_id(in);
      }
    }
    return id;
  }
  static int read_id(GobReader& in) {
    const std::int64_t id = in.integer();
    return id > 0 && id <= (std::numeric_limits<int>::max)() ? static_cast<int>(id) : 0;
  }

  const std::uint64_t seed_ = random_generator()() | 1;

  // Of the thread that reads the stream.
  std::vector<std::unique_ptr<GobRemote>> types_;
  std::vector<std::unique_ptr<Table>> tables_;  // the last one is published
  std::size_t bytes_ = 0;
  bool has_interfaces_ = false;

  std::atomic<const Table*> table_{nullptr};
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_SCHEMA_HPP
