// tree-sitter's parser, with bounds to what it may do and take.
#pragma once

#include <tree_sitter/api.h>

#include <memory>
#include <string_view>
#include <utility>

#include "code/parse/parser_memory.hpp"

namespace inlay::code {

/// A tree and the memory that it is in; none where there was too much to do.
class SyntaxTree {
 public:
  SyntaxTree() = default;
  SyntaxTree(std::unique_ptr<ParserMemory> memory, const TSTree* tree) noexcept : memory_(std::move(memory)), tree_(tree) {}

  [[nodiscard]] explicit operator bool() const noexcept { return memory_ != nullptr; }
  [[nodiscard]] const TSTree* get() const noexcept { return memory_ ? tree_ : nullptr; }

 private:
  std::unique_ptr<ParserMemory> memory_;
  const TSTree* tree_ = nullptr;
};

/// The tree of a source of at most 2 GiB; none where it takes too much effort or memory. Throws Error (unsupported) for a grammar of another
/// version, std::bad_alloc.
[[nodiscard]] SyntaxTree parse_tree(std::string_view source, const TSLanguage* language);
/// In at most so many bytes of memory.
[[nodiscard]] SyntaxTree parse_tree(std::string_view source, const TSLanguage* language, std::size_t max_memory);

}  // namespace inlay::code
