// BERT's older files: vocab.txt, a token a line, with tokenizer_config.json, special_tokens_map.json and added_tokens.json where they are
// there. Read as transformers 5 reads them.
#pragma once

#include <memory>

#include "inlay/tokenizer.hpp"
#include "model/model_source.hpp"

namespace inlay::tokenize {

[[nodiscard]] std::shared_ptr<const Tokenizer> make_from_bert_files(const model::ModelSource& source);

}  // namespace inlay::tokenize
