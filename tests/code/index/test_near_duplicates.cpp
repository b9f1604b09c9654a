#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "code/index/near_duplicates.hpp"
#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

namespace inlay::test {
namespace {

constexpr std::size_t dimension = 24;

// Rows around some centres, closer to the first ones than to the last.
Matrix rows_around(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Matrix centres = Matrix::from_shape({40, dimension});
  for (float& value : centres) value = normal(random);
  Matrix rows = Matrix::from_shape({count, dimension});
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t centre = random() % 40;
    const float width = 0.02F * static_cast<float>(centre);
    for (std::size_t column = 0; column < dimension; ++column) rows(row, column) = centres(centre, column) + width * normal(random);
  }
  normalize(rows);
  return rows;
}

// By comparing each with each, in double, and walking from one to the next.
std::vector<std::vector<std::size_t>> expected_groups(const Matrix& rows, float threshold, const auto& may_pair) {
  const std::size_t count = rows.shape(0);
  std::vector<bool> seen(count);
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t start = 0; start < count; ++start) {
    if (seen[start]) continue;
    std::vector<std::size_t> group;
    std::vector<std::size_t> open = {start};
    seen[start] = true;
    while (!open.empty()) {
      const std::size_t row = open.back();
      open.pop_back();
      group.push_back(row);
      for (std::size_t other = 0; other < count; ++other) {
        double product = 0;
        for (std::size_t i = 0; i < dimension; ++i) product += static_cast<double>(rows(row, i)) * static_cast<double>(rows(other, i));
        if (seen[other] || product < static_cast<double>(threshold) || !may_pair(row, other)) continue;
        seen[other] = true;
        open.push_back(other);
      }
    }
    std::ranges::sort(group);
    if (group.size() > 1) groups.push_back(group);
  }
  std::ranges::sort(groups);
  return groups;
}

std::vector<DuplicateGroup> found_in(const Matrix& rows, const std::function<bool(std::size_t, std::size_t)>& may_pair,
                                     const DuplicateOptions& options) {
  std::vector<std::size_t> all(rows.shape(0));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return code::find_near_duplicates({reinterpret_cast<const char*>(rows.data()), rows.shape(0), dimension}, all, may_pair, options);
}

std::vector<std::vector<std::size_t>> sorted_items(const std::vector<DuplicateGroup>& groups) {
  std::vector<std::vector<std::size_t>> items;
  for (const DuplicateGroup& group : groups) items.push_back(group.items);
  std::ranges::sort(items);
  return items;
}

bool any(std::size_t, std::size_t) { return true; }

}  // namespace

TEST_CASE("near-copies are the groups that comparing each with each gives") {
  const Matrix rows = rows_around(700, 1);
  for (const float threshold : {0.999F, 0.97F, 0.9F}) {
    const auto groups = found_in(rows, any, {.threshold = threshold});
    CHECK(sorted_items(groups) == expected_groups(rows, threshold, any));
    CHECK(std::ranges::is_sorted(groups, std::greater(), &DuplicateGroup::score));
    for (const DuplicateGroup& group : groups) CHECK(group.score >= threshold);
  }
}

TEST_CASE("rows that are compared in several blocks give the same groups, on any number of threads") {
  const Matrix rows = rows_around(5000, 3);
  const auto expected = expected_groups(rows, 0.9995F, any);
  CHECK(expected.size() > 1);
  for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
    std::size_t last = 0;
    std::size_t different = 0;  // equal rows are compared once
    const auto progress = [&](std::size_t done, std::size_t total) {
      CHECK(total > 4096);
      CHECK(done >= last);
      last = done;
      different = total;
    };
    CHECK(sorted_items(found_in(rows, any, {.threshold = 0.9995F, .threads = threads, .on_progress = progress})) == expected);
    CHECK(last == different);
  }
}

TEST_CASE("two that may not pair are in one group only through others") {
  const Matrix rows = rows_around(300, 2);
  const auto of_other_thirds = [](std::size_t a, std::size_t b) { return a % 3 != b % 3; };
  CHECK(sorted_items(found_in(rows, of_other_thirds, {.threshold = 0.95F})) == expected_groups(rows, 0.95F, of_other_thirds));
}

TEST_CASE("very many copies of one vector are one group, quickly") {
  Matrix rows = Matrix::from_shape({20'000, dimension});
  rows.fill(0);
  for (std::size_t row = 0; row < rows.shape(0); ++row) rows(row, 0) = 1;
  rows(7, 0) = 0;
  rows(7, 1) = 1;
  const auto groups = found_in(rows, any, {.threshold = 0.99F});
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].items.size() == 19'999);
  CHECK(groups[0].score == 1);
}

TEST_CASE("equal vectors are near at any threshold up to 1, vectors without a direction at none") {
  Matrix rows = rows_around(20, 4);
  const float not_a_number = std::numeric_limits<float>::quiet_NaN();
  Matrix twice = Matrix::from_shape({24, dimension});
  for (std::size_t row = 0; row < 24; ++row) {
    for (std::size_t i = 0; i < dimension; ++i) twice(row, i) = row < 20 ? rows(row / 2, i) : row < 22 ? 0 : not_a_number;
  }
  const auto groups = found_in(twice, any, {.threshold = 1});
  CHECK(groups.size() == 10);
  for (const DuplicateGroup& group : groups) CHECK(group.score == 1);
}

TEST_CASE("a search for near-copies can be stopped, and nothing has none") {
  const Matrix rows = rows_around(600, 1);
  std::stop_source stop;
  check_error(Status::cancelled, {}, [&] {
    static_cast<void>(
        found_in(rows, any, {.stop = stop.get_token(), .on_progress = [&](std::size_t, std::size_t) { stop.request_stop(); }}));
  });
  CHECK(found_in(Matrix::from_shape({0, dimension}), any, {}).empty());
}

}  // namespace inlay::test
