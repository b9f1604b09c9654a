#include "tokenize/word_level.hpp"

#include <fmt/format.h>

#include "inlay/error.hpp"

namespace inlay::tokenize {

WordLevelModel::WordLevelModel(Vocabulary vocabulary, std::string_view unknown_token, std::string_view label)
    : vocabulary_(std::move(vocabulary)) {
  const auto unknown = vocabulary_.find(unknown_token);
  if (!unknown) {
    throw Error(Status::invalid_model, fmt::format("{}: the vocabulary lacks the unknown token \"{}\"", label, unknown_token));
  }
  unknown_ = *unknown;
}

}  // namespace inlay::tokenize
