// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// GobSentTypes: the types that we have described to the peer of one stream. A type is defined
// before its first value, once per stream; from then on it is a number.

#ifndef GEERPC_CODEC_GOB_SENT_HPP
#define GEERPC_CODEC_GOB_SENT_HPP

#include <cstddef>        // size_t
#include <string>         // string
#include <string_view>    // string_view
#include <unordered_map>  // unordered_map
#include <utility>        // move
#include <vector>         // vector

#include <geerpc/base/buffer.hpp>
#include <geerpc/codec/gob_type.hpp>
#include <geerpc/codec/gob_writer.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// For one thread at a time, in the order in which the messages leave.
class GobSentTypes {
 public:
  // The number of a type. If the peer does not know it, its definition and those of the types in it
  // are appended first.
  int id_of(const GobType& type, Buffer& out) {
    if (type.shape == GobShape::basic) return type.id;
    const auto found = ids_.find(&type);
    return found != ids_.end() ? found->second : define(type, out);
  }

  // How many types were described; and to forget the later ones, whose definitions did not leave.
  std::size_t size() const noexcept { return types_.size(); }
  void truncate(std::size_t size) noexcept {
    for (; types_.size() > size; types_.pop_back()) ids_.erase(types_.back().type);
  }

 private:
  struct Entry {
    const GobType* type;
    std::string name;
  };

  // As a Go program that has just been started: it numbers types as it meets them, but containers
  // behind what is in them, and describes the outer ones first.
  int define(const GobType& type, Buffer& out) {
    const std::size_t before = types_.size();
    try {
      const int id = number(type, std::string(type.name));
      std::vector<bool> written(types_.size() - before);
      write(type, before, written, out);
      return id;
    } catch (...) {
      truncate(before);
      throw;
    }
  }

  // `name` is what Go calls a type in this place.
  int number(const GobType& type, std::string name) {
    if (type.shape == GobShape::basic) return type.id;
    const auto found = ids_.find(&type);
    if (found != ids_.end()) return found->second;
    if (type.shape == GobShape::record) {
      const int id = add(type, std::move(name));
      for (std::size_t i = 0; i < type.field_count; ++i) {
        const GobType& field = type.fields[i].type();
        number(field, field.name.empty() ? gob_type_name(field) : std::string(field.name));
      }
      return id;
    }
    if (type.shape == GobShape::map) number(type.key(), "");
    if (type.element != nullptr) {
      const GobType& element = type.element();
      const bool named = type.shape == GobShape::slice && !type.element_is_pointer;
      number(element, named ? std::string(element.name) : "");
    }
    return add(type, std::move(name));
  }
  int add(const GobType& type, std::string name) {
    const int id = kFirstId + static_cast<int>(types_.size());
    types_.push_back({&type, std::move(name)});
    try {
      ids_.emplace(&type, id);
    } catch (...) {
      types_.pop_back();
      throw;
    }
    return id;
  }

  // Appends the definitions of those types that have none yet.
  void write(const GobType& type, std::size_t before, std::vector<bool>& written, Buffer& out) {
    if (type.shape == GobShape::basic) return;
    const auto place = static_cast<std::size_t>(ids_.at(&type) - kFirstId);
    if (place < before || written[place - before]) return;
    written[place - before] = true;
    write_one(types_[place], out);
    if (type.shape == GobShape::map) write(type.key(), before, written, out);
    if (type.element != nullptr) write(type.element(), before, written, out);
    for (std::size_t i = 0; i < type.field_count; ++i) {
      write(type.fields[i].type(), before, written, out);
    }
  }

  int known(const GobType& type) const {
    return type.shape == GobShape::basic ? type.id : ids_.at(&type);
  }

  // One definition: the negative number, and a struct of Go's type wireType, of whose fields just
  // the one is there that fits (encoding/gob/type.go; docs/protocol.md).
  void write_one(const Entry& entry, Buffer& out) const {
    const GobType& type = *entry.type;
    const int id = known(type);
    GobWriter writer(out);
    const std::size_t start = writer.begin_message(0);
    writer.integer(-id);
    constexpr unsigned which[] = {0, 1, 2, 4, 3, 5};  // by shape
    writer.uint(which[static_cast<int>(type.shape)]);
    writer.uint(1);
    write_common(writer, entry.name, id);
    switch (type.shape) {
      case GobShape::map:
        write_number(writer, known(type.key()));
        write_number(writer, known(type.element()));
        break;
      case GobShape::array:
        write_number(writer, known(type.element()));
        if (type.length != 0) write_number(writer, static_cast<std::int64_t>(type.length));
        break;
      case GobShape::slice:
        write_number(writer, known(type.element()));
        break;
      case GobShape::record:
        if (type.field_count != 0) write_fields(writer, type);
        break;
      case GobShape::basic:
      case GobShape::opaque:
        break;
    }
    writer.uint(0);
    writer.uint(0);
    writer.end_message(start);
  }
  // A struct {Name string; Id int}.
  static void write_common(GobWriter& writer, std::string_view name, int id) {
    if (!name.empty()) {
      writer.uint(1);
      writer.string(name);
    }
    writer.uint(name.empty() ? 2 : 1);
    writer.integer(id);
    writer.uint(0);
  }
  static void write_number(GobWriter& writer, std::int64_t number) {
    writer.uint(1);
    writer.integer(number);
  }
  void write_fields(GobWriter& writer, const GobType& type) const {
    writer.uint(1);
    writer.uint(type.field_count);
    for (std::size_t i = 0; i < type.field_count; ++i) {
      const GobField& field = type.fields[i];
      if (!field.name.empty()) {
        writer.uint(1);
        writer.string(field.name);
      }
      writer.uint(field.name.empty() ? 2 : 1);
      writer.integer(known(field.type()));
      writer.uint(0);
    }
  }

  static constexpr int kFirstId = kGobFirstId + 1;  // where Go begins

  std::vector<Entry> types_;
  std::unordered_map<const GobType*, int> ids_;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_SENT_HPP
