#include "store/model_info_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"
#include "model/json.hpp"

namespace inlay {
namespace {

nlohmann::ordered_json to_object(const ModelInfo& model) {
  return {{"name", model.name},
          {"path", model.path},
          {"architecture", model.architecture},
          {"dimension", model.dimension},
          {"max_sequence_length", model.max_sequence_length},
          {"vocabulary_size", model.vocabulary_size},
          {"layers", model.layers},
          {"parameters", model.parameters},
          {"pooling", model.pooling},
          {"normalized", model.normalized},
          {"precision", model.precision},
          {"device", model.device},
          {"kernels", model.kernels},
          {"threads", model.threads},
          {"prompts", model.prompts},
          {"fingerprint", model.fingerprint},
          {"library_version", model.library_version}};
}

std::string dump(const nlohmann::ordered_json& object) {
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string to_json(const ModelInfo& model) { return dump(to_object(model)); }

namespace store {
namespace {

class Fields {
 public:
  Fields(simdjson::dom::object object, std::string_view label) : object_(object), label_(label) {}

  void read(std::string_view name, std::string& member) const {
    const auto field = object_.at_key(name);
    if (field.error()) return;
    std::string_view text;
    if (field.get(text)) fail(name, "is not a string");
    member = text;
  }
  void read(std::string_view name, std::size_t& member) const {
    const auto field = object_.at_key(name);
    if (field.error()) return;
    std::uint64_t number = 0;
    if (field.get(number)) fail(name, "is not a count");
    member = number;
  }
  void read(std::string_view name, bool& member) const {
    const auto field = object_.at_key(name);
    if (!field.error() && field.get(member)) fail(name, "is neither true nor false");
  }
  void read(std::string_view name, std::map<std::string, std::string>& member) const {
    const auto field = object_.at_key(name);
    if (field.error()) return;
    simdjson::dom::object entries;
    if (field.get(entries)) fail(name, "is not an object");
    for (const auto& [key, value] : entries) {
      std::string_view text;
      if (value.get(text)) fail(name, "holds a value that is not a string");
      member.insert_or_assign(std::string(key), std::string(text));
    }
  }
  void read(std::string_view name, LongTextOptions& member) const {
    const auto field = object_.at_key(name);
    if (field.error()) return;
    simdjson::dom::object object;
    if (field.get(object)) fail(name, "is not an object");
    const Fields fields(object, label_);
    std::string policy(to_string(member.policy));
    fields.read("policy", policy);
    fields.read("chunk_size", member.chunk_size);
    fields.read("chunk_overlap", member.chunk_overlap);
    try {
      member.policy = parse_long_text(policy);
    } catch (const Error& error) {
      fail(name, error.what());
    }
  }
  void require(std::string_view name) const {
    if (object_.at_key(name).error()) fail(name, "is missing");
  }

 private:
  [[noreturn]] void fail(std::string_view name, std::string_view reason) const {
    throw Error(Status::invalid_data, fmt::format("{}: {} {}", label_, name, reason));
  }

  simdjson::dom::object object_;
  std::string_view label_;
};

}  // namespace

std::string write_model_record(const ModelRecord& record) {
  nlohmann::ordered_json object = to_object(record.model);
  object["long_text"] = {{"policy", to_string(record.long_text.policy)},
                         {"chunk_size", record.long_text.chunk_size},
                         {"chunk_overlap", record.long_text.chunk_overlap}};
  object["created"] = record.created;
  return dump(object);
}

ModelRecord read_model_record(std::string_view json, std::string_view label) {
  const model::JsonDocument document(json, label, Status::invalid_data);
  simdjson::dom::object object;
  if (document.root().get(object)) throw Error(Status::invalid_data, fmt::format("{} is not a JSON object", label));
  const Fields fields(object, label);
  ModelRecord record;
  ModelInfo& model = record.model;
  fields.require("dimension");
  fields.require("fingerprint");
  fields.read("name", model.name);
  fields.read("path", model.path);
  fields.read("architecture", model.architecture);
  fields.read("dimension", model.dimension);
  fields.read("max_sequence_length", model.max_sequence_length);
  fields.read("vocabulary_size", model.vocabulary_size);
  fields.read("layers", model.layers);
  fields.read("parameters", model.parameters);
  fields.read("pooling", model.pooling);
  fields.read("normalized", model.normalized);
  fields.read("precision", model.precision);
  fields.read("device", model.device);
  fields.read("kernels", model.kernels);
  fields.read("threads", model.threads);
  fields.read("prompts", model.prompts);
  fields.read("fingerprint", model.fingerprint);
  fields.read("library_version", model.library_version);
  fields.read("created", record.created);
  fields.read("long_text", record.long_text);
  return record;
}

}  // namespace store
}  // namespace inlay
