// VectorIndex: a FAISS index over the rows of a matrix, in a file of FAISS's own format: the rows of largest inner product with a query,
// which for vectors of length 1 is their cosine similarity.
//
//   inlay::save_index("vectors.index", result.vectors);                    // flat: exact; or HNSW, or IVF-PQ
//   inlay::VectorIndex index("vectors.index");                             // mapped, not read
//   for (auto [row, score] : index.search(query, 10)) ...
//
//   kind      what a search looks at             file, of 384 components    choose it for
//   flat      every row, exactly                 1,536 bytes a row          up to a few hundred thousand rows
//   hnsw      a graph of neighbours, in memory   1,800 bytes a row          up to millions, where memory allows
//   ivf_pq    the nearest of many clusters,      104 bytes a row            more than memory holds; scores are approximate
//             compressed vectors
//
// What each loses against exact search, and what it takes, `benchmark_vector_index` prints (benchmarks/README.md).
//
// An id in the file is the number of the row in the matrix. Python's faiss.read_index reads the files, and the files that it writes of
// these kinds, by inner product, are read here.
//
// Thread rule: a VectorIndex is immutable; any number of threads may search one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "inlay/matrix.hpp"
#include "inlay/similarity.hpp"

namespace inlay {

enum class IndexKind : std::int32_t { automatic = 0, flat = 1, hnsw = 2, ivf_pq = 3 };

/// "auto", "flat", "hnsw", "ivf_pq".
[[nodiscard]] std::string_view to_string(IndexKind kind) noexcept;

/// The inverse of to_string; "ivfpq" is understood, too. Throws Error (invalid_argument) for any other name.
[[nodiscard]] IndexKind parse_index_kind(std::string_view name);

struct VectorIndexOptions {
  /// automatic: flat up to 200,000 rows, hnsw up to 2,000,000, ivf_pq above. Of fewer than 1,000 rows there is no ivf_pq: flat.
  IndexKind kind = IndexKind::automatic;
  std::size_t hnsw_neighbors = 32;         ///< links of a row in a layer (M), 2 to 256
  std::size_t hnsw_ef_construction = 100;  ///< how many candidates a row's links are chosen from
  std::size_t hnsw_ef_search = 128;        ///< how many candidates a search keeps; written to the file
  std::size_t ivf_lists = 0;               ///< clusters; 0: 4 times the square root of the rows
  std::size_t ivf_probes = 0;              ///< clusters that a search looks into, written to the file; 0: an eighth of them, at least 8
  std::size_t pq_bytes =
      0;                   ///< of a compressed vector, a divisor of the dimension; 0: the largest that gives each byte 4 components or more
  std::stop_token stop{};  ///< ends the call soon, with Error (cancelled); the training of clusters is not interrupted
  std::function<void(std::size_t rows, std::size_t total)> on_progress{};  ///< on the calling thread
};

/// What `options.kind` stands for with so many rows.
[[nodiscard]] IndexKind index_kind(std::size_t rows, const VectorIndexOptions& options) noexcept;

/// Builds an index over rows of `dimension` components, one after the other, and writes it, replacing the file in one step. A flat one
/// takes no memory beside them. Throws Error: invalid_argument for vectors that are no rows of that dimension, numbers that are not finite,
/// and options that make no sense; io_error; cancelled.
void save_index(const std::filesystem::path& file, std::span<const float> vectors, std::size_t dimension,
                const VectorIndexOptions& options = {});
void save_index(const std::filesystem::path& file, const Matrix& vectors, const VectorIndexOptions& options = {});

class VectorIndex {
 public:
  /// Opens an index: flat and ivf_pq ones are mapped, an hnsw one is read. The file must not be changed in place meanwhile, only replaced.
  /// It is checked first: Throws Error: not_found, io_error; invalid_data for a damaged or truncated file; unsupported for an index of
  /// another kind, or by another measure than the inner product.
  explicit VectorIndex(const std::filesystem::path& file);
  ~VectorIndex();
  VectorIndex(VectorIndex&&) noexcept;
  VectorIndex& operator=(VectorIndex&&) noexcept;

  /// The k rows of the largest inner product with the query, best first, equal ones by row; fewer when there are fewer, or when an
  /// approximate search finds no more. `effort`: how much is looked at, for hnsw how many candidates are kept (efSearch), for ivf_pq the
  /// number of lists; 0: what the file says. Throws Error (invalid_argument) when the query's size is not the dimension, and when it is not
  /// of finite numbers.
  [[nodiscard]] std::vector<Match> search(std::span<const float> query, std::size_t k, std::size_t effort = 0) const;
  [[nodiscard]] std::vector<Match> search(const Vector& query, std::size_t k, std::size_t effort = 0) const;

  [[nodiscard]] IndexKind kind() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;  ///< rows
  [[nodiscard]] std::size_t dimension() const noexcept;
  /// Of a flat index its rows, one after the other, as they stand in the mapped file: float32, at no alignment. Empty for other kinds.
  [[nodiscard]] std::string_view row_bytes() const noexcept;

 private:
  class Implementation;
  std::unique_ptr<const Implementation> implementation_;
};

}  // namespace inlay
