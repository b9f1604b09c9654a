#include "tokenize/tokenizer_factory.hpp"

#include <fmt/format.h>

#include "inlay/error.hpp"
#include "tokenize/bert_files.hpp"
#include "tokenize/tokenizer_json.hpp"

namespace inlay::tokenize {
namespace {

// A kind of tokenizer by the file that it can't do without; the first one that a model has is its tokenizer.
struct FileKind {
  std::string_view file;
  std::vector<std::string_view> further_files;  // read where they are there
  std::shared_ptr<const Tokenizer> (*make)(const model::ModelSource&);
};

const FileKind* file_kind(const model::ModelSource& source) {
  static const FileKind file_kinds[] = {
      {"tokenizer.json", {}, make_from_tokenizer_json},
      {"vocab.txt", {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}, make_from_bert_files},
  };
  for (const FileKind& kind : file_kinds) {
    if (source.has(kind.file)) return &kind;
  }
  throw Error(Status::not_found, fmt::format("model {} has no tokenizer: neither tokenizer.json nor vocab.txt", source.name()));
}

}  // namespace

std::vector<std::string> tokenizer_files(const model::ModelSource& source) {
  const FileKind* kind = file_kind(source);
  std::vector<std::string> files{std::string(kind->file)};
  for (const std::string_view file : kind->further_files) {
    if (source.has(file)) files.emplace_back(file);
  }
  return files;
}

std::shared_ptr<const Tokenizer> make_tokenizer(const model::ModelSource& source) { return file_kind(source)->make(source); }

}  // namespace inlay::tokenize

namespace inlay {

std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& model_folder) {
  return tokenize::make_tokenizer(model::ModelSource::from_folder(model_folder));
}

}  // namespace inlay
