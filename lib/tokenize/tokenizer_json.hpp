// tokenizer.json: the one file that holds a whole tokenizer (https://huggingface.co/docs/tokenizers).
#pragma once

#include <memory>

#include "inlay/tokenizer.hpp"
#include "model/model_source.hpp"

namespace inlay::tokenize {

[[nodiscard]] std::shared_ptr<const Tokenizer> make_from_tokenizer_json(const model::ModelSource& source);

}  // namespace inlay::tokenize
