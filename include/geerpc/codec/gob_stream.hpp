// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// gob, as far as it does not depend on C++ types. Unlike other codecs it has a memory: types are
// described once per stream. So each connection has a codec of its own.

#ifndef GEERPC_CODEC_GOB_STREAM_HPP
#define GEERPC_CODEC_GOB_STREAM_HPP

#include <cstddef>      // size_t
#include <cstdint>      // int64_t
#include <cstring>      // memcpy
#include <string_view>  // string_view

#include <geerpc/base/hot_path.hpp>
#include <geerpc/codec/gob_codec.hpp>
#include <geerpc/codec/gob_plan.hpp>
#include <geerpc/codec/gob_scan.hpp>
#include <geerpc/codec/gob_sent.hpp>
#include <geerpc/codec/gob_skip.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// What the two ends of a connection have told each other.
struct GobStream {
  GobSentTypes sent;  // by us; of who writes
  GobSchema seen;     // from the peer
};

// Reads structs by plans.
class PlannedGobDecoder final : public GobDecoder {
 public:
  // The schema outlives the decoder.
  PlannedGobDecoder(std::string_view in, const GobSchema& schema, const DecodeLimits& limits)
      : GobDecoder(in, limits), schema_(schema), planner_(schema, limits.max_depth) {}

 private:
  const GobRemote& find(std::int64_t id) const override { return schema_.get(id); }

  void read_struct(const GobRemote& type, const GobType& local, const GobFieldDecoder* decoders,
                   void* object) override {
    const GobPlan& plan = planner_.plan(type, local);
    const Level level(*this);
    const Place outer = place_;
    auto expected = plan.matches.begin();
    const auto clear_up_to = [&](std::size_t end) {
      for (; expected != plan.matches.end() && *expected < end; ++expected) {
        decoders[plan.steps[*expected].field](*this, nullptr, object);
      }
    };
    for (std::size_t field = 0; reader().next_field(field, plan.steps.size());) {
      const GobPlan::Step& step = plan.steps[field - 1];
      if (step.field == GobPlan::kSkip) {
        GobSkipper(schema_, depth_left()).skip(reader(), schema_.get(type.fields[field - 1].type));
        continue;
      }
      clear_up_to(field - 1);
      ++expected;
      place_ = {nullptr, local.fields[step.field].name, 0};
      decoders[step.field](*this, step.type, object);
    }
    clear_up_to(plan.steps.size());
    place_ = outer;
  }

  const GobRemote& begin(const GobType& local) override {
    reader().begin_message();
    const GobRemote* const type = schema_.find(reader().integer());
    planner_.check(type, local);
    if (type->shape != GobShape::record && reader().uint() != 0) {
      throw_bad_value("gob: decode: corrupted data: non-zero delta for singleton");
    }
    return *type;
  }

  const GobSchema& schema_;
  GobPlanner planner_;
};

// The rest of a codec.
class NamedGobCodec : public GobCodec {
 public:
  std::string_view content_type() const final { return "application/gob"; }
  void encode(const nlohmann::json& value, Buffer& out) const final {
    encode_gob(*this, out, value);
  }
  nlohmann::json decode(std::string_view in, const DecodeLimits& limits) const final {
    nlohmann::json value;
    decode_gob(*this, in, value, limits);
    return value;
  }

 protected:
  using GobCodec::GobCodec;
};

// See GobCodec::early(): the address of the type, and what stands behind its number.
class EarlyGobCodec final : public NamedGobCodec {
 public:
  EarlyGobCodec() noexcept
      : NamedGobCodec(
            [](const GobCodec&, std::string_view, const DecodeLimits&, Read) { never(); }) {}

  void write(const GobType& type, std::size_t, Buffer& out, Write write) const override {
    const GobType* const pointer = &type;
    out.append(&pointer, sizeof pointer);
    GobWriter writer(out);
    write(writer);
  }
  static const GobType& type_of(std::string_view& early) {
    const GobType* type = nullptr;
    std::memcpy(&type, early.data(), sizeof type);
    early.remove_prefix(sizeof type);
    return *type;
  }

  const Codec& early() const override { return *this; }
  void append_early(std::string_view, Buffer&) const override { never(); }

 private:
  [[noreturn]] static void never() {
    throw Error(StatusCode::internal, "gob: a value of no stream is not read");
  }
};

// Of a connection, or one for which each value is a stream of its own.
class GobStreamCodec final : public NamedGobCodec {
 public:
  explicit GobStreamCodec(const Layout* layout) noexcept : NamedGobCodec(read_alone, layout) {}
  // The stream outlives the codec.
  explicit GobStreamCodec(GobStream& stream) noexcept
      : NamedGobCodec(read_next), stream_(&stream) {}

  void write(const GobType& type, std::size_t at_least, Buffer& out, Write write) const override {
    if (stream_ != nullptr) return write_message(stream_->sent, type, at_least, out, write);
    GobSentTypes sent;
    write_message(sent, type, at_least, out, write);
  }

  const Codec& early() const override {
    static const EarlyGobCodec codec;
    return codec;
  }
  void append_early(std::string_view early, Buffer& out) const override {
    const GobType& type = EarlyGobCodec::type_of(early);
    const auto append = [&](GobWriter& writer) { writer.raw(early); };
    write(type, early.size(), out, append);
  }

 private:
  static void read_next(const GobCodec& self, std::string_view in, const DecodeLimits& limits,
                        Read read) {
    const GobStream& stream = *static_cast<const GobStreamCodec&>(self).stream_;
    PlannedGobDecoder decoder(in, stream.seen, limits);
    read(decoder);
  }
  static void read_alone(const GobCodec&, std::string_view in, const DecodeLimits& limits,
                         Read read) {
    GobSchema schema;
    GobScanner scanner(schema, limits.max_depth);
    const bool empty = in.empty();
    GobScanner::Found found;
    while ((found = scanner.scan(in)) == GobScanner::Found::definition) {
      in.remove_prefix(scanner.size());
    }
    if (found == GobScanner::Found::nothing) throw_bad_value(empty ? "EOF" : "unexpected EOF");
    if (scanner.size() != in.size()) throw_bad_value("gob: bytes behind the value");
    PlannedGobDecoder decoder(in, schema, limits);
    read(decoder);
  }

  // A value in a message of its own, behind the definitions that the peer lacks.
  static void write_message(GobSentTypes& sent, const GobType& type, std::size_t at_least,
                            Buffer& out, Write write) {
    const int id = sent.id_of(type, out);
    GobWriter writer(out);
    const std::size_t start = writer.begin_message(at_least);
    writer.integer(id);
    write(writer);
    writer.end_message(start);
  }

  GobStream* const stream_ = nullptr;
};

}  // namespace detail
GEERPC_END_NAMESPACE

#endif  // GEERPC_CODEC_GOB_STREAM_HPP
