// Comparing and combining vectors. Pure functions: call them from any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "inlay/matrix.hpp"

namespace inlay {

/// a·b / (|a| |b|), in [-1, 1]; 0 when either has length 0. Sums in double. Throws Error (invalid_argument) when the sizes differ.
[[nodiscard]] float cosine_similarity(std::span<const float> a, std::span<const float> b);
[[nodiscard]] float cosine_similarity(const Vector& a, const Vector& b);

struct Match {
  std::size_t row = 0;
  float score = 0;  ///< cosine similarity
  friend bool operator==(const Match&, const Match&) = default;
};

/// The k rows most similar to the query, best first, equal scores by row; fewer when there are fewer rows. Rows with a NaN never match.
/// Throws Error (invalid_argument) when the query's size is not the matrix's width.
[[nodiscard]] std::vector<Match> top_k(const Vector& query, const Matrix& vectors, std::size_t k);
[[nodiscard]] std::vector<Match> top_k(std::span<const float> query, const Matrix& vectors, std::size_t k);

/// The same over vectors that stand one after the other in memory of the caller's, each as wide as the query. Throws Error
/// (invalid_argument) when their number of components is not a multiple of the query's.
[[nodiscard]] std::vector<Match> top_k(std::span<const float> query, std::span<const float> vectors, std::size_t k);

/// One vector out of several (the pieces of a long text): the mean, or the largest of each component. Throws Error (invalid_argument) for
/// a matrix without rows, and with "Invalid pooling method" for any method but "mean" and "max".
[[nodiscard]] Vector pool_embeddings(const Matrix& vectors, std::string_view method = "mean");

/// Scales to length 1, in place; a vector of zeros stays as it is.
void normalize(std::span<float> vector) noexcept;
void normalize(Vector& vector) noexcept;
void normalize(Matrix& vectors) noexcept;  ///< each row

}  // namespace inlay
