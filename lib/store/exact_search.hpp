// The rows of largest inner product with a query, by looking at each: of rows that lie in a file's mapping, wherever they begin in it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "inlay/similarity.hpp"

namespace inlay::store {

/// float32 rows, one after the other, of any alignment.
struct MappedRows {
  const char* bytes = nullptr;
  std::size_t count = 0;
  std::size_t dimension = 0;

  [[nodiscard]] const char* row(std::size_t index) const noexcept { return bytes + index * dimension * sizeof(float); }
};

/// The inner product with a row, summed in float32. `query` has the row's dimension.
[[nodiscard]] float inner_product(std::span<const float> query, const char* row) noexcept;

/// The k best, best first, equal ones by row, of the rows that `wanted` (empty: all) says yes to and whose product is at least `least`.
[[nodiscard]] std::vector<Match> nearest_rows(const MappedRows& rows, std::span<const float> query, std::size_t k,
                                              const std::function<bool(std::size_t row)>& wanted = {}, float least = -1e30F);

}  // namespace inlay::store
