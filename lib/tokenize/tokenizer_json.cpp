#include "tokenize/tokenizer_json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"
#include "model/json.hpp"
#include "platform/log.hpp"
#include "tokenize/json_fields.hpp"
#include "tokenize/pipeline_tokenizer.hpp"
#include "tokenize/word_piece.hpp"

namespace inlay::tokenize {
namespace {

[[noreturn]] void refuse(const JsonFields& file, std::string_view part, std::string_view type, std::string_view known) {
  throw Error(Status::unsupported, fmt::format("{}: {} \"{}\" is not supported; known: {}", file.label(), part, type, known));
}

// The type of a normaliser, pre-tokenizer or post-processor; "null" where there is none.
std::string_view type_of(const JsonFields& file, std::string_view part) {
  return file.optional_element(part) ? file.object(part).string("type") : "null";
}

Vocabulary read_vocabulary(const JsonFields& model) {
  const JsonFields vocabulary = model.object("vocab");
  std::vector<VocabularyEntry> entries;
  entries.reserve(vocabulary.members().size());
  for (const auto [text, value] : vocabulary.members()) {
    std::int64_t id = 0;
    if (value.get(id)) throw Error(Status::invalid_model, fmt::format("{} is not an id", vocabulary.where(text)));
    entries.push_back({text, id});
  }
  if (entries.empty()) throw Error(Status::invalid_model, fmt::format("{} is empty", model.where("vocab")));
  return {std::move(entries), model.label()};
}

BertOptions read_bert_normalizer(const JsonFields& file) {
  const std::string_view type = type_of(file, "normalizer");
  if (type == "null") return {.clean_text = false, .handle_chinese_chars = false, .strip_accents = false, .lowercase = false};
  if (type != "BertNormalizer") refuse(file, "normalizer", type, "BertNormalizer");
  const JsonFields normalizer = file.object("normalizer");
  BertOptions options;
  options.clean_text = normalizer.boolean("clean_text");
  options.handle_chinese_chars = normalizer.boolean("handle_chinese_chars");
  options.lowercase = normalizer.boolean("lowercase");
  options.strip_accents = normalizer.optional_boolean("strip_accents").value_or(options.lowercase);
  return options;
}

std::unique_ptr<const SegmentEncoder> read_word_piece(const JsonFields& file) {
  const BertOptions bert = read_bert_normalizer(file);
  const std::string_view pre_tokenizer = type_of(file, "pre_tokenizer");
  if (pre_tokenizer != "BertPreTokenizer") refuse(file, "pre_tokenizer", pre_tokenizer, "BertPreTokenizer");
  const JsonFields model = file.object("model");
  WordPieceOptions options;
  options.unknown_token = model.string("unk_token");
  options.continuing_prefix = model.string("continuing_subword_prefix");
  options.max_characters_per_word = model.size("max_input_chars_per_word");
  return make_word_piece(read_vocabulary(model), options, bert, file.label());
}

struct ModelKind {
  std::string_view type;
  std::unique_ptr<const SegmentEncoder> (*read)(const JsonFields& file);
};

constexpr ModelKind model_kinds[] = {
    {"WordPiece", read_word_piece},
};

std::unique_ptr<const SegmentEncoder> read_model(const JsonFields& file) {
  const JsonFields model = file.object("model");
  // Files of before 2020 don't name the type; only WordPiece has a continuing_subword_prefix and no merges.
  const bool untyped_word_piece = !model.optional_element("type") && model.optional_element("continuing_subword_prefix") &&
                                  model.optional_element("max_input_chars_per_word") && !model.optional_element("merges");
  const std::string_view type = untyped_word_piece ? "WordPiece" : model.string("type");
  const auto kind = std::ranges::find(model_kinds, type, &ModelKind::type);
  if (kind != std::end(model_kinds)) return kind->read(file);
  std::string known;
  for (const ModelKind& each : model_kinds) known += fmt::format("{}{}", known.empty() ? "" : ", ", each.type);
  refuse(file, "tokenizer model", type, known);
}

AddedTokens read_added_tokens(const JsonFields& file, const SegmentEncoder& encoder) {
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
  AddedTokens added(tokens, encoder.vocabulary(), [&encoder](std::string_view text) { return encoder.normalize(text); });
  for (std::size_t index = 0; index < tokens.size(); ++index) {
    const auto id = added.find(tokens[index].content);
    if (!id || static_cast<std::uint64_t>(*id) == declared_ids[index]) continue;
    // The reference keeps its own numbering, too.
    platform::log(LogLevel::warning, fmt::format("{}: added token \"{}\" is declared with id {} but has id {}", file.label(),
                                                 tokens[index].content, declared_ids[index], *id));
  }
  return added;
}

TokenId checked_id(std::int64_t id, const JsonFields& place) {
  if (id < 0 || id > Vocabulary::largest_id) {
    throw Error(Status::invalid_model,
                fmt::format("{}: special token id {} is outside 0 to {}", place.label(), id, Vocabulary::largest_id));
  }
  return static_cast<TokenId>(id);
}

std::vector<TokenId> template_ids(const JsonFields& processor, std::string_view token) {
  std::vector<TokenId> ids;
  for (const simdjson::dom::element element : processor.object("special_tokens").object(token).array("ids")) {
    std::int64_t id = 0;
    if (element.get(id)) throw Error(Status::invalid_model, fmt::format("{}: an id is not an integer", processor.where("special_tokens")));
    ids.push_back(checked_id(id, processor));
  }
  return ids;
}

SpecialTokens read_template(const JsonFields& file) {
  const JsonFields processor = file.object("post_processor");
  SpecialTokens special;
  bool text_seen = false;
  for (const simdjson::dom::element element : processor.array("single")) {
    const JsonFields piece(element, file.label(), "post_processor.single");
    if (piece.optional_element("SpecialToken")) {
      const std::vector<TokenId> ids = template_ids(processor, piece.object("SpecialToken").string("id"));
      auto& side = text_seen ? special.behind : special.before;
      side.insert(side.end(), ids.begin(), ids.end());
    } else if (text_seen || piece.object("Sequence").string("id") != "A") {
      throw Error(Status::unsupported, fmt::format("{} has more than one text", processor.where("single")));
    } else {
      text_seen = true;
    }
  }
  if (!text_seen) throw Error(Status::invalid_model, fmt::format("{} has no place for the text", processor.where("single")));
  return special;
}

// ["[SEP]", 102]
TokenId pair_id(const JsonFields& processor, std::string_view name) {
  const simdjson::dom::array pair = processor.array(name);
  std::int64_t id = 0;
  if (pair.size() != 2 || pair.at(1).get(id))
    throw Error(Status::invalid_model, fmt::format("{} is not a token and its id", processor.where(name)));
  return checked_id(id, processor);
}

SpecialTokens read_post_processor(const JsonFields& file) {
  const std::string_view type = type_of(file, "post_processor");
  if (type == "null") return {};
  if (type == "TemplateProcessing") return read_template(file);
  if (type == "BertProcessing") {
    const JsonFields processor = file.object("post_processor");
    return {{pair_id(processor, "cls")}, {pair_id(processor, "sep")}};
  }
  refuse(file, "post_processor", type, "BertProcessing, TemplateProcessing");
}

}  // namespace

std::shared_ptr<const Tokenizer> make_from_tokenizer_json(const model::ModelSource& source) {
  const model::FileBytes bytes = source.read("tokenizer.json");
  const model::JsonDocument document(bytes.bytes, bytes.label);
  const JsonFields file(document.root(), bytes.label, "");
  auto encoder = read_model(file);
  AddedTokens added = read_added_tokens(file, *encoder);
  return std::make_shared<PipelineTokenizer>(std::move(encoder), std::move(added), read_post_processor(file));
}

}  // namespace inlay::tokenize
