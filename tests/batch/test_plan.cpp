#include <numeric>
#include <random>
#include <set>

#include "batch/plan.hpp"
#include "support/catch.hpp"

using namespace inlay::batch;

namespace {
std::size_t tokens_of(const std::vector<std::size_t>& batch, const std::vector<std::size_t>& lengths) {
  return std::accumulate(batch.begin(), batch.end(), std::size_t{0},
                         [&](std::size_t sum, std::size_t item) { return sum + lengths[item]; });
}
}  // namespace

TEST_CASE("every item is planned once, within both limits, longest first") {
  std::mt19937 engine(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::size_t> lengths(engine() % 300);
    for (auto& length : lengths) length = 1 + engine() % 256;
    const PlanLimits limits{.batch_tokens = 1 + engine() % 2000, .batch_size = engine() % 40, .workers = 1 + engine() % 4};
    std::set<std::size_t> seen;
    std::size_t previous = 1000;
    for (const auto& batch : plan_batches(lengths, limits)) {
      CHECK((batch.size() == 1 || tokens_of(batch, lengths) <= limits.batch_tokens));
      CHECK((limits.batch_size == 0 || batch.size() <= limits.batch_size));
      for (const std::size_t item : batch) {
        CHECK(seen.insert(item).second);
        CHECK(lengths[item] <= previous);
        previous = lengths[item];
      }
    }
    CHECK(seen.size() == lengths.size());
  }
}

TEST_CASE("leading items keep their order from batch to batch, and come before the others") {
  const std::vector<std::size_t> lengths = {256, 256, 10, 256, 256, 256, 20, 5, 300, 100};
  const auto batches = plan_batches(lengths, {.batch_tokens = 800}, 7);
  CHECK(batches == std::vector<std::vector<std::size_t>>{{0, 1, 3, 2}, {4, 5, 6}, {8, 9, 7}});
}

TEST_CASE("items without tokens are not planned") {
  CHECK(plan_batches(std::vector<std::size_t>{0, 0}, {.batch_tokens = 10}).empty());
  CHECK(plan_batches({}, {.batch_tokens = 10}).empty());
  CHECK(plan_batches(std::vector<std::size_t>{0, 3}, {.batch_tokens = 10}) == std::vector<std::vector<std::size_t>>{{1}});
}

TEST_CASE("a small call is shared out among the workers") {
  const std::vector<std::size_t> lengths(8, 100);
  CHECK(plan_batches(lengths, {.batch_tokens = 4096, .workers = 4}).size() == 4);
  CHECK(plan_batches(lengths, {.batch_tokens = 4096, .workers = 1}).size() == 1);
}
