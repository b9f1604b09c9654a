#include "store/cache/json_writer.hpp"

#include <fmt/format.h>

#include "store/cache/checksum.hpp"
#include "store/cache/json_entry.hpp"

namespace inlay::store {
namespace {

constexpr std::size_t step_bytes = std::size_t{1} << 20;

std::string now() { return to_rfc3339(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())); }

void append_field(std::string& json, std::string_view name, std::string_view text) {
  json.append("\"").append(name).append("\": ");
  append_json_string(json, text);
  json += ", ";
}

}  // namespace

JsonWriter::JsonWriter(const std::filesystem::path& path, const CacheModel& model, const JsonIndex& before) : file_(path) {
  index_.model = model;
  index_.created = before.created.empty() ? now() : before.created;
  index_.unknown_metadata = before.unknown_metadata;
  index_.unknown_members = before.unknown_members;
  index_.other_models = before.other_models;
  index_.entries.reserve(before.entries.size());
  buffer_ = "{\"metadata\": {";
  append_field(buffer_, "model_name", model.name);
  append_field(buffer_, "model_version", model.fingerprint);
  buffer_ += fmt::format("\"dimensions\": {}, ", model.dimension);
  append_field(buffer_, "created", index_.created);
  append_field(buffer_, "updated", now());
  buffer_.resize(buffer_.size() - 2);
  buffer_ += index_.unknown_metadata;
  buffer_ += "},\n \"embeddings\": {";
}

void JsonWriter::write_out() {
  file_.append(buffer_);
  buffer_.clear();
}

void JsonWriter::add_text(JsonIndex::Entry entry, std::string_view text) {
  buffer_ += index_.entries.empty() ? "\n" : ",\n";
  entry.offset = file_.size() + buffer_.size();
  buffer_ += text;
  index_.entries.push_back(entry);
  if (buffer_.size() >= step_bytes) write_out();
}

void JsonWriter::add(const JsonIndex::Entry& entry, std::string_view text) { add_text(entry, text); }

void JsonWriter::add(std::string_view label, const Pending& entry, std::string_view extra) {
  std::string text;
  append_json_entry(text, label, entry, extra);
  add_text({.label = hash(label),
            .key = hash(entry.key),
            .model = hash(entry.model->fingerprint),
            .text = hash(text),
            .length = static_cast<std::uint32_t>(text.size()),
            .dimension = static_cast<std::uint32_t>(entry.vector.size()),
            .created = entry.created,
            .seen = entry.inserted},
           text);
}

JsonIndex JsonWriter::finish() {
  buffer_ += "\n }";
  buffer_ += index_.unknown_members;
  buffer_ += "}\n";
  write_out();
  file_.flush_to_disk();
  index_keys(index_);
  return std::move(index_);
}

}  // namespace inlay::store
