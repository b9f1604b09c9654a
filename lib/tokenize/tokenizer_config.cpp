#include "tokenize/tokenizer_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "inlay/error.hpp"

namespace inlay::tokenize {
namespace {

AddedToken token_of(const JsonFields& token, bool special) {
  const auto flag = [&token](std::string_view name, bool otherwise) { return token.optional_boolean(name).value_or(otherwise); };
  special = flag("special", special);
  return {.content = std::string(token.string("content")),
          .special = special,
          .single_word = flag("single_word", false),
          .lstrip = flag("lstrip", false),
          .rstrip = flag("rstrip", false),
          .normalized = flag("normalized", !special)};
}

// A special token is given as a string, or as an object with flags.
AddedToken special_token(simdjson::dom::element element, const JsonFields& file, std::string_view name) {
  if (std::string_view content; !element.get(content)) return {.content = std::string(content), .special = true, .normalized = false};
  AddedToken token = token_of(JsonFields(element, file.label(), std::string(name)), true);
  token.special = true;
  return token;
}

// {"104": {"content": "<new>", ...}}
std::vector<AddedToken> read_added_tokens_decoder(const JsonFields& decoder) {
  std::vector<std::pair<std::uint64_t, AddedToken>> tokens;
  for (const auto [key, element] : decoder.members()) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size()) {
      throw Error(Status::invalid_model, fmt::format("{} is not an id", decoder.where(key)));
    }
    tokens.emplace_back(id, token_of(JsonFields(element, decoder.label(), fmt::format("added_tokens_decoder.{}", key)), false));
  }
  std::ranges::stable_sort(tokens, {}, &std::pair<std::uint64_t, AddedToken>::first);
  std::vector<AddedToken> sorted;
  for (auto& [id, token] : tokens) sorted.push_back(std::move(token));
  return sorted;
}

// {"<new>": 104}
std::vector<AddedToken> read_added_tokens_file(const JsonFields& file, const std::vector<AddedToken>& special) {
  std::set<std::string_view> special_contents;
  for (const AddedToken& token : special) special_contents.insert(token.content);
  std::vector<std::pair<std::uint64_t, AddedToken>> tokens;
  for (const auto [content, element] : file.members()) {
    std::uint64_t id = 0;
    if (element.get(id)) throw Error(Status::invalid_model, fmt::format("{} is not a non-negative integer", file.where(content)));
    const bool is_special = special_contents.contains(content);
    tokens.emplace_back(id, AddedToken{.content = std::string(content), .special = is_special, .normalized = !is_special});
  }
  std::ranges::stable_sort(tokens, {}, &std::pair<std::uint64_t, AddedToken>::first);
  std::vector<AddedToken> sorted;
  for (auto& [id, token] : tokens) sorted.push_back(std::move(token));
  return sorted;
}

}  // namespace

OptionalJson::OptionalJson(const model::ModelSource& source, std::string_view name) {
  if (!source.has(name)) return;
  bytes_ = source.read(name);
  document_.emplace(bytes_.bytes, bytes_.label);
  fields_.emplace(document_->root(), bytes_.label, "");
}

TokenizerConfig::TokenizerConfig(const model::ModelSource& source, std::vector<NamedToken> defaults)
    : config_(source, "tokenizer_config.json") {
  const OptionalJson special_map(source, "special_tokens_map.json");
  const OptionalJson added_file(source, "added_tokens.json");
  // In the order in which transformers adds them.
  for (const std::string_view name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    const auto given = std::ranges::find(defaults, name, &NamedToken::name);
    named_.push_back(given == defaults.end() ? NamedToken{name, std::nullopt} : std::move(*given));
  }
  if (config_) read_special_tokens(*config_.operator->());
  // The newer tokenizer_config.json, which has added_tokens_decoder, replaces both of the other files.
  if (config_ && config_->optional_element("added_tokens_decoder")) {
    tokens_ = read_added_tokens_decoder(config_->object("added_tokens_decoder"));
  } else {
    if (special_map) read_special_tokens(*special_map.operator->());
    if (added_file) tokens_ = read_added_tokens_file(*added_file.operator->(), special_tokens());
  }
}

bool TokenizerConfig::flag(std::string_view name, bool otherwise) const {
  return config_ ? config_->optional_boolean(name).value_or(otherwise) : otherwise;
}

void TokenizerConfig::read_special_tokens(const JsonFields& file) {
  for (NamedToken& each : named_) {
    const simdjson::simdjson_result<simdjson::dom::element> element = file.members().at_key(each.name);
    if (element.error()) continue;
    if (element.is_null()) {
      each.token.reset();
    } else {
      const bool lstrip = each.lstrip_as_text;
      each.token = special_token(element.value_unsafe(), file, each.name);
      if (element.is_string()) each.token->lstrip = lstrip;
    }
  }
  for (const std::string_view name : {"additional_special_tokens", "extra_special_tokens"}) {
    const auto list = file.optional_element(name);
    if (!list || !list->is_array()) continue;
    for (const simdjson::dom::element element : file.array(name)) further_.push_back(special_token(element, file, name));
  }
}

std::string TokenizerConfig::content(std::string_view name, std::string_view otherwise) const {
  const auto found = std::ranges::find(named_, name, &NamedToken::name);
  return found->token ? found->token->content : std::string(otherwise);
}

std::vector<AddedToken> TokenizerConfig::special_tokens() const {
  std::vector<AddedToken> tokens;
  for (const NamedToken& each : named_) {
    if (each.token) tokens.push_back(*each.token);
  }
  tokens.insert(tokens.end(), further_.begin(), further_.end());
  return tokens;
}

std::vector<AddedToken> TokenizerConfig::added_tokens(const std::vector<AddedToken>& further) const {
  std::vector<AddedToken> tokens = tokens_;
  const std::vector<AddedToken> special = special_tokens();
  std::set<std::string_view> contents;
  for (const AddedToken& token : tokens_) contents.insert(token.content);
  const auto add = [&](const AddedToken& token) {
    if (contents.insert(token.content).second) tokens.push_back(token);
  };
  for (const AddedToken& token : special) add(token);
  for (const AddedToken& token : further) add(token);
  return tokens;
}

}  // namespace inlay::tokenize
