#include "tokenize/bert_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <utility>

#include "inlay/error.hpp"
#include "model/json.hpp"
#include "text/reference_characters.hpp"
#include "text/utf8.hpp"
#include "tokenize/json_fields.hpp"
#include "tokenize/pipeline_tokenizer.hpp"
#include "tokenize/word_piece.hpp"

namespace inlay::tokenize {
namespace {

// A JSON file that may be missing.
class OptionalJson {
 public:
  OptionalJson(const model::ModelSource& source, std::string_view name) {
    if (!source.has(name)) return;
    bytes_ = source.read(name);
    document_.emplace(bytes_.bytes, bytes_.label);
    fields_.emplace(document_->root(), bytes_.label, "");
  }
  OptionalJson(const OptionalJson&) = delete;
  OptionalJson& operator=(const OptionalJson&) = delete;

  [[nodiscard]] const JsonFields* operator->() const noexcept { return &*fields_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fields_.has_value(); }

 private:
  model::FileBytes bytes_;
  std::optional<model::JsonDocument> document_;
  std::optional<JsonFields> fields_;
};

std::string_view without_trailing_white_space(std::string_view line) {
  while (!line.empty()) {
    const auto last = text::decode_last_utf8(line);
    if (!(text::character_class(last.code_point) & text::whitespace)) break;
    line.remove_suffix(last.length);
  }
  return line;
}

Vocabulary read_vocabulary(const model::ModelSource& source) {
  const model::FileBytes file = source.read("vocab.txt");
  if (!text::is_valid_utf8(file.bytes)) throw Error(Status::invalid_model, fmt::format("{} is not UTF-8", file.label));
  std::vector<VocabularyEntry> entries;
  entries.reserve(static_cast<std::size_t>(std::ranges::count(file.bytes, '\n')) + 1);
  for (std::string_view rest = file.bytes; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    entries.push_back({without_trailing_white_space(rest.substr(0, end)), static_cast<std::int64_t>(entries.size())});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (entries.empty()) throw Error(Status::invalid_model, fmt::format("{} is empty", file.label));
  return {std::move(entries), file.label};
}

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

class SpecialTokenNames {
 public:
  SpecialTokenNames() {
    for (const auto& [name, content] : {std::pair{"unk_token", "[UNK]"},
                                        {"sep_token", "[SEP]"},
                                        {"pad_token", "[PAD]"},
                                        {"cls_token", "[CLS]"},
                                        {"mask_token", "[MASK]"}}) {
      named(name)->token = AddedToken{.content = content, .special = true, .normalized = false};
    }
  }

  /// Takes what a file says; what it doesn't mention stays.
  void read(const JsonFields& file) {
    for (Named& each : named_) {
      const simdjson::simdjson_result<simdjson::dom::element> element = file.members().at_key(each.name);
      if (element.error()) continue;
      if (element.is_null()) {
        each.token.reset();
      } else {
        each.token = special_token(element.value_unsafe(), file, each.name);
      }
    }
    for (const std::string_view name : {"additional_special_tokens", "extra_special_tokens"}) {
      const auto list = file.optional_element(name);
      if (!list || !list->is_array()) continue;
      for (const simdjson::dom::element element : file.array(name)) further_.push_back(special_token(element, file, name));
    }
  }

  [[nodiscard]] std::string content(std::string_view name, std::string_view otherwise) const {
    const auto found = std::ranges::find(named_, name, &Named::name);
    return found->token ? found->token->content : std::string(otherwise);
  }

  /// In the order in which transformers adds them.
  [[nodiscard]] std::vector<AddedToken> all() const {
    std::vector<AddedToken> tokens;
    for (const Named& each : named_) {
      if (each.token) tokens.push_back(*each.token);
    }
    tokens.insert(tokens.end(), further_.begin(), further_.end());
    return tokens;
  }

 private:
  struct Named {
    std::string_view name;
    std::optional<AddedToken> token;
  };
  Named* named(std::string_view name) { return &*std::ranges::find(named_, name, &Named::name); }

  std::vector<Named> named_{{"bos_token", {}}, {"eos_token", {}}, {"unk_token", {}}, {"sep_token", {}},
                            {"pad_token", {}}, {"cls_token", {}}, {"mask_token", {}}};
  std::vector<AddedToken> further_;
};

// {"104": {"content": "<new>", ...}}
std::vector<AddedToken> read_added_tokens_decoder(const JsonFields& decoder) {
  std::vector<std::pair<std::uint64_t, AddedToken>> tokens;
  for (const auto [key, element] : decoder.members()) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size()) {
      throw Error(Status::invalid_model, fmt::format("{} is not an id", decoder.where(key)));
    }
    tokens.emplace_back(id, token_of(decoder.object(key), false));
  }
  std::ranges::stable_sort(tokens, {}, &std::pair<std::uint64_t, AddedToken>::first);
  std::vector<AddedToken> sorted;
  for (auto& [id, token] : tokens) sorted.push_back(std::move(token));
  return sorted;
}

// {"<new>": 104}
std::vector<AddedToken> read_added_tokens_file(const JsonFields& file, const std::vector<AddedToken>& special) {
  std::vector<std::pair<std::uint64_t, AddedToken>> tokens;
  for (const auto [content, element] : file.members()) {
    const bool is_special = std::ranges::find(special, content, &AddedToken::content) != special.end();
    tokens.emplace_back(file.size(content), AddedToken{.content = std::string(content), .special = is_special, .normalized = !is_special});
  }
  std::ranges::stable_sort(tokens, {}, &std::pair<std::uint64_t, AddedToken>::first);
  std::vector<AddedToken> sorted;
  for (auto& [id, token] : tokens) sorted.push_back(std::move(token));
  return sorted;
}

void check_class(const JsonFields& config) {
  const auto name = config.optional_string("tokenizer_class");
  if (!name) return;
  std::string_view base = *name;
  if (base.ends_with("Fast")) base.remove_suffix(4);
  for (const std::string_view known : {"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer"}) {
    if (base == known) return;
  }
  throw Error(Status::unsupported,
              fmt::format("{}: tokenizer_class \"{}\" is not supported without a tokenizer.json; known: BertTokenizer, "
                          "DistilBertTokenizer, ElectraTokenizer, MobileBertTokenizer",
                          config.label(), *name));
}

}  // namespace

std::shared_ptr<const Tokenizer> make_from_bert_files(const model::ModelSource& source) {
  const OptionalJson config(source, "tokenizer_config.json");
  const OptionalJson special_map(source, "special_tokens_map.json");
  const OptionalJson added_file(source, "added_tokens.json");

  BertOptions bert;
  SpecialTokenNames names;
  std::vector<AddedToken> tokens;
  if (config) {
    check_class(*config.operator->());
    bert.lowercase = config->optional_boolean("do_lower_case").value_or(true);
    bert.handle_chinese_chars = config->optional_boolean("tokenize_chinese_chars").value_or(true);
    bert.strip_accents = config->optional_boolean("strip_accents").value_or(bert.lowercase);
    names.read(*config.operator->());
  }
  // The newer tokenizer_config.json, which has added_tokens_decoder, replaces both of the other files.
  if (config && config->optional_element("added_tokens_decoder")) {
    tokens = read_added_tokens_decoder(config->object("added_tokens_decoder"));
  } else {
    if (special_map) names.read(*special_map.operator->());
    if (added_file) tokens = read_added_tokens_file(*added_file.operator->(), names.all());
  }
  for (AddedToken& token : names.all()) {
    if (std::ranges::find(tokens, token.content, &AddedToken::content) == tokens.end()) tokens.push_back(std::move(token));
  }

  WordPieceOptions options;
  options.unknown_token = names.content("unk_token", "[UNK]");
  auto model = std::make_unique<const WordPieceModel>(read_vocabulary(source), options, source.label("vocab.txt"));
  auto pipeline = std::make_unique<Pipeline>();
  append_bert_normalizers(pipeline->normalizers, bert);
  pipeline->pre_tokenizers.push_back(make_bert_pre_tokenizer());
  pipeline->fast = make_bert_encoder(*model, bert);
  pipeline->model = std::move(model);
  AddedTokens added(tokens, pipeline->model->vocabulary(), pipeline->model->size(), normalize_with(pipeline->normalizers));

  const auto special_id = [&](std::string_view name) {
    const auto id = added.find(names.content(name, ""));
    return id ? std::vector<TokenId>{*id} : std::vector<TokenId>{};
  };
  PostProcessor post_processor;
  post_processor.add_special_tokens(special_id("cls_token"), special_id("sep_token"));
  return std::make_shared<PipelineTokenizer>(std::move(pipeline), std::move(added), std::move(post_processor));
}

}  // namespace inlay::tokenize
