#include "store/near_pairs.hpp"

#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/FaissException.h>
#include <faiss/utils/distances.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "inlay/error.hpp"
#include "platform/parallel.hpp"
#include "store/openmp_threads.hpp"

namespace inlay::store {
namespace {

constexpr std::size_t block_rows = 256;
constexpr std::size_t block_columns = 4096;  // so that not all pairs of a block are held where most are near

// Rows from `row` on with rows from `column` on.
struct Block {
  std::size_t row = 0;
  std::size_t column = 0;
};

// Of a block's rows with those behind them. On one thread: OpenMP's loops are short here, and its threads would wait for one another.
std::vector<RowPair> pairs_of_block(std::span<const float> rows, std::size_t dimension, float threshold, const Block& block) {
  const OpenMpThreads scope(1);
  const std::size_t count = rows.size() / dimension;
  const std::size_t queries = std::min(block_rows, count - block.row);
  const std::size_t others = std::min(block_columns, count - block.column);
  std::vector<RowPair> pairs;
  try {
    faiss::RangeSearchResult found(queries);
    faiss::range_search_inner_product(rows.data() + block.row * dimension, rows.data() + block.column * dimension, dimension, queries,
                                      others, threshold, &found);
    for (std::size_t query = 0; query < queries; ++query) {
      const std::size_t row = block.row + query;
      for (std::size_t i = found.lims[query]; i < found.lims[query + 1]; ++i) {
        const std::size_t other = block.column + static_cast<std::size_t>(found.labels[i]);
        if (other > row) pairs.push_back({row, other, found.distances[i]});
      }
    }
  } catch (const faiss::FaissException& error) {
    throw Error(Status::internal, fmt::format("comparing vectors: {}", error.what()));
  }
  return pairs;
}

// The block behind this one: of the same rows, or of the next.
Block next_block(const Block& block, std::size_t count) {
  if (block.column + block_columns < count) return {block.row, block.column + block_columns};
  return {block.row + block_rows, block.row + block_rows};
}

}  // namespace

void for_each_near_pair(std::span<const float> rows, std::size_t dimension, float threshold, std::size_t threads,
                        const std::function<bool(std::span<const RowPair>, std::size_t done)>& visit) {
  const std::size_t count = dimension == 0 ? 0 : rows.size() / dimension;
  std::vector<Block> blocks;
  std::vector<std::vector<RowPair>> pairs(std::max<std::size_t>(1, threads));
  for (Block next; next.row < count;) {
    blocks.clear();
    for (; blocks.size() < pairs.size() && next.row < count; next = next_block(next, count)) blocks.push_back(next);
    platform::for_each_parallel(
        blocks.size(), [&](std::size_t i) { pairs[i] = pairs_of_block(rows, dimension, threshold, blocks[i]); }, threads);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const std::size_t done = next_block(blocks[i], count).row;  // the rows before it are compared with all
      if (!visit(pairs[i], std::min(count, done))) return;
    }
  }
}

}  // namespace inlay::store
