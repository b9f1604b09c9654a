// Near-copies among vectors: all pairs, block by block.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "inlay/codebase_index.hpp"
#include "store/exact_search.hpp"

namespace inlay::code {

/// Groups of the given rows: of any two that `may_pair` says yes to and whose cosine similarity is at least options.threshold both are in
/// one group. Best first. Throws Error (cancelled).
[[nodiscard]] std::vector<DuplicateGroup> find_near_duplicates(const store::MappedRows& vectors, std::span<const std::size_t> rows,
                                                               const std::function<bool(std::size_t, std::size_t)>& may_pair,
                                                               const DuplicateOptions& options);

}  // namespace inlay::code
