// Pairs of rows whose inner product is at least a threshold: all with all, by matrix products.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace inlay::store {

struct RowPair {
  std::size_t first = 0;
  std::size_t second = 0;  ///< larger than first
  float score = 0;
};

/// Compares rows of `dimension` components, block by block; `visit` gets the pairs of a block, in no order, and how many rows have been
/// compared with all behind them; it ends the search by returning false. On the calling thread; `threads` compute.
void for_each_near_pair(std::span<const float> rows, std::size_t dimension, float threshold, std::size_t threads,
                        const std::function<bool(std::span<const RowPair>, std::size_t done)>& visit);

}  // namespace inlay::store
