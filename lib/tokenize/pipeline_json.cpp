#include "tokenize/pipeline_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "inlay/error.hpp"
#include "text/utf8.hpp"
#include "tokenize/bpe.hpp"
#include "tokenize/unigram.hpp"
#include "tokenize/word_level.hpp"
#include "tokenize/word_piece.hpp"

namespace inlay::tokenize {
namespace {

template <typename Kind, std::size_t count>
const Kind& find_kind(const Kind (&kinds)[count], std::string_view type, std::string_view part, const JsonFields& fields) {
  const auto kind = std::ranges::find(kinds, type, &Kind::type);
  if (kind != std::end(kinds)) return *kind;
  std::string known;
  for (const Kind& each : kinds) known += fmt::format("{}{}", known.empty() ? "" : ", ", each.type);
  throw Error(Status::unsupported, fmt::format("{}: {} \"{}\" is not supported; known: {}", fields.label(), part, type, known));
}

[[noreturn]] void fail(const JsonFields& fields, std::string_view name, std::string_view why) {
  throw Error(Status::invalid_model, fmt::format("{} {}", fields.where(name), why));
}

// {"String": "..."} or {"Regex": "..."}
Pattern read_pattern(const JsonFields& fields) {
  const JsonFields pattern = fields.object("pattern");
  if (const auto literal = pattern.optional_string("String")) {
    // The reference makes an expression of it; the empty one matches between any two characters.
    return literal->empty() ? Pattern::regex("", pattern.where("String")) : Pattern::literal(std::string(*literal));
  }
  return Pattern::regex(pattern.string("Regex"), pattern.where("Regex"));
}

std::string_view read_character(const JsonFields& fields, std::string_view name) {
  const std::string_view text = fields.string(name);
  if (text.empty() || text::decode_utf8(text.data()).length != text.size()) fail(fields, name, "is not one character");
  return text;
}

// --- normalisers

// A chain, and what the fast roads ask about it.
struct NormalizerChain {
  Normalizers steps;
  std::size_t count = 0;            // of the file's normalisers, sequences not counted
  std::optional<BertOptions> bert;  // of the last BertNormalizer
};

void read_normalizer(const JsonFields& fields, NormalizerChain& chain);

void read_bert_normalizer(const JsonFields& fields, NormalizerChain& chain) {
  BertOptions options;
  options.clean_text = fields.boolean("clean_text");
  options.handle_chinese_chars = fields.boolean("handle_chinese_chars");
  options.lowercase = fields.boolean("lowercase");
  options.strip_accents = fields.optional_boolean("strip_accents").value_or(options.lowercase);
  append_bert_normalizers(chain.steps, options);
  chain.bert = options;
}

void read_normalizer_sequence(const JsonFields& fields, NormalizerChain& chain) {
  --chain.count;
  for (const simdjson::dom::element element : fields.array("normalizers")) {
    read_normalizer(JsonFields(element, fields.label(), "normalizer.normalizers"), chain);
  }
}

void read_precompiled(const JsonFields& fields, NormalizerChain& chain) {
  const std::string where = fields.where("precompiled_charsmap");
  chain.steps.push_back(make_precompiled({decode_base64(fields.string("precompiled_charsmap"), where), where}));
}

struct NormalizerKind {
  std::string_view type;
  void (*read)(const JsonFields& fields, NormalizerChain& chain);
};

constexpr NormalizerKind normalizer_kinds[] = {
    {"BertNormalizer", read_bert_normalizer},
    {"ByteLevel", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_byte_level_normalizer()); }},
    {"Lowercase", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_lowercase()); }},
    {"NFC", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_unicode_normalizer(UnicodeForm::nfc)); }},
    {"NFD", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_unicode_normalizer(UnicodeForm::nfd)); }},
    {"NFKC", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_unicode_normalizer(UnicodeForm::nfkc)); }},
    {"NFKD", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_unicode_normalizer(UnicodeForm::nfkd)); }},
    {"Nmt", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_nmt()); }},
    {"Precompiled", read_precompiled},
    {"Prepend", [](const JsonFields& fields, NormalizerChain& chain) { chain.steps.push_back(make_prepend(fields.string("prepend"))); }},
    {"Replace", [](const JsonFields& fields,
                   NormalizerChain& chain) { chain.steps.push_back(make_replace(read_pattern(fields), fields.string("content"))); }},
    {"Sequence", read_normalizer_sequence},
    {"Strip",
     [](const JsonFields& fields, NormalizerChain& chain) {
       chain.steps.push_back(make_strip(fields.boolean("strip_left"), fields.boolean("strip_right")));
     }},
    {"StripAccents", [](const JsonFields&, NormalizerChain& chain) { chain.steps.push_back(make_remover(text::combining)); }},
};

void read_normalizer(const JsonFields& fields, NormalizerChain& chain) {
  ++chain.count;
  find_kind(normalizer_kinds, fields.string("type"), "normalizer", fields).read(fields, chain);
}

// --- pre-tokenizers

struct PreTokenizerChain {
  PreTokenizers steps;
  // What the fast roads ask: the types, in order, and the options of the last one of its kind.
  std::vector<std::string_view> types;
  ByteLevelOptions byte_level;
  MetaspaceOptions metaspace;
};

void read_pre_tokenizer(const JsonFields& fields, PreTokenizerChain& chain);

Delimiters read_delimiters(const JsonFields& fields, std::optional<std::string_view> name) {
  for (const auto& [known, delimiters] : {std::pair<std::string_view, Delimiters>{"Removed", Delimiters::removed},
                                          {"Isolated", Delimiters::isolated},
                                          {"MergedWithPrevious", Delimiters::merged_with_previous},
                                          {"MergedWithNext", Delimiters::merged_with_next},
                                          {"Contiguous", Delimiters::contiguous}}) {
    if (name == known) return delimiters;
  }
  throw Error(Status::unsupported, fmt::format("{} \"{}\" is not supported; known: Removed, Isolated, MergedWithPrevious, MergedWithNext, "
                                               "Contiguous",
                                               fields.where("behavior"), *name));
}

void read_byte_level(const JsonFields& fields, PreTokenizerChain& chain) {
  chain.byte_level.add_prefix_space = fields.boolean("add_prefix_space");
  chain.byte_level.use_regex = fields.optional_boolean("use_regex").value_or(true);
  chain.steps.push_back(make_byte_level(chain.byte_level));
}

void read_metaspace(const JsonFields& fields, PreTokenizerChain& chain) {
  MetaspaceOptions options;
  options.replacement = read_character(fields, "replacement");
  options.split = fields.optional_boolean("split").value_or(true);
  // Files of before 2024 have add_prefix_space instead.
  const bool adds_prefix = fields.optional_boolean("add_prefix_space").value_or(true);
  const std::string_view scheme = fields.optional_string("prepend_scheme").value_or(adds_prefix ? "always" : "never");
  if (scheme == "always") {
    options.prepend = PrependScheme::always;
  } else if (scheme == "first") {
    options.prepend = PrependScheme::first;
  } else if (scheme == "never") {
    options.prepend = PrependScheme::never;
  } else {
    throw Error(Status::unsupported,
                fmt::format("{} \"{}\" is not supported; known: always, first, never", fields.where("prepend_scheme"), scheme));
  }
  if (!adds_prefix && scheme != "never") fail(fields, "prepend_scheme", "contradicts add_prefix_space");
  chain.metaspace = options;
  chain.steps.push_back(make_metaspace(options));
}

void read_pre_tokenizer_sequence(const JsonFields& fields, PreTokenizerChain& chain) {
  chain.types.pop_back();
  for (const simdjson::dom::element element : fields.array("pretokenizers")) {
    read_pre_tokenizer(JsonFields(element, fields.label(), "pre_tokenizer.pretokenizers"), chain);
  }
}

struct PreTokenizerKind {
  std::string_view type;
  void (*read)(const JsonFields& fields, PreTokenizerChain& chain);
};

constexpr PreTokenizerKind pre_tokenizer_kinds[] = {
    {"BertPreTokenizer", [](const JsonFields&, PreTokenizerChain& chain) { chain.steps.push_back(make_bert_pre_tokenizer()); }},
    {"ByteLevel", read_byte_level},
    {"CharDelimiterSplit",
     [](const JsonFields& fields, PreTokenizerChain& chain) {
       chain.steps.push_back(make_split(Pattern::literal(std::string(read_character(fields, "delimiter"))), Delimiters::removed, false));
     }},
    {"Digits",
     [](const JsonFields& fields, PreTokenizerChain& chain) {
       const bool individual = fields.boolean("individual_digits");
       chain.steps.push_back(make_class_split(text::numeric, individual ? Delimiters::isolated : Delimiters::contiguous));
     }},
    {"FixedLength",
     [](const JsonFields& fields, PreTokenizerChain& chain) {
       const std::uint64_t length = fields.optional_element("length") ? fields.size("length") : 5;
       if (length == 0) fail(fields, "length", "is 0");
       chain.steps.push_back(make_fixed_length(length));
     }},
    {"Metaspace", read_metaspace},
    {"Punctuation",
     [](const JsonFields& fields, PreTokenizerChain& chain) {
       const auto behavior = fields.optional_string("behavior").value_or("Isolated");
       chain.steps.push_back(make_class_split(text::punctuation, read_delimiters(fields, behavior)));
     }},
    {"Sequence", read_pre_tokenizer_sequence},
    {"Split",
     [](const JsonFields& fields, PreTokenizerChain& chain) {
       chain.steps.push_back(
           make_split(read_pattern(fields), read_delimiters(fields, fields.string("behavior")), fields.boolean("invert")));
     }},
    {"Whitespace", [](const JsonFields&, PreTokenizerChain& chain) { chain.steps.push_back(make_whitespace()); }},
    {"WhitespaceSplit",
     [](const JsonFields&, PreTokenizerChain& chain) { chain.steps.push_back(make_class_split(text::whitespace, Delimiters::removed)); }},
};

void read_pre_tokenizer(const JsonFields& fields, PreTokenizerChain& chain) {
  const PreTokenizerKind& kind = find_kind(pre_tokenizer_kinds, fields.string("type"), "pre_tokenizer", fields);
  chain.types.push_back(kind.type);
  kind.read(fields, chain);
}

// --- models

Vocabulary read_vocabulary(const JsonFields& model) {
  const JsonFields vocabulary = model.object("vocab");
  std::vector<VocabularyEntry> entries;
  entries.reserve(vocabulary.members().size());
  for (const auto [text, value] : vocabulary.members()) {
    std::int64_t id = 0;
    if (value.get(id)) throw Error(Status::invalid_model, fmt::format("{} is not an id", vocabulary.where(text)));
    entries.push_back({text, id});
  }
  return {std::move(entries), model.label()};
}

// The model's pointers, by type, for the fast roads.
struct ReadModel {
  std::unique_ptr<const TokenModel> model;
  const WordPieceModel* word_piece = nullptr;
  const BpeModel* bpe = nullptr;
  const UnigramModel* unigram = nullptr;
};

ReadModel read_word_piece(const JsonFields& fields) {
  WordPieceOptions options;
  options.unknown_token = fields.string("unk_token");
  options.continuing_prefix = fields.string("continuing_subword_prefix");
  options.max_characters_per_word = fields.size("max_input_chars_per_word");
  auto model = std::make_unique<const WordPieceModel>(read_vocabulary(fields), options, fields.label());
  const WordPieceModel* pointer = model.get();
  return {.model = std::move(model), .word_piece = pointer};
}

ReadModel read_word_level(const JsonFields& fields) {
  return {.model = std::make_unique<const WordLevelModel>(read_vocabulary(fields), fields.string("unk_token"), fields.label())};
}

// Each ["a", "b"], or "a b" in files of before 2024.
Merges read_merges(const JsonFields& fields) {
  Merges merges;
  const simdjson::dom::array array = fields.array("merges");
  merges.reserve(array.size());
  for (const simdjson::dom::element element : array) {
    const auto bad = [&] { fail(fields, fmt::format("merges[{}]", merges.size()), "is not a pair of tokens"); };
    std::pair<std::string_view, std::string_view> merge;
    if (std::string_view line; !element.get(line)) {
      if (line.starts_with("#version")) continue;
      const std::size_t space = line.find(' ');
      if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) bad();
      merge = {line.substr(0, space), line.substr(space + 1)};
    } else {
      simdjson::dom::array pair;
      if (element.get(pair) || pair.size() != 2 || pair.at(0).get(merge.first) || pair.at(1).get(merge.second)) bad();
    }
    merges.push_back(merge);
  }
  return merges;
}

ReadModel read_bpe(const JsonFields& fields) {
  double rate = 0;
  if (const auto dropout = fields.optional_element("dropout")) {
    if (dropout->get(rate)) fail(fields, "dropout", "is not a number");
    if (rate != 0 && rate != 1) {
      throw Error(Status::unsupported,
                  fmt::format("{} of {} is not supported: merges would be left out at random", fields.where("dropout"), rate));
    }
  }
  const auto optional_text = [&fields](std::string_view name) { return std::string(fields.optional_string(name).value_or("")); };
  BpeOptions options;
  if (const auto unknown = fields.optional_string("unk_token")) options.unknown_token = *unknown;
  options.continuing_prefix = optional_text("continuing_subword_prefix");
  options.end_of_word_suffix = optional_text("end_of_word_suffix");
  options.fuse_unknown = fields.optional_boolean("fuse_unk").value_or(false);
  options.byte_fallback = fields.optional_boolean("byte_fallback").value_or(false);
  options.ignore_merges = fields.optional_boolean("ignore_merges").value_or(false);
  Merges merges = read_merges(fields);
  if (rate == 1) {  // every merge is left out, and what ignores them
    merges.clear();
    options.ignore_merges = false;
  }
  auto model = std::make_unique<const BpeModel>(read_vocabulary(fields), merges, std::move(options), fields.label());
  const BpeModel* pointer = model.get();
  return {.model = std::move(model), .bpe = pointer};
}

// The reference reads numbers with serde_json, which rounds twice: the digits to a double, then their product with a power of ten. Its
// scores differ from the nearest doubles in the last bit, and that bit decides between ways to cut a word whose scores are equal.
double as_serde_reads(double score) {
  std::array<char, 32> text;  // the shortest digits that name this double, "d.ddde-xx", are what such files hold
  const auto end = std::to_chars(text.data(), text.data() + text.size(), std::abs(score), std::chars_format::scientific).ptr;
  std::uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  const char* position = text.data();
  for (; position != end && *position != 'e'; ++position) {
    if (*position == '.') {
      fraction = true;
    } else {
      digits = digits * 10 + static_cast<std::uint64_t>(*position - '0');
      exponent -= fraction ? 1 : 0;
    }
  }
  if (position == end) return score;
  int scale = 0;
  std::from_chars(position + (position[1] == '+' ? 2 : 1), end, scale);
  exponent += scale;
  if (std::abs(exponent) > 300) return score;
  double power = 0;
  const std::string power_text = fmt::format("1e{}", std::abs(exponent));  // std::pow is not exact
  std::from_chars(power_text.data(), power_text.data() + power_text.size(), power);
  const double value = exponent < 0 ? static_cast<double>(digits) / power : static_cast<double>(digits) * power;
  return std::signbit(score) ? -value : value;
}

ReadModel read_unigram(const JsonFields& fields) {
  std::vector<ScoredToken> tokens;
  const simdjson::dom::array array = fields.array("vocab");
  tokens.reserve(array.size());
  for (const simdjson::dom::element element : array) {
    simdjson::dom::array pair;
    ScoredToken token{};
    if (element.get(pair) || pair.size() != 2 || pair.at(0).get(token.text) || pair.at(1).get(token.score)) {
      fail(fields, fmt::format("vocab[{}]", tokens.size()), "is not a token and its score");
    }
    if (pair.at(1).is_double()) token.score = as_serde_reads(token.score);
    tokens.push_back(token);
  }
  std::optional<std::size_t> unknown;
  if (fields.optional_element("unk_id")) unknown = fields.size("unk_id");
  if (unknown && tokens.empty()) fail(fields, "vocab", "is empty");
  const bool byte_fallback = fields.optional_boolean("byte_fallback").value_or(false);
  auto model = std::make_unique<const UnigramModel>(tokens, unknown, byte_fallback, fields.label());
  const UnigramModel* pointer = model.get();
  return {.model = std::move(model), .unigram = pointer};
}

struct ModelKind {
  std::string_view type;
  ReadModel (*read)(const JsonFields& fields);
};

constexpr ModelKind model_kinds[] = {
    {"BPE", read_bpe},
    {"Unigram", read_unigram},
    {"WordLevel", read_word_level},
    {"WordPiece", read_word_piece},
};

// Files of before 2020 don't name the type: the fields tell.
std::string_view model_type(const JsonFields& model) {
  if (model.optional_element("type")) return model.string("type");
  if (model.optional_element("merges")) return "BPE";
  if (model.optional_element("continuing_subword_prefix") && model.optional_element("max_input_chars_per_word")) return "WordPiece";
  if (model.optional_element("vocab") && model.element("vocab").is_array()) return "Unigram";
  if (model.optional_element("vocab") && model.optional_element("unk_token")) return "WordLevel";
  return model.string("type");
}

// --- fast roads

std::unique_ptr<const SegmentEncoder> make_fast(const ReadModel& read, const NormalizerChain& normalizers, const Normalizers& steps,
                                                const PreTokenizerChain& pre_tokenizers) {
  using Types = std::vector<std::string_view>;
  constexpr BertOptions untouched{.clean_text = false, .handle_chinese_chars = false, .strip_accents = false, .lowercase = false};
  if (read.word_piece != nullptr && pre_tokenizers.types == Types{"BertPreTokenizer"}) {
    if (normalizers.count == 0) return make_bert_encoder(*read.word_piece, untouched);
    if (normalizers.count == 1 && normalizers.bert) return make_bert_encoder(*read.word_piece, *normalizers.bert);
  }
  if (read.bpe != nullptr && normalizers.count == 0 && pre_tokenizers.types == Types{"ByteLevel"}) {
    return make_byte_level_encoder(*read.bpe, pre_tokenizers.byte_level);
  }
  if (read.unigram != nullptr &&
      (pre_tokenizers.types == Types{"Metaspace"} || pre_tokenizers.types == Types{"WhitespaceSplit", "Metaspace"})) {
    return make_metaspace_encoder(*read.unigram, steps, pre_tokenizers.metaspace, pre_tokenizers.types.size() == 2);
  }
  return nullptr;
}

// --- post-processors

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

struct ProcessorChain {
  PostProcessor steps;
  bool in_pieces = false;  // a TemplateProcessing has put pieces beside the text's
};

// What puts tokens around a text puts them, in the reference, around each piece that a TemplateProcessing before it made.
void check_one_piece(const JsonFields& processor, const ProcessorChain& chain) {
  if (!chain.in_pieces) return;
  throw Error(Status::unsupported, fmt::format("{} behind TemplateProcessing is not supported", processor.where(processor.string("type"))));
}

void read_template(const JsonFields& processor, ProcessorChain& chain) {
  std::vector<TokenId> before;
  std::vector<TokenId> behind;
  bool text_seen = false;
  for (const simdjson::dom::element element : processor.array("single")) {
    const JsonFields piece(element, processor.label(), "post_processor.single");
    if (piece.optional_element("SpecialToken")) {
      const std::vector<TokenId> ids = template_ids(processor, piece.object("SpecialToken").string("id"));
      auto& side = text_seen ? behind : before;
      side.insert(side.end(), ids.begin(), ids.end());
    } else if (text_seen || piece.object("Sequence").string("id") != "A") {
      throw Error(Status::unsupported, fmt::format("{} has more than one text", processor.where("single")));
    } else {
      text_seen = true;
    }
  }
  if (!text_seen) throw Error(Status::invalid_model, fmt::format("{} has no place for the text", processor.where("single")));
  check_one_piece(processor, chain);
  chain.in_pieces = chain.in_pieces || before.size() + behind.size() > 0;
  chain.steps.add_special_tokens(before, behind);
}

// ["[SEP]", 102]
TokenId pair_id(const JsonFields& processor, std::string_view name) {
  const simdjson::dom::array pair = processor.array(name);
  std::int64_t id = 0;
  if (pair.size() != 2 || pair.at(1).get(id))
    throw Error(Status::invalid_model, fmt::format("{} is not a token and its id", processor.where(name)));
  return checked_id(id, processor);
}

void add_pair(const JsonFields& processor, ProcessorChain& chain) {
  check_one_piece(processor, chain);
  chain.steps.add_special_tokens({pair_id(processor, "cls")}, {pair_id(processor, "sep")});
}

void read_processor(const JsonFields& processor, ProcessorChain& chain);

void read_trimming(const JsonFields& processor, ProcessorChain& chain) {
  if (processor.optional_boolean("trim_offsets").value_or(true)) {
    chain.steps.add_trimming(processor.optional_boolean("add_prefix_space").value_or(true));
  }
}

struct PostProcessorKind {
  std::string_view type;
  void (*read)(const JsonFields& processor, ProcessorChain& chain);
};

constexpr PostProcessorKind post_processor_kinds[] = {
    {"BertProcessing", [](const JsonFields& processor, ProcessorChain& chain) { add_pair(processor, chain); }},
    {"ByteLevel", read_trimming},
    {"RobertaProcessing",
     [](const JsonFields& processor, ProcessorChain& chain) {
       read_trimming(processor, chain);
       add_pair(processor, chain);
     }},
    {"Sequence",
     [](const JsonFields& processor, ProcessorChain& chain) {
       for (const simdjson::dom::element element : processor.array("processors")) {
         read_processor(JsonFields(element, processor.label(), "post_processor.processors"), chain);
       }
     }},
    {"TemplateProcessing", read_template},
};

void read_processor(const JsonFields& processor, ProcessorChain& chain) {
  find_kind(post_processor_kinds, processor.string("type"), "post_processor", processor).read(processor, chain);
}

}  // namespace

std::unique_ptr<const Pipeline> read_pipeline(const JsonFields& file) {
  NormalizerChain normalizers;
  if (file.optional_element("normalizer")) read_normalizer(file.object("normalizer"), normalizers);
  PreTokenizerChain pre_tokenizers;
  if (file.optional_element("pre_tokenizer")) read_pre_tokenizer(file.object("pre_tokenizer"), pre_tokenizers);
  const JsonFields model = file.object("model");
  ReadModel read = find_kind(model_kinds, model_type(model), "tokenizer model", model).read(model);

  auto pipeline = std::make_unique<Pipeline>();
  pipeline->normalizers = std::move(normalizers.steps);
  pipeline->fast = make_fast(read, normalizers, pipeline->normalizers, pre_tokenizers);
  pipeline->pre_tokenizers = std::move(pre_tokenizers.steps);
  pipeline->model = std::move(read.model);
  return pipeline;
}

PostProcessor read_post_processor(const JsonFields& file) {
  ProcessorChain chain;
  if (file.optional_element("post_processor")) read_processor(file.object("post_processor"), chain);
  return std::move(chain.steps);
}

}  // namespace inlay::tokenize
