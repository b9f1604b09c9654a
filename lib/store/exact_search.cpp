#include "store/exact_search.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace inlay::store {
namespace {

constexpr std::size_t lanes = 16;  // independent sums, so that the compiler may use vector registers without -ffast-math

bool better(const Match& a, const Match& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; }

}  // namespace

float inner_product(std::span<const float> query, const char* row) noexcept {
  std::array<float, lanes> sums{};
  std::size_t i = 0;
  for (; i + lanes <= query.size(); i += lanes) {
    std::array<float, lanes> values;
    std::memcpy(values.data(), row + i * sizeof(float), sizeof(values));
    for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += query[i + lane] * values[lane];
  }
  for (std::size_t width = lanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) sums[lane] += sums[lane + width];
  }
  for (; i < query.size(); ++i) {
    float value = 0;
    std::memcpy(&value, row + i * sizeof(float), sizeof(value));
    sums[0] += query[i] * value;
  }
  return sums[0];
}

std::vector<Match> nearest_rows(const MappedRows& rows, std::span<const float> query, std::size_t k,
                                const std::function<bool(std::size_t row)>& wanted, float least) {
  std::vector<Match> best;  // a heap whose top is the worst of them
  k = std::min(k, rows.count);
  if (k == 0) return best;
  for (std::size_t row = 0; row < rows.count; ++row) {
    if (wanted && !wanted(row)) continue;
    const Match match{row, inner_product(query, rows.row(row))};
    if (!(match.score >= least)) continue;  // NaN, too
    if (best.size() == k) {
      if (!better(match, best.front())) continue;
      std::ranges::pop_heap(best, better);
      best.pop_back();
    }
    best.push_back(match);
    std::ranges::push_heap(best, better);
  }
  std::ranges::sort_heap(best, better);
  return best;
}

}  // namespace inlay::store
