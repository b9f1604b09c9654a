// benchmark_vector_index [SET | ROWS [COLUMNS]]: what each kind of index finds of what an exact search finds, and what it takes.
//
// Of an embedding set the rows are its vectors: every fifth one, up to 500, is left out and is a query. Else rows are made: of length 1,
// normally distributed around 1,000 centres, which lie in a subspace of 48 dimensions, as embeddings do.
//
// Recall@10: the share of an exact search's ten rows that is among the index's ten. Reranked: among its fifty, by the exact scores, as
// CodebaseIndex searches.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <inlay/inlay.hpp>
#include <random>
#include <set>

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Data {
  inlay::Matrix vectors;
  inlay::Matrix queries;
};

std::span<const float> row_of(const inlay::Matrix& matrix, std::size_t row) {
  return {matrix.data() + row * matrix.shape(1), matrix.shape(1)};
}

Data from_set(const fs::path& folder) {
  const inlay::EmbeddingSet set = inlay::load_embeddings(folder);
  const std::size_t columns = set.vectors.shape(1);
  const std::size_t queries = std::min<std::size_t>(500, set.vectors.shape(0) / 5);
  Data data{inlay::Matrix::from_shape({set.vectors.shape(0) - queries, columns}), inlay::Matrix::from_shape({queries, columns})};
  std::size_t next_query = 0;
  std::size_t next_row = 0;
  for (std::size_t row = 0; row < set.vectors.shape(0); ++row) {
    const bool is_query = row % 5 == 0 && next_query < queries;
    std::ranges::copy(row_of(set.vectors, row), is_query ? &data.queries(next_query, 0) : &data.vectors(next_row, 0));
    ++(is_query ? next_query : next_row);
  }
  return data;
}

Data made(std::size_t rows, std::size_t columns) {
  constexpr std::size_t centres = 1000;
  constexpr std::size_t inner = 48;
  constexpr std::size_t queries = 200;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  inlay::Matrix basis = inlay::Matrix::from_shape({inner, columns});
  inlay::Matrix centre = inlay::Matrix::from_shape({centres, inner});
  for (float& value : basis) value = normal(random);
  for (float& value : centre) value = normal(random);
  const auto fill = [&](inlay::Matrix& matrix) {
    std::vector<float> point(inner);
    for (std::size_t row = 0; row < matrix.shape(0); ++row) {
      const std::size_t which = random() % centres;
      for (std::size_t i = 0; i < inner; ++i) point[i] = centre(which, i) + 0.6F * normal(random);
      for (std::size_t column = 0; column < columns; ++column) {
        float sum = 0.3F * normal(random);
        for (std::size_t i = 0; i < inner; ++i) sum += point[i] * basis(i, column);
        matrix(row, column) = sum;
      }
    }
    inlay::normalize(matrix);
  };
  Data data{inlay::Matrix::from_shape({rows, columns}), inlay::Matrix::from_shape({queries, columns})};
  fill(data.vectors);
  fill(data.queries);
  return data;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Recall {
  double at_10 = 0;
  double reranked = 0;
  double milliseconds = 0;  // median of one query
};

Recall measure(const inlay::VectorIndex& index, const Data& data, const std::vector<std::set<std::size_t>>& exact) {
  constexpr std::size_t k = 10;
  std::vector<double> times;
  std::size_t found = 0;
  std::size_t reranked = 0;
  for (std::size_t query = 0; query < data.queries.shape(0); ++query) {
    const auto vector = row_of(data.queries, query);
    const auto start = Clock::now();
    const std::vector<inlay::Match> matches = index.search(vector, k);
    times.push_back(1e3 * seconds_since(start));
    for (const auto& match : matches) found += exact[query].count(match.row);
    for (const auto& match : index.search(vector, 5 * k)) reranked += exact[query].count(match.row);
  }
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  const auto wanted = static_cast<double>(k * data.queries.shape(0));
  return {static_cast<double>(found) / wanted, static_cast<double>(reranked) / wanted, times[times.size() / 2]};
}

void run(const Data& data) {
  const fs::path file = fs::temp_directory_path() / fmt::format("benchmark_{}.index", ::getpid());
  fmt::print("{} rows of {}, {} queries\n\n", data.vectors.shape(0), data.vectors.shape(1), data.queries.shape(0));
  fmt::print("| kind | built in, s | file, bytes a row | recall@10 | reranked | one query, ms |\n|---|---|---|---|---|---|\n");
  std::vector<std::set<std::size_t>> exact;
  for (std::size_t query = 0; query < data.queries.shape(0); ++query) {
    std::set<std::size_t>& rows = exact.emplace_back();
    for (const auto& match : inlay::top_k(row_of(data.queries, query), data.vectors, 10)) rows.insert(match.row);
  }
  for (const inlay::IndexKind kind : {inlay::IndexKind::flat, inlay::IndexKind::hnsw, inlay::IndexKind::ivf_pq}) {
    const auto start = Clock::now();
    inlay::save_index(file, data.vectors, {.kind = kind});
    const double built = seconds_since(start);
    const Recall recall = measure(inlay::VectorIndex(file), data, exact);
    fmt::print("| {} | {:.1f} | {} | {:.3f} | {:.3f} | {:.2f} |\n", inlay::to_string(kind), built,
               fs::file_size(file) / data.vectors.shape(0), recall.at_10, recall.reranked, recall.milliseconds);
    std::fflush(stdout);
  }
  fs::remove(file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string what = argc > 1 ? argv[1] : "20000";
    if (fs::is_directory(what)) {
      run(from_set(what));
    } else {
      run(made(std::max(1000UL, std::strtoul(what.c_str(), nullptr, 10)), argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 384));
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
