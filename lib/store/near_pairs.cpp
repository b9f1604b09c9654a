#include "store/near_pairs.hpp"

#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/FaissException.h>
#include <faiss/utils/distances.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "inlay/error.hpp"
#include "store/openmp_threads.hpp"

namespace inlay::store {
namespace {

constexpr std::size_t block_rows = 256;

}  // namespace

void for_each_near_pair(std::span<const float> rows, std::size_t dimension, float threshold, std::size_t threads,
                        const std::function<bool(std::span<const RowPair>, std::size_t done)>& visit) {
  const std::size_t count = dimension == 0 ? 0 : rows.size() / dimension;
  const OpenMpThreads scope(static_cast<int>(threads));
  std::vector<RowPair> pairs;
  for (std::size_t begin = 0; begin < count; begin += block_rows) {
    const std::size_t queries = std::min(block_rows, count - begin);
    const float* const first = rows.data() + begin * dimension;
    faiss::RangeSearchResult found(queries);
    try {
      faiss::range_search_inner_product(first, first, dimension, queries, count - begin, threshold, &found);
    } catch (const faiss::FaissException& error) {
      throw Error(Status::internal, fmt::format("comparing vectors: {}", error.what()));
    }
    pairs.clear();
    for (std::size_t query = 0; query < queries; ++query) {
      for (std::size_t i = found.lims[query]; i < found.lims[query + 1]; ++i) {
        const auto other = static_cast<std::size_t>(found.labels[i]);
        if (other > query) pairs.push_back({begin + query, begin + other, found.distances[i]});
      }
    }
    if (!visit(pairs, begin + queries)) return;
  }
}

}  // namespace inlay::store
