#include "tokenize/older_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "inlay/error.hpp"
#include "text/reference_characters.hpp"
#include "text/utf8.hpp"
#include "tokenize/bpe.hpp"
#include "tokenize/pipeline_tokenizer.hpp"
#include "tokenize/sentencepiece_model.hpp"
#include "tokenize/tokenizer_config.hpp"
#include "tokenize/unigram.hpp"
#include "tokenize/word_piece.hpp"

namespace inlay::tokenize {
namespace {

AddedToken special(std::string_view content, bool lstrip = false) {
  return {.content = std::string(content), .special = true, .lstrip = lstrip, .normalized = false};
}

// The names that RoBERTa's kin give their special tokens.
std::vector<NamedToken> roberta_names(std::string_view unknown = "<unk>", bool mask_strips = false) {
  return {{"bos_token", special("<s>")},
          {"eos_token", special("</s>")},
          {"unk_token", special(unknown)},
          {"sep_token", special("</s>")},
          {"pad_token", special("<pad>")},
          {"cls_token", special("<s>")},
          {"mask_token", special("<mask>", mask_strips), mask_strips}};
}

std::shared_ptr<const Tokenizer> assemble(std::unique_ptr<const Pipeline> pipeline, const std::vector<AddedToken>& tokens,
                                          const std::function<void(const AddedTokens&, PostProcessor&)>& add_processing) {
  AddedTokens added(tokens, pipeline->model->vocabulary(), pipeline->model->size(), normalize_with(pipeline->normalizers));
  PostProcessor post_processor;
  add_processing(added, post_processor);
  return std::make_shared<PipelineTokenizer>(std::move(pipeline), std::move(added), std::move(post_processor));
}

// The id of a special token that the class puts around a text; none where the files take it away.
std::vector<TokenId> id_of(const AddedTokens& added, const std::string& content) {
  const auto id = added.find(content);
  return id ? std::vector<TokenId>{*id} : std::vector<TokenId>{};
}

std::string_view without_trailing_white_space(std::string_view line) {
  while (!line.empty()) {
    const auto last = text::decode_last_utf8(line);
    if (!(text::character_class(last.code_point) & text::whitespace)) break;
    line.remove_suffix(last.length);
  }
  return line;
}

// vocab.txt: a token a line.
Vocabulary read_lines(const model::ModelSource& source) {
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

std::unique_ptr<Pipeline> make_bert_pipeline(const model::ModelSource& source, const TokenizerConfig& config) {
  BertOptions bert;
  bert.lowercase = config.flag("do_lower_case", true);
  bert.handle_chinese_chars = config.flag("tokenize_chinese_chars", true);
  bert.strip_accents = config.flag("strip_accents", bert.lowercase);
  WordPieceOptions options;
  options.unknown_token = config.content("unk_token", "[UNK]");
  auto model = std::make_unique<const WordPieceModel>(read_lines(source), options, source.label("vocab.txt"));
  auto pipeline = std::make_unique<Pipeline>();
  append_bert_normalizers(pipeline->normalizers, bert);
  pipeline->pre_tokenizers.push_back(make_bert_pre_tokenizer());
  pipeline->fast = make_bert_encoder(*model, bert);
  pipeline->model = std::move(model);
  return pipeline;
}

std::shared_ptr<const Tokenizer> make_bert(const model::ModelSource& source, std::string_view) {
  const TokenizerConfig config(source, {{"unk_token", special("[UNK]")},
                                        {"sep_token", special("[SEP]")},
                                        {"pad_token", special("[PAD]")},
                                        {"cls_token", special("[CLS]")},
                                        {"mask_token", special("[MASK]")}});
  return assemble(make_bert_pipeline(source, config), config.added_tokens(), [&](const AddedTokens& added, PostProcessor& processor) {
    processor.add_special_tokens(id_of(added, config.content("cls_token")), id_of(added, config.content("sep_token")));
  });
}

std::shared_ptr<const Tokenizer> make_mpnet(const model::ModelSource& source, std::string_view) {
  const TokenizerConfig config(source, roberta_names("[UNK]", true));
  return assemble(make_bert_pipeline(source, config), config.added_tokens(), [&](const AddedTokens& added, PostProcessor& processor) {
    processor.add_trimming(false);
    processor.add_special_tokens(id_of(added, config.content("cls_token")), id_of(added, config.content("sep_token")));
  });
}

// vocab.json and merges.txt: ids by token, and a merge a line.
std::unique_ptr<Pipeline> make_byte_level_pipeline(const model::ModelSource& source, const ByteLevelOptions& options) {
  const model::FileBytes vocabulary_file = source.read("vocab.json");
  const model::JsonDocument document(vocabulary_file.bytes, vocabulary_file.label);
  const JsonFields fields(document.root(), vocabulary_file.label, "");
  std::vector<VocabularyEntry> entries;
  entries.reserve(fields.members().size());
  for (const auto [text, value] : fields.members()) {
    std::int64_t id = 0;
    if (value.get(id)) throw Error(Status::invalid_model, fmt::format("{} is not an id", fields.where(text)));
    entries.push_back({text, id});
  }
  if (entries.empty()) throw Error(Status::invalid_model, fmt::format("{} is empty", vocabulary_file.label));

  const model::FileBytes merges_file = source.read("merges.txt");
  if (!text::is_valid_utf8(merges_file.bytes)) throw Error(Status::invalid_model, fmt::format("{} is not UTF-8", merges_file.label));
  Merges merges;
  std::size_t number = 0;
  for (std::string_view rest = merges_file.bytes; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      throw Error(Status::invalid_model, fmt::format("{}: line {} is not a pair of tokens", merges_file.label, number));
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }

  auto model =
      std::make_unique<const BpeModel>(Vocabulary(std::move(entries), vocabulary_file.label), merges, BpeOptions{}, merges_file.label);
  auto pipeline = std::make_unique<Pipeline>();
  pipeline->pre_tokenizers.push_back(make_byte_level(options));
  pipeline->fast = make_byte_level_encoder(*model, options);
  pipeline->model = std::move(model);
  return pipeline;
}

std::shared_ptr<const Tokenizer> make_roberta(const model::ModelSource& source, std::string_view) {
  const TokenizerConfig config(source, roberta_names());
  const ByteLevelOptions options{.add_prefix_space = config.flag("add_prefix_space", false)};
  return assemble(make_byte_level_pipeline(source, options), config.added_tokens(),
                  [&](const AddedTokens& added, PostProcessor& processor) {
                    if (config.flag("trim_offsets", true)) processor.add_trimming(options.add_prefix_space);
                    processor.add_special_tokens(id_of(added, config.content("cls_token")), id_of(added, config.content("sep_token")));
                  });
}

// --- SentencePiece models

// What a model's own pieces add: those that text is looked through for, before it is normalised.
std::vector<AddedToken> added_pieces(const SentencePieceModel& model) {
  std::vector<AddedToken> tokens;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    const bool control = piece.kind == SentencePieceModel::PieceKind::control;
    if (control || piece.kind == SentencePieceModel::PieceKind::user_defined) {
      tokens.push_back({.content = std::string(piece.text), .special = control, .normalized = false});
    }
  }
  return tokens;
}

// fairseq's order: <s> <pad> </s> <unk>, the model's pieces from the fourth on, <mask>.
std::shared_ptr<const Tokenizer> make_xlm_roberta(const model::ModelSource& source, std::string_view file_name) {
  const model::FileBytes file = source.read(file_name);
  const SentencePieceModel model = read_sentencepiece_model(file.bytes, file.label);
  if (model.kind != SentencePieceModel::Kind::unigram) {
    throw Error(Status::unsupported,
                fmt::format("{}: XLMRobertaTokenizer takes a unigram model, not one of kind {}", file.label, static_cast<int>(model.kind)));
  }
  const TokenizerConfig config(source, roberta_names());
  std::vector<std::string> names;
  for (const char* name : {"bos_token", "pad_token", "eos_token", "unk_token", "mask_token"}) names.push_back(config.content(name));
  std::vector<ScoredToken> tokens;
  for (std::size_t index = 0; index < 4; ++index) tokens.push_back({names[index], 0});
  for (std::size_t index = 3; index < model.pieces.size(); ++index) tokens.push_back({model.pieces[index].text, model.pieces[index].score});
  tokens.push_back({names[4], 0});

  auto pipeline = std::make_unique<Pipeline>();
  if (!model.charsmap.empty()) {
    const std::string where = fmt::format("{}: precompiled_charsmap", file.label);
    pipeline->normalizers.push_back(make_precompiled({model.charsmap, where}));
  }
  MetaspaceOptions metaspace;
  metaspace.prepend = config.flag("add_prefix_space", true) ? PrependScheme::always : PrependScheme::never;
  pipeline->pre_tokenizers.push_back(make_class_split(text::whitespace, Delimiters::removed));
  pipeline->pre_tokenizers.push_back(make_metaspace(metaspace));
  pipeline->model = std::make_unique<const UnigramModel>(tokens, 3, false, file.label);
  pipeline->fast = make_metaspace_encoder(*pipeline->model, pipeline->normalizers, metaspace, true);
  return assemble(std::move(pipeline), config.added_tokens(added_pieces(model)), [&](const AddedTokens& added, PostProcessor& processor) {
    processor.add_special_tokens(id_of(added, names[0]), id_of(added, names[2]));
  });
}

// The merges of a BPE model are not in its file: each way to make a piece of two, earlier pieces first, and of one piece's ways the one
// with the shorter left part first.
Merges find_merges(const SentencePieceModel& model, const Vocabulary& vocabulary) {
  Merges merges;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    ByteTrie::Node node = vocabulary.trie().root();
    for (std::size_t cut = 0; cut < piece.text.size() && vocabulary.trie().step(node, static_cast<unsigned char>(piece.text[cut]));) {
      ++cut;
      if (node.value() == ByteTrie::no_value || cut == piece.text.size()) continue;
      if (vocabulary.find(piece.text.substr(cut))) merges.emplace_back(piece.text.substr(0, cut), piece.text.substr(cut));
    }
  }
  return merges;
}

std::unique_ptr<const TokenModel> make_piece_model(const SentencePieceModel& model, std::string_view label) {
  if (model.kind == SentencePieceModel::Kind::unigram) {
    std::vector<ScoredToken> tokens;
    for (const SentencePieceModel::Piece& piece : model.pieces) tokens.push_back({piece.text, piece.score});
    if (model.unknown_id < 0) throw Error(Status::invalid_model, fmt::format("{} has no unknown piece", label));
    return std::make_unique<const UnigramModel>(tokens, static_cast<std::size_t>(model.unknown_id), model.byte_fallback, label);
  }
  if (model.kind != SentencePieceModel::Kind::bpe) {
    throw Error(Status::unsupported, fmt::format("{}: SentencePiece models of kind {} are not supported; known: unigram, bpe", label,
                                                 static_cast<int>(model.kind)));
  }
  std::vector<VocabularyEntry> entries;
  for (const SentencePieceModel::Piece& piece : model.pieces) entries.push_back({piece.text, static_cast<std::int64_t>(entries.size())});
  Vocabulary vocabulary(std::move(entries), label);
  vocabulary.check_lengths(label);
  const Merges merges = find_merges(model, vocabulary);
  BpeOptions options;
  options.unknown_token = std::string(model.unknown_piece);
  options.fuse_unknown = true;
  options.byte_fallback = model.byte_fallback;
  return std::make_unique<const BpeModel>(std::move(vocabulary), merges, std::move(options), label);
}

// What transformers makes of a SentencePiece model whose class it does not know: the pieces as they are, and no words.
std::shared_ptr<const Tokenizer> make_sentencepiece(const model::ModelSource& source, std::string_view file_name) {
  const model::FileBytes file = source.read(file_name);
  const SentencePieceModel model = read_sentencepiece_model(file.bytes, file.label);
  std::vector<NamedToken> names;
  if (model.bos_id >= 0) names.push_back({"bos_token", special(model.bos_piece)});
  if (model.eos_id >= 0) names.push_back({"eos_token", special(model.eos_piece)});
  if (model.unknown_id >= 0) names.push_back({"unk_token", special(model.unknown_piece)});
  const TokenizerConfig config(source, std::move(names));
  auto pipeline = std::make_unique<Pipeline>();
  if (!model.charsmap.empty()) {
    const std::string where = fmt::format("{}: precompiled_charsmap", file.label);
    pipeline->normalizers.push_back(make_precompiled({model.charsmap, where}));
  }
  pipeline->normalizers.push_back(make_replace(Pattern::literal(" "), MetaspaceOptions{}.replacement));
  pipeline->model = make_piece_model(model, file.label);
  return assemble(std::move(pipeline), config.added_tokens(added_pieces(model)), [&](const AddedTokens& added, PostProcessor& processor) {
    const auto around = [&](std::string_view flag, std::string_view name) {
      return config.flag(flag, false) ? id_of(added, config.content(name)) : std::vector<TokenId>{};
    };
    processor.add_special_tokens(around("add_bos_token", "bos_token"), around("add_eos_token", "eos_token"));
  });
}

// --- which class

struct OlderClass {
  std::string_view name;                      // in tokenizer_config.json, without "Fast"
  std::vector<std::string_view> files;        // the first one that is there makes the tokenizer
  std::vector<std::string_view> model_types;  // of config.json, for models that don't name a class
  std::shared_ptr<const Tokenizer> (*make)(const model::ModelSource&, std::string_view file);
};

// Of the classes that take the same file the first one has it where nothing names a class.
const std::vector<OlderClass>& classes() {
  static const std::vector<OlderClass> all = {
      {"BertTokenizer", {"vocab.txt"}, {"bert"}, make_bert},
      {"DistilBertTokenizer", {"vocab.txt"}, {"distilbert"}, make_bert},
      {"ElectraTokenizer", {"vocab.txt"}, {"electra"}, make_bert},
      {"MobileBertTokenizer", {"vocab.txt"}, {"mobilebert"}, make_bert},
      {"MPNetTokenizer", {"vocab.txt"}, {"mpnet"}, make_mpnet},
      {"RobertaTokenizer", {"vocab.json"}, {"roberta"}, make_roberta},
      {"XLMRobertaTokenizer", {"sentencepiece.bpe.model", "tokenizer.model"}, {"xlm-roberta"}, make_xlm_roberta},
      {"TokenizersBackend", {"tokenizer.model", "spiece.model"}, {}, make_sentencepiece},
      {"PreTrainedTokenizer", {"tokenizer.model", "spiece.model"}, {}, make_sentencepiece},
      {"LlamaTokenizer", {"tokenizer.model"}, {"llama"}, make_sentencepiece},
  };
  return all;
}

struct Choice {
  const OlderClass* kind;
  std::string_view file;
};

std::optional<Choice> first_file(const OlderClass& kind, const model::ModelSource& source) {
  for (const std::string_view file : kind.files) {
    if (source.has(file)) return Choice{&kind, file};
  }
  return std::nullopt;
}

Choice choose(const model::ModelSource& source) {
  const OptionalJson tokenizer_config(source, "tokenizer_config.json");
  if (const auto name = tokenizer_config ? tokenizer_config->optional_string("tokenizer_class") : std::nullopt) {
    std::string_view base = *name;
    if (base.ends_with("Fast")) base.remove_suffix(4);
    const auto kind = std::ranges::find(classes(), base, &OlderClass::name);
    if (kind == classes().end()) {
      std::string known;
      for (const OlderClass& each : classes()) known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
      throw Error(Status::unsupported, fmt::format("{}: tokenizer_class \"{}\" is not supported without a tokenizer.json; known: {}",
                                                   tokenizer_config->label(), *name, known));
    }
    if (const auto choice = first_file(*kind, source)) return *choice;
    throw Error(Status::not_found, fmt::format("model {} has no tokenizer: {} needs tokenizer.json or {}", source.name(), *name,
                                               fmt::join(kind->files, " or ")));
  }
  const OptionalJson config(source, "config.json");
  if (const auto type = config ? config->optional_string("model_type") : std::nullopt) {
    for (const OlderClass& each : classes()) {
      if (std::ranges::find(each.model_types, *type) == each.model_types.end()) continue;
      if (const auto choice = first_file(each, source)) return *choice;
    }
  }
  std::string files = "tokenizer.json";
  for (const OlderClass& each : classes()) {
    if (const auto choice = first_file(each, source)) return *choice;
    for (const std::string_view file : each.files) {
      if (files.find(file) == std::string::npos) files += fmt::format(", {}", file);
    }
  }
  throw Error(Status::not_found, fmt::format("model {} has no tokenizer: none of {}", source.name(), files));
}

}  // namespace

std::vector<std::string> older_files(const model::ModelSource& source) {
  std::vector<std::string> files{std::string(choose(source).file)};
  for (const char* file : {"merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}) {
    if (source.has(file) && (file != std::string_view("merges.txt") || files[0] == "vocab.json")) files.emplace_back(file);
  }
  return files;
}

std::shared_ptr<const Tokenizer> make_from_older_files(const model::ModelSource& source) {
  const Choice choice = choose(source);
  return choice.kind->make(source, choice.file);
}

}  // namespace inlay::tokenize
