#include "tokenize/tokenizer_factory.hpp"

#include "tokenize/older_files.hpp"
#include "tokenize/tokenizer_json.hpp"

namespace inlay::tokenize {

std::vector<std::string> tokenizer_files(const model::ModelSource& source) {
  std::vector<std::string> files = source.has("tokenizer.json") ? std::vector<std::string>{"tokenizer.json"} : older_files(source);
  for (std::string& file : files) file = source.path(file);
  return files;
}

std::shared_ptr<const Tokenizer> make_tokenizer(const model::ModelSource& source) {
  return source.has("tokenizer.json") ? make_from_tokenizer_json(source) : make_from_older_files(source);
}

}  // namespace inlay::tokenize

namespace inlay {

std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& model_folder) {
  return tokenize::make_tokenizer(model::ModelSource::from_folder(model_folder));
}

}  // namespace inlay
