// Tokenizers for the tests, made of files in memory.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inlay/generator.hpp"
#include "model/model_source.hpp"
#include "tokenize/tokenizer_factory.hpp"

namespace inlay::test {

using Files = std::map<std::string, std::string>;

inline std::shared_ptr<const Tokenizer> make_tokenizer(const Files& files) {
  std::vector<ModelFile> model;
  for (const auto& [name, content] : files) model.push_back({name, std::as_bytes(std::span(content))});
  return tokenize::make_tokenizer(model::ModelSource::from_memory(model, "test"));
}

}  // namespace inlay::test
