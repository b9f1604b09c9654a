// Planning: which texts go through the encoder together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace inlay::batch {

struct PlanLimits {
  std::size_t batch_tokens = 0;  ///< at most, one longer text alone excepted; at least 1
  std::size_t batch_size = 0;    ///< items at most; 0: no limit
  std::size_t workers = 1;       ///< that should all have something to do
};

/// Batches of indices into `lengths` (tokens of each text). Longest first: what needs the most memory fails early, and equal lengths lie
/// together. A length of 0 stands for a text that is not to be encoded. The first `leading` go first and stay in their order from batch to
/// batch: the chunks of long texts, so that one text after the other is finished, and kept, and not all of them at the end.
[[nodiscard]] std::vector<std::vector<std::size_t>> plan_batches(std::span<const std::size_t> lengths, const PlanLimits& limits,
                                                                 std::size_t leading = 0);

}  // namespace inlay::batch
