#include <algorithm>
#include <array>
#include <cmath>
#include <inlay/error.hpp>
#include <inlay/similarity.hpp>
#include <limits>
#include <random>

#include "support/catch.hpp"

using namespace inlay;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

Matrix random_matrix(std::size_t rows, std::size_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Matrix matrix = Matrix::from_shape({rows, columns});
  for (float& value : matrix) value = normal(random);
  return matrix;
}

}  // namespace

TEST_CASE("cosine similarity is NumPy's") {
  // a @ b / norm(a) / norm(b) in float64
  const Vector a = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Vector b = {-1, 0.5, 2, -3, 4, 0, 1, 1, 2};
  CHECK(cosine_similarity(a, b) == Approx(0.4624038298666849).epsilon(1e-7));
  CHECK(cosine_similarity(a, a) == 1.0F);
  CHECK(cosine_similarity(a, Vector(-a)) == -1.0F);
}

TEST_CASE("cosine similarity keeps its range at the ends of float's") {
  CHECK(cosine_similarity(Vector{1e38F, 1e38F}, Vector{1e38F, 1e38F}) == Approx(1.0F));
  CHECK(cosine_similarity(Vector{1e-40F, 0}, Vector{3e-40F, 0}) == Approx(1.0F));
  CHECK(cosine_similarity(Vector{0, 0}, Vector{1, 2}) == 0.0F);
  CHECK(std::isnan(cosine_similarity(Vector{not_a_number, 0}, Vector{1, 2})));
  const std::array<float, 0> empty{};
  CHECK(cosine_similarity(empty, empty) == 0.0F);
}

TEST_CASE("vectors of different sizes are an error that names both") {
  CHECK_THROWS_WITH(cosine_similarity(Vector{1, 2}, Vector{1, 2, 3}), Catch::Contains("2 and 3"));
  CHECK_THROWS_WITH(top_k(Vector{1, 2}, random_matrix(2, 3, 1), 1), Catch::Contains("query has 2"));
}

TEST_CASE("top_k gives what sorting all rows gives, for every k") {
  const Matrix vectors = random_matrix(200, 19, 7);
  const Matrix queries = random_matrix(5, 19, 8);
  for (std::size_t q = 0; q < 5; ++q) {
    const std::span<const float> query(&queries(q, 0), 19);
    std::vector<Match> all;
    for (std::size_t row = 0; row < 200; ++row)
      all.push_back({row, cosine_similarity(query, std::span<const float>(&vectors(row, 0), 19))});
    std::ranges::stable_sort(all, std::greater(), &Match::score);
    for (const std::size_t k : {0, 1, 2, 10, 199, 200, 1000}) {
      const std::vector<Match> expected(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(k, 200)));
      CHECK((top_k(query, vectors, k) == expected));
    }
  }
}

TEST_CASE("equal scores come by row, and rows with a NaN never match") {
  const Matrix vectors = {{1, 0}, {0, 1}, {not_a_number, 1}, {2, 0}, {3, 0}};
  CHECK((top_k(Vector{1, 0}, vectors, 3) == std::vector<Match>{{0, 1.0F}, {3, 1.0F}, {4, 1.0F}}));
  CHECK(top_k(Vector{1, 0}, vectors, 9).size() == 4);
  CHECK(top_k(Vector{0, 0}, vectors, 9).size() == 4);
  CHECK(top_k(Vector{1, 0}, Matrix::from_shape({0, 2}), 3).empty());
}

TEST_CASE("pooling gives the mean or the largest of each component") {
  const Matrix vectors = {{1, -5, 2}, {3, -7, 2}};
  CHECK((pool_embeddings(vectors) == Vector{2, -6, 2}));
  CHECK((pool_embeddings(vectors, "max") == Vector{3, -5, 2}));
  CHECK_THROWS_WITH(pool_embeddings(vectors, "median"), Catch::Contains("Invalid pooling method \"median\""));
  CHECK_THROWS_AS(pool_embeddings(Matrix::from_shape({0, 3})), Error);
  const Vector with_nan = pool_embeddings(Matrix{{not_a_number, 1}, {5, 2}}, "max");
  CHECK(std::isnan(with_nan(0)));
  CHECK(with_nan(1) == 2);
}

TEST_CASE("normalising scales to length 1 and leaves zeros") {
  Matrix vectors = {{3, 4}, {0, 0}, {1e-30F, 0}, {1e30F, 1e30F}};
  normalize(vectors);
  CHECK(vectors(0, 0) == Approx(0.6F));
  CHECK(vectors(0, 1) == Approx(0.8F));
  CHECK(vectors(1, 0) == 0);
  CHECK(vectors(2, 0) == 1);
  CHECK(vectors(3, 1) == Approx(std::sqrt(0.5F)));
}
