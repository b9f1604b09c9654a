#include "model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "inlay/error.hpp"
#include "model/file_errors.hpp"
#include "model/json.hpp"

namespace inlay::model {
namespace {

constexpr std::size_t maximal_header = 100'000'000;  // the reference implementation's limit

struct KnownType {
  std::string_view name;
  std::size_t bits;
  DataType type;
};
constexpr std::array<KnownType, 20> known_types = {
    {{"F32", 32, DataType::float32},  {"F16", 16, DataType::float16},  {"BF16", 16, DataType::bfloat16}, {"F64", 64, DataType::float64},
     {"I64", 64, DataType::other},    {"I32", 32, DataType::other},    {"I16", 16, DataType::other},     {"I8", 8, DataType::other},
     {"U64", 64, DataType::other},    {"U32", 32, DataType::other},    {"U16", 16, DataType::other},     {"U8", 8, DataType::other},
     {"BOOL", 8, DataType::other},    {"C64", 64, DataType::other},    {"F8_E4M3", 8, DataType::other},  {"F8_E5M2", 8, DataType::other},
     {"F8_E8M0", 8, DataType::other}, {"F6_E2M3", 6, DataType::other}, {"F6_E3M2", 6, DataType::other},  {"F4", 4, DataType::other}}};

[[noreturn]] void refuse(const std::string& label, const std::string& reason) {
  throw Error(Status::invalid_model, fmt::format("{} is not a valid safetensors file: {}", label, one_line(reason)));
}

std::string_view header_of(std::string_view file, const std::string& label) {
  refuse_git_lfs_pointer(file, label);
  if (file.size() < 8) refuse(label, fmt::format("{} bytes are too few for a header", file.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  if (length > maximal_header)
    refuse(label, fmt::format("its header says to be {} bytes long, at most {} are allowed", length, maximal_header));
  if (length > file.size() - 8)
    refuse(label, fmt::format("its header says to be {} bytes long, but the file has {}; it is truncated", length, file.size()));
  return file.substr(8, length);
}

}  // namespace

Safetensors::Safetensors(std::string_view file, const std::string& label) {
  const std::string_view header = header_of(file, label);
  const std::string_view data = file.substr(8 + header.size());
  const JsonDocument document(header, label + " (header)");
  simdjson::dom::object entries;
  if (document.root().get(entries)) refuse(label, "its header is not an object");

  struct Range {
    std::uint64_t begin, end;
    std::string_view name;
  };
  std::vector<Range> ranges;
  for (const auto& [key, entry] : entries) {
    if (key == "__metadata__") continue;
    const std::string name(key);
    simdjson::dom::object fields;
    std::string_view dtype;
    simdjson::dom::array shape;
    simdjson::dom::array offsets;
    if (entry.get(fields)) refuse(label, fmt::format("tensor {} is not described by an object", name));
    if (fields["dtype"].get(dtype)) refuse(label, fmt::format("tensor {} has no dtype", name));
    if (fields["shape"].get(shape)) refuse(label, fmt::format("tensor {} has no shape", name));
    if (fields["data_offsets"].get(offsets)) refuse(label, fmt::format("tensor {} has no data_offsets", name));

    const auto known = std::ranges::find(known_types, dtype, &KnownType::name);
    if (known == known_types.end()) refuse(label, fmt::format("tensor {} has the unknown dtype {}", name, dtype));
    TensorView tensor{.dtype = std::string(dtype), .type = known->type, .shape = {}, .strides = {}, .bytes = {}};
    std::uint64_t bits = known->bits;
    constexpr std::size_t most_dimensions = 64;  // torch's own limit
    if (shape.size() > most_dimensions) refuse(label, fmt::format("tensor {} has {} dimensions", name, shape.size()));
    for (const auto extent : shape) {
      std::uint64_t size = 0;
      if (extent.get(size)) refuse(label, fmt::format("tensor {} has a shape that is not made of sizes", name));
      if (__builtin_mul_overflow(bits, size, &bits)) refuse(label, fmt::format("tensor {} has a shape whose product overflows", name));
      tensor.shape.push_back(size);
    }
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    if (offsets.size() != 2 || offsets.at(0).get(begin) || offsets.at(1).get(end)) {
      refuse(label, fmt::format("tensor {} has data_offsets that are not two numbers", name));
    }
    if (begin > end || end > data.size()) {
      refuse(label, fmt::format("tensor {} lies at bytes {} to {} of {} bytes of data; the file is truncated or damaged", name, begin, end,
                                data.size()));
    }
    if (bits % 8 != 0 || end - begin != bits / 8) {
      refuse(label, fmt::format("tensor {} takes {} bytes, but its shape and dtype make {}", name, end - begin, bits / 8));
    }
    tensor.bytes = data.substr(begin, end - begin);
    const auto [place, inserted] = tensors_.emplace(name, std::move(tensor));
    if (!inserted) refuse(label, fmt::format("tensor {} is described twice", name));
    if (begin < end) ranges.push_back({begin, end, place->first});
  }

  std::ranges::sort(ranges, {}, &Range::begin);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].begin < ranges[i - 1].end) refuse(label, fmt::format("tensors {} and {} overlap", ranges[i - 1].name, ranges[i].name));
  }
}

}  // namespace inlay::model
