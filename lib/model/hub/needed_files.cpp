#include "model/hub/needed_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "inlay/error.hpp"
#include "model/hub/names.hpp"
#include "model/json.hpp"
#include "model/modules_file.hpp"

namespace inlay::model::hub {
namespace {

constexpr std::string_view modules_file = "modules.json";

constexpr std::array<std::string_view, 6> configuration_files = {
    "config.json", "sentence_bert_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", modules_file};
// Older sentence-transformers name their configuration after the architecture.
constexpr std::array<std::string_view, 7> older_sentence_files = {"sentence_roberta_config.json",     "sentence_distilbert_config.json",
                                                                  "sentence_camembert_config.json",   "sentence_albert_config.json",
                                                                  "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json",
                                                                  "config_sentence_transformers.json"};

// tokenizer.json holds the whole tokenizer; the others are needed only where it is missing.
constexpr std::string_view tokenizer_file = "tokenizer.json";
constexpr std::array<std::string_view, 4> vocabulary_files = {"vocab.txt", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model"};
constexpr std::array<std::string_view, 2> bpe_files = {"vocab.json", "merges.txt"};  // neither is of use alone

constexpr std::array<std::string_view, 4> weight_files = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                                          "pytorch_model.bin.index.json"};

constexpr std::size_t most_shards = 10'000;

std::string join(std::string_view folder, std::string_view file) {
  return folder.empty() ? std::string(file) : fmt::format("{}/{}", folder, file);
}

class Finder {
 public:
  Finder(const FileList& listed, const ReadListed& read, std::string_view model) : listed_(listed), read_(read), model_(model) {}

  std::vector<std::string> find() {
    add_known({}, configuration_files);
    add_known({}, older_sentence_files);
    std::vector<Module> modules;
    if (listed_.contains(modules_file)) {
      modules = parse_modules(read_(std::string(modules_file)), fmt::format("{}: {}", model_, modules_file));
    }
    if (modules.empty()) modules.push_back({"Transformer", {}});
    for (const Module& module : modules) add_module(module);
    small_.insert(small_.end(), weights_.begin(), weights_.end());
    std::vector<std::string> unique;  // a module may share the root's folder
    for (std::string& file : small_) {
      if (std::ranges::find(unique, file) == unique.end()) unique.push_back(std::move(file));
    }
    return unique;
  }

 private:
  [[noreturn]] void refuse(Status status, const std::string& reason) const { throw Error(status, fmt::format("{}: {}", model_, reason)); }

  template <std::size_t count>
  bool add_known(std::string_view folder, const std::array<std::string_view, count>& names) {
    bool any = false;
    for (const std::string_view name : names) {
      if (std::string file = join(folder, name); listed_.contains(file)) {
        small_.push_back(std::move(file));
        any = true;
      }
    }
    return any;
  }

  void add_module(const Module& module) {
    const bool transformer = module.type == "Transformer";
    add_known(module.path, configuration_files);
    add_known(module.path, older_sentence_files);
    const std::string tokenizer = join(module.path, tokenizer_file);
    const bool whole = listed_.contains(tokenizer);
    if (whole) small_.push_back(tokenizer);
    const bool has_tokenizer = whole || add_vocabulary(module.path);
    const bool has_weights = add_weights(module.path);
    const bool has_configuration = listed_.contains(join(module.path, "config.json"));
    if (!transformer) {
      const bool weighted = module.type == "Dense" || module.type == "LayerNorm";
      if ((weighted || module.type == "Pooling") && !has_configuration) refuse_module(module, "config.json is");
      if (weighted && !has_weights) refuse_module(module, "weights are");
      return;
    }
    if (!has_configuration) refuse(Status::unsupported, "it has no config.json");
    if (!has_weights) {
      refuse(Status::unsupported, "it has no weights of a known format (model.safetensors, pytorch_model.bin, or either in shards)");
    }
    if (!has_tokenizer) {
      refuse(Status::unsupported, fmt::format("it has no tokenizer ({}, {}, or {})", tokenizer_file, fmt::join(vocabulary_files, ", "),
                                              fmt::join(bpe_files, " with ")));
    }
  }

  bool add_vocabulary(std::string_view folder) {
    const bool any = add_known(folder, vocabulary_files);
    const bool has_bpe = std::ranges::all_of(bpe_files, [&](std::string_view name) { return listed_.contains(join(folder, name)); });
    add_known(folder, bpe_files);
    return any || has_bpe;
  }

  [[noreturn]] void refuse_module(const Module& module, std::string_view what) const {
    refuse(Status::invalid_model, fmt::format("{} names the module {}, whose {} missing", modules_file, in_quotes(module.path), what));
  }

  bool add_weights(std::string_view folder) {
    for (const std::string_view name : weight_files) {
      const std::string file = join(folder, name);
      if (!listed_.contains(file)) continue;
      if (name.ends_with(".index.json")) {
        small_.push_back(file);
        add_shards(folder, file);
      } else {
        weights_.push_back(file);
      }
      return true;
    }
    return false;
  }

  void add_shards(std::string_view folder, const std::string& index) {
    const std::string text = read_(index);
    const std::string label = fmt::format("{}: {}", model_, index);
    const JsonDocument document(text, label);
    simdjson::dom::object map;
    if (document.root()["weight_map"].get(map)) refuse(Status::invalid_model, fmt::format("{} has no weight_map", index));
    FileList shards;
    for (const auto field : map) {
      std::string_view shard;
      if (field.value.get(shard) || !is_safe_path(shard)) {
        refuse(Status::invalid_model, fmt::format("{} gives {} no file in the model's folder", index, in_quotes(field.key)));
      }
      std::string file = join(folder, shard);
      if (!listed_.contains(file)) refuse(Status::invalid_model, fmt::format("{} names {}, which is missing", index, in_quotes(file)));
      shards.insert(std::move(file));
      if (shards.size() > most_shards) refuse(Status::invalid_model, fmt::format("{} names more than {} files", index, most_shards));
    }
    if (shards.empty()) refuse(Status::invalid_model, fmt::format("{} names no weights", index));
    weights_.insert(weights_.end(), shards.begin(), shards.end());
  }

  const FileList& listed_;
  const ReadListed& read_;
  std::string_view model_;
  std::vector<std::string> small_;
  std::vector<std::string> weights_;
};

}  // namespace

std::vector<std::string> needed_files(const FileList& listed, const ReadListed& read, std::string_view model) {
  return Finder(listed, read, model).find();
}

}  // namespace inlay::model::hub
