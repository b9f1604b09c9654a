// The parts of a tokenizer.json: what each type is called, and the fields it has.
#pragma once

#include <memory>

#include "tokenize/json_fields.hpp"
#include "tokenize/pipeline_tokenizer.hpp"

namespace inlay::tokenize {

// Each throws Error (unsupported) for a type that is not known, naming it, and invalid_model for fields that are missing or misshapen.

/// Normaliser, pre-tokenizer and model, and the fast road if they have one.
[[nodiscard]] std::unique_ptr<const Pipeline> read_pipeline(const JsonFields& file);

[[nodiscard]] PostProcessor read_post_processor(const JsonFields& file);

}  // namespace inlay::tokenize
