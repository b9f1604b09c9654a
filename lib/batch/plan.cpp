#include "batch/plan.hpp"

#include <algorithm>
#include <numeric>

namespace inlay::batch {

std::vector<std::vector<std::size_t>> plan_batches(std::span<const std::size_t> lengths, const PlanLimits& limits, std::size_t leading) {
  std::vector<std::size_t> order;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] == 0) continue;
    order.push_back(i);
    tokens += lengths[i];
  }
  const auto length = [lengths](std::size_t i) { return lengths[i]; };
  const auto first_to_sort = std::ranges::lower_bound(order, leading);
  std::ranges::stable_sort(first_to_sort, order.end(), std::ranges::greater{}, length);

  // A small call is cut finer than batch_tokens asks, so that no worker is idle.
  const std::size_t budget = std::max<std::size_t>(1, std::min(limits.batch_tokens, (tokens + limits.workers - 1) / limits.workers));
  std::vector<std::vector<std::size_t>> batches;
  std::size_t used = 0;
  for (const std::size_t item : order) {
    const bool full =
        batches.empty() || used + lengths[item] > budget || (limits.batch_size != 0 && batches.back().size() == limits.batch_size);
    if (full) {
      batches.emplace_back();
      used = 0;
    }
    batches.back().push_back(item);
    used += lengths[item];
  }
  if (leading > 0) {
    for (auto& batch : batches) std::ranges::stable_sort(batch, std::ranges::greater{}, length);
  }
  return batches;
}

}  // namespace inlay::batch
