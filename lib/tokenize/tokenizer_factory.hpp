// From a model's files to its tokenizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inlay/tokenizer.hpp"
#include "model/model_source.hpp"

namespace inlay::tokenize {

/// The files that the model's tokenizer is made of, those that are there, relative to the whole model: tokenizer.json alone, or
/// the older files. Throws Error (not_found) when the model has no tokenizer that is known.
[[nodiscard]] std::vector<std::string> tokenizer_files(const model::ModelSource& source);

/// As load_tokenizer in inlay/tokenizer.hpp.
[[nodiscard]] std::shared_ptr<const Tokenizer> make_tokenizer(const model::ModelSource& source);

}  // namespace inlay::tokenize
