#include "tokenize/tokenizer_json.hpp"

#include <fmt/format.h>

#include "model/json.hpp"
#include "platform/log.hpp"
#include "tokenize/json_fields.hpp"
#include "tokenize/pipeline_json.hpp"
#include "tokenize/pipeline_tokenizer.hpp"

namespace inlay::tokenize {
namespace {

AddedTokens read_added_tokens(const JsonFields& file, const Pipeline& pipeline) {
  std::vector<AddedToken> tokens;
  std::vector<std::uint64_t> declared_ids;
  if (file.optional_element("added_tokens")) {
    for (const simdjson::dom::element element : file.array("added_tokens")) {
      const JsonFields token(element, file.label(), fmt::format("added_tokens[{}]", tokens.size()));
      tokens.push_back({.content = std::string(token.string("content")),
                        .special = token.boolean("special"),
                        .single_word = token.boolean("single_word"),
                        .lstrip = token.boolean("lstrip"),
                        .rstrip = token.boolean("rstrip"),
                        .normalized = token.boolean("normalized")});
      declared_ids.push_back(token.size("id"));
    }
  }
  AddedTokens added(tokens, pipeline.model->vocabulary(), pipeline.model->size(), normalize_with(pipeline.normalizers));
  for (std::size_t index = 0; index < tokens.size(); ++index) {
    const auto id = added.find(tokens[index].content);
    if (!id || static_cast<std::uint64_t>(*id) == declared_ids[index]) continue;
    // The reference keeps its own numbering, too.
    platform::log(LogLevel::warning, fmt::format("{}: added token \"{}\" is declared with id {} but has id {}", file.label(),
                                                 tokens[index].content, declared_ids[index], *id));
  }
  return added;
}

}  // namespace

std::shared_ptr<const Tokenizer> make_from_tokenizer_json(const model::ModelSource& source) {
  const model::FileBytes bytes = source.read("tokenizer.json");
  const model::JsonDocument document(bytes.bytes, bytes.label);
  const JsonFields file(document.root(), bytes.label, "");
  std::unique_ptr<const Pipeline> pipeline = read_pipeline(file);
  AddedTokens added = read_added_tokens(file, *pipeline);
  return std::make_shared<PipelineTokenizer>(std::move(pipeline), std::move(added), read_post_processor(file));
}

}  // namespace inlay::tokenize
