#include "inlay/similarity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "inlay/error.hpp"

namespace inlay {
namespace {

constexpr std::size_t lanes = 8;  // independent sums, so that the compiler may use vector registers without -ffast-math

double sum(const std::array<double, lanes>& parts) {
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

double dot(const float* a, const float* b, std::size_t size) {
  std::array<double, lanes> parts{};
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) parts[lane] += static_cast<double>(a[i + lane]) * b[i + lane];
  }
  for (; i < size; ++i) parts[0] += static_cast<double>(a[i]) * b[i];
  return sum(parts);
}

// Squares of floats neither overflow nor underflow in double. NaN where either vector has one.
float cosine(double product, double square_a, double square_b) {
  if (std::isnan(product)) return static_cast<float>(product);
  if (square_a == 0 || square_b == 0) return 0;
  return static_cast<float>(std::clamp(product / (std::sqrt(square_a) * std::sqrt(square_b)), -1.0, 1.0));
}

bool better(const Match& a, const Match& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; }

std::span<const float> view(const Vector& vector) { return {vector.data(), vector.size()}; }

}  // namespace

float cosine_similarity(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) {
    throw Error(Status::invalid_argument, fmt::format("cosine similarity of vectors of {} and {} components", a.size(), b.size()));
  }
  return cosine(dot(a.data(), b.data(), a.size()), dot(a.data(), a.data(), a.size()), dot(b.data(), b.data(), b.size()));
}

float cosine_similarity(const Vector& a, const Vector& b) { return cosine_similarity(view(a), view(b)); }

std::vector<Match> top_k(std::span<const float> query, std::span<const float> vectors, std::size_t k) {
  const std::size_t columns = query.size();
  if (columns == 0 ? !vectors.empty() : vectors.size() % columns != 0) {
    throw Error(Status::invalid_argument, fmt::format("{} components are no rows as wide as the query, with {}", vectors.size(), columns));
  }
  const std::size_t rows = columns == 0 ? 0 : vectors.size() / columns;
  k = std::min(k, rows);
  std::vector<Match> best;  // a heap whose top is the worst of them
  best.reserve(k);
  if (k == 0) return best;
  const double query_square = dot(query.data(), query.data(), columns);
  for (std::size_t row = 0; row < rows; ++row) {
    const float* vector = vectors.data() + row * columns;
    const Match match{row, cosine(dot(query.data(), vector, columns), query_square, dot(vector, vector, columns))};
    if (std::isnan(match.score)) continue;
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

std::vector<Match> top_k(std::span<const float> query, const Matrix& vectors, std::size_t k) {
  if (query.size() != vectors.shape(1)) {
    throw Error(Status::invalid_argument, fmt::format("the query has {} components, the vectors have {}", query.size(), vectors.shape(1)));
  }
  return top_k(query, std::span<const float>(vectors.data(), vectors.size()), k);
}

std::vector<Match> top_k(const Vector& query, const Matrix& vectors, std::size_t k) { return top_k(view(query), vectors, k); }

Vector pool_embeddings(const Matrix& vectors, std::string_view method) {
  if (method != "mean" && method != "max") {
    throw Error(Status::invalid_argument, fmt::format("Invalid pooling method \"{}\"; known: mean, max", method));
  }
  const std::size_t rows = vectors.shape(0);
  const std::size_t columns = vectors.shape(1);
  if (rows == 0) throw Error(Status::invalid_argument, "pooling of no vectors");
  Vector pooled = Vector::from_shape({columns});
  for (std::size_t column = 0; column < columns; ++column) {
    double total = 0;
    float largest = vectors(0, column);
    for (std::size_t row = 0; row < rows; ++row) {
      const float value = vectors(row, column);
      total += value;
      if (value > largest || std::isnan(value)) largest = value;
    }
    pooled(column) = method == "mean" ? static_cast<float>(total / static_cast<double>(rows)) : largest;
  }
  return pooled;
}

void normalize(std::span<float> vector) noexcept {
  const double length = std::sqrt(dot(vector.data(), vector.data(), vector.size()));
  if (length == 0) return;
  for (float& value : vector) value = static_cast<float>(value / length);
}

void normalize(Vector& vector) noexcept { normalize(std::span<float>(vector.data(), vector.size())); }

void normalize(Matrix& vectors) noexcept {
  const std::size_t columns = vectors.shape(1);
  for (std::size_t row = 0; row < vectors.shape(0); ++row) normalize(std::span<float>(vectors.data() + row * columns, columns));
}

}  // namespace inlay
