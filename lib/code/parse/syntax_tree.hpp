// tree-sitter's parser, with bounds.
#pragma once

#include <tree_sitter/api.h>

#include <memory>
#include <string_view>

namespace inlay::code {

struct DeleteTree {
  void operator()(TSTree* tree) const noexcept { ts_tree_delete(tree); }
};
using SyntaxTree = std::unique_ptr<TSTree, DeleteTree>;

/// The tree of a source of at most 2 GiB; null where it takes too much effort. Throws Error (unsupported) for a grammar of another version.
[[nodiscard]] SyntaxTree parse_tree(std::string_view source, const TSLanguage* language);

}  // namespace inlay::code
