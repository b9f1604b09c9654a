// Tokenizers without a tokenizer.json: the files that each class of transformers 5 has instead, and what it makes of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inlay/tokenizer.hpp"
#include "model/model_source.hpp"

namespace inlay::tokenize {

/// The files that such a tokenizer is made of, those that are there. Throws Error: not_found when there are none, unsupported for a class
/// that is not known.
[[nodiscard]] std::vector<std::string> older_files(const model::ModelSource& source);

[[nodiscard]] std::shared_ptr<const Tokenizer> make_from_older_files(const model::ModelSource& source);

}  // namespace inlay::tokenize
