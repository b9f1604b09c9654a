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

// Of a block's rows with these and all behind them. On one thread: OpenMP's loops are short here, and its threads would wait for one
// another.
std::vector<RowPair> pairs_of_block(std::span<const float> rows, std::size_t dimension, float threshold, std::size_t block) {
  const OpenMpThreads scope(1);
  const std::size_t begin = block * block_rows;
  const std::size_t count = rows.size() / dimension - begin;
  const std::size_t queries = std::min(block_rows, count);
  const float* const first = rows.data() + begin * dimension;
  std::vector<RowPair> pairs;
  try {
    faiss::RangeSearchResult found(queries);
    faiss::range_search_inner_product(first, first, dimension, queries, count, threshold, &found);
    for (std::size_t query = 0; query < queries; ++query) {
      for (std::size_t i = found.lims[query]; i < found.lims[query + 1]; ++i) {
        const auto other = static_cast<std::size_t>(found.labels[i]);
        if (other > query) pairs.push_back({begin + query, begin + other, found.distances[i]});
      }
    }
  } catch (const faiss::FaissException& error) {
    throw Error(Status::internal, fmt::format("comparing vectors: {}", error.what()));
  }
  return pairs;
}

}  // namespace

void for_each_near_pair(std::span<const float> rows, std::size_t dimension, float threshold, std::size_t threads,
                        const std::function<bool(std::span<const RowPair>, std::size_t done)>& visit) {
  const std::size_t count = dimension == 0 ? 0 : rows.size() / dimension;
  const std::size_t blocks = (count + block_rows - 1) / block_rows;
  std::vector<std::vector<RowPair>> pairs(std::max<std::size_t>(1, threads));
  for (std::size_t done = 0; done < blocks; done += pairs.size()) {
    const std::size_t now = std::min(pairs.size(), blocks - done);
    platform::for_each_parallel(
        now, [&](std::size_t i) { pairs[i] = pairs_of_block(rows, dimension, threshold, done + i); }, threads);
    for (std::size_t i = 0; i < now; ++i) {
      if (!visit(pairs[i], std::min(count, (done + i + 1) * block_rows))) return;
    }
  }
}

}  // namespace inlay::store
