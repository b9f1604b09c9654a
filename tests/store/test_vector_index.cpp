#include <algorithm>
#include <cmath>
#include <filesystem>
#include <inlay/error.hpp>
#include <inlay/vector_index.hpp>
#include <limits>
#include <random>
#include <set>
#include <stop_token>
#include <thread>

#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using inlay::test::check_error;
using inlay::test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

/// Rows of length 1 around some centres, as embeddings lie.
Matrix clustered_rows(std::size_t rows, std::size_t columns, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Matrix centres = Matrix::from_shape({50, columns});
  for (float& value : centres) value = normal(random);
  Matrix matrix = Matrix::from_shape({rows, columns});
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) matrix(row, column) = centres(row % 50, column) + 0.7F * normal(random);
  }
  normalize(matrix);
  return matrix;
}

std::span<const float> row_of(const Matrix& matrix, std::size_t row) { return {matrix.data() + row * matrix.shape(1), matrix.shape(1)}; }

double exact_product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// The rows of the largest inner product, in double and by sorting them all.
std::vector<std::size_t> exact_rows(const Matrix& vectors, std::span<const float> query, std::size_t k) {
  std::vector<std::pair<double, std::size_t>> all;
  for (std::size_t row = 0; row < vectors.shape(0); ++row) all.emplace_back(-exact_product(query, row_of(vectors, row)), row);
  std::ranges::sort(all);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < std::min(k, all.size()); ++i) rows.push_back(all[i].second);
  return rows;
}

double recall(const VectorIndex& index, const Matrix& vectors, const Matrix& queries, std::size_t k) {
  std::size_t found = 0;
  for (std::size_t query = 0; query < queries.shape(0); ++query) {
    const std::vector<std::size_t> exact = exact_rows(vectors, row_of(queries, query), k);
    const std::set<std::size_t> wanted(exact.begin(), exact.end());
    for (const Match& match : index.search(row_of(queries, query), k)) found += wanted.count(match.row);
  }
  return static_cast<double>(found) / static_cast<double>(k * queries.shape(0));
}

}  // namespace

TEST_CASE("a flat index finds what a search by sorting finds, with its scores") {
  const TemporaryFolder folder;
  for (const std::size_t columns : {1UL, 3UL, 15UL, 16UL, 17UL, 96UL}) {
    const Matrix vectors = clustered_rows(500, columns, 1);
    const Matrix queries = clustered_rows(20, columns, 2);
    save_index(folder / "a.index", vectors, {.kind = IndexKind::flat});
    const VectorIndex index(folder / "a.index");
    CHECK(index.kind() == IndexKind::flat);
    CHECK(index.size() == 500);
    CHECK(index.dimension() == columns);
    CHECK(index.row_bytes() == std::string_view(reinterpret_cast<const char*>(vectors.data()), vectors.size() * sizeof(float)));
    for (std::size_t query = 0; query < queries.shape(0); ++query) {
      const auto matches = index.search(row_of(queries, query), 7);
      REQUIRE(matches.size() == 7);
      for (std::size_t i = 0; i < matches.size(); ++i) {
        CHECK(std::abs(matches[i].score - exact_product(row_of(queries, query), row_of(vectors, matches[i].row))) < 1e-6);
      }
      if (columns == 96) {  // narrower rows have scores that differ by less than float32 tells
        std::vector<std::size_t> rows;
        for (const Match& match : matches) rows.push_back(match.row);
        CHECK(rows == exact_rows(vectors, row_of(queries, query), 7));
      }
    }
  }
}

TEST_CASE("approximate indexes find nearly all, and more with more effort") {
  const TemporaryFolder folder;
  const Matrix vectors = clustered_rows(3000, 64, 1);
  const Matrix queries = clustered_rows(50, 64, 1);  // of the same centres
  save_index(folder / "hnsw.index", vectors, {.kind = IndexKind::hnsw});
  save_index(folder / "ivf.index", vectors, {.kind = IndexKind::ivf_pq, .ivf_probes = 1, .pq_bytes = 32});
  const VectorIndex graph(folder / "hnsw.index");
  CHECK(graph.kind() == IndexKind::hnsw);
  CHECK(graph.size() == 3000);
  CHECK(recall(graph, vectors, queries, 10) > 0.98);
  const VectorIndex lists(folder / "ivf.index");
  CHECK(lists.kind() == IndexKind::ivf_pq);
  CHECK(lists.dimension() == 64);
  CHECK(graph.row_bytes().empty());
  CHECK(lists.row_bytes().empty());
  std::size_t with_one = 0;
  std::size_t with_all = 0;
  for (std::size_t query = 0; query < 50; ++query) {
    const std::size_t best = exact_rows(vectors, row_of(queries, query), 1)[0];
    const auto has = [&](const std::vector<Match>& matches) {
      return std::ranges::any_of(matches, [&](const Match& m) { return m.row == best; });
    };
    with_one += has(lists.search(row_of(queries, query), 10)) ? 1 : 0;
    with_all += has(lists.search(row_of(queries, query), 10, 216)) ? 1 : 0;
  }
  CHECK(with_all >= with_one);
  CHECK(with_all >= 45);
}

TEST_CASE("equal rows come out in the order of their numbers, and no more than there are") {
  const TemporaryFolder folder;
  const Matrix vectors = {{1, 0}, {0, 1}, {1, 0}, {1, 0}};
  for (const IndexKind kind : {IndexKind::flat, IndexKind::hnsw}) {
    save_index(folder / "a.index", vectors, {.kind = kind});
    const VectorIndex index(folder / "a.index");
    const Vector query = {1, 0};
    CHECK(index.search(query, 100) == std::vector<Match>{{0, 1}, {2, 1}, {3, 1}, {1, 0}});
    CHECK(index.search(query, 0).empty());
  }
}

TEST_CASE("an index of no rows finds nothing") {
  const TemporaryFolder folder;
  for (const IndexKind kind : {IndexKind::automatic, IndexKind::flat, IndexKind::hnsw, IndexKind::ivf_pq}) {
    save_index(folder / "a.index", Matrix::from_shape({0, 8}), {.kind = kind});
    const VectorIndex index(folder / "a.index");
    CHECK(index.size() == 0);
    CHECK(index.dimension() == 8);
    CHECK(index.search(Vector(xt::ones<float>({8})), 3).empty());
  }
}

TEST_CASE("the kind follows the number of rows") {
  CHECK(index_kind(200'000, {}) == IndexKind::flat);
  CHECK(index_kind(200'001, {}) == IndexKind::hnsw);
  CHECK(index_kind(2'000'001, {}) == IndexKind::ivf_pq);
  CHECK(index_kind(999, {.kind = IndexKind::ivf_pq}) == IndexKind::flat);
  CHECK(index_kind(10, {.kind = IndexKind::hnsw}) == IndexKind::hnsw);
  for (const IndexKind kind : {IndexKind::automatic, IndexKind::flat, IndexKind::hnsw, IndexKind::ivf_pq})
    CHECK(parse_index_kind(to_string(kind)) == kind);
  check_error(Status::invalid_argument, {"\"tree\"", "hnsw"}, [] { static_cast<void>(parse_index_kind("tree")); });
}

TEST_CASE("what makes no sense is refused before a file is written") {
  const TemporaryFolder folder;
  const auto save = [&](const Matrix& vectors, const VectorIndexOptions& options) { save_index(folder / "a.index", vectors, options); };
  const Matrix vectors = clustered_rows(2000, 10, 1);
  Matrix broken = vectors;
  broken(17, 3) = std::numeric_limits<float>::quiet_NaN();
  check_error(Status::invalid_argument, {"row 17"}, [&] { save(broken, {}); });
  check_error(Status::invalid_argument, {"hnsw_neighbors is 1"}, [&] { save(vectors, {.hnsw_neighbors = 1}); });
  check_error(Status::invalid_argument, {"pq_bytes is 3", "10"}, [&] { save(vectors, {.kind = IndexKind::ivf_pq, .pq_bytes = 3}); });
  check_error(Status::invalid_argument, {"ivf_lists is 2001"}, [&] { save(vectors, {.kind = IndexKind::ivf_pq, .ivf_lists = 2001}); });
  check_error(Status::invalid_argument, {"ivf_probes is 9", "4"},
              [&] { save(vectors, {.kind = IndexKind::ivf_pq, .ivf_lists = 4, .ivf_probes = 9}); });
  check_error(Status::invalid_argument, {"7 components", "rows of 2"}, [&] { save_index(folder / "a.index", std::vector<float>(7), 2); });
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a stop ends the building, and the index that was there stays") {
  const TemporaryFolder folder;
  const Matrix vectors = clustered_rows(20, 8, 1);
  save_index(folder / "a.index", vectors);
  const std::string before = test::read(folder / "a.index");
  std::stop_source stop;
  stop.request_stop();
  check_error(Status::cancelled, {}, [&] { save_index(folder / "a.index", vectors, {.kind = IndexKind::hnsw, .stop = stop.get_token()}); });
  CHECK(test::read(folder / "a.index") == before);
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a query of another dimension is an error") {
  const TemporaryFolder folder;
  save_index(folder / "a.index", clustered_rows(20, 8, 1));
  const VectorIndex index(folder / "a.index");
  check_error(Status::invalid_argument, {"7 components", "a.index", "8"},
              [&] { static_cast<void>(index.search(Vector(xt::ones<float>({7})), 3)); });
}

TEST_CASE("any number of threads search one index") {
  const TemporaryFolder folder;
  const Matrix vectors = clustered_rows(2000, 32, 1);
  for (const IndexKind kind : {IndexKind::flat, IndexKind::hnsw, IndexKind::ivf_pq}) {
    save_index(folder / "a.index", vectors, {.kind = kind});
    const VectorIndex index(folder / "a.index");
    std::vector<std::vector<Match>> expected;
    for (std::size_t row = 0; row < 50; ++row) expected.push_back(index.search(row_of(vectors, row), 5));
    std::array<bool, 4> equal{};
    {
      std::vector<std::jthread> threads;
      for (bool& same : equal) {
        threads.emplace_back([&] {
          same = true;
          for (std::size_t row = 0; row < 50; ++row) same = same && index.search(row_of(vectors, row), 5) == expected[row];
        });
      }
    }
    CHECK(std::ranges::all_of(equal, [](bool same) { return same; }));
  }
}

TEST_CASE("files that are no index are refused with the reason") {
  const TemporaryFolder folder;
  check_error(Status::not_found, {"none.index"}, [&] { const VectorIndex index(folder / "none.index"); });
  const auto open = [&](std::string_view bytes) { const VectorIndex index(test::write(folder / "a.index", bytes)); };
  check_error(Status::invalid_data, {"a.index", "cut short"}, [&] { open(""); });
  check_error(Status::invalid_data, {"a.index", "does not begin like one"}, [&] { open("{\"a\": 1}"); });
  check_error(Status::unsupported, {"a.index", "IxPq"}, [&] { open(std::string("IxPq") + std::string(100, '\0')); });
  save_index(folder / "b.index", clustered_rows(20, 8, 1));
  check_error(Status::invalid_data, {"3 bytes are behind its end"}, [&] { open(test::read(folder / "b.index") + "abc"); });
  std::string squared = test::read(folder / "b.index");
  squared[33] = 1;  // METRIC_L2
  check_error(Status::unsupported, {"inner product"}, [&] { open(squared); });
}

TEST_CASE("what FAISS would believe of a graph is checked: its candidates, its beam, its vectors") {
  const TemporaryFolder folder;
  const Matrix vectors = clustered_rows(50, 8, 1);
  save_index(folder / "a.index", vectors, {.kind = IndexKind::hnsw, .hnsw_ef_construction = 77, .hnsw_ef_search = 78});
  const std::string whole = test::read(folder / "a.index");
  const std::string fields("\x4d\0\0\0\x4e\0\0\0\1\0\0\0", 12);  // efConstruction, efSearch, upper_beam
  const std::size_t place = whole.find(fields);
  REQUIRE(place != std::string::npos);
  const auto open_with = [&](std::size_t offset, std::string_view bytes) {
    std::string changed = whole;
    changed.replace(offset, bytes.size(), bytes);
    check_error(Status::invalid_data, {"a.index"}, [&] { const VectorIndex index(test::write(folder / "a.index", changed)); });
  };
  for (const std::string_view number :
       {std::string_view("\0\0\0\0", 4), std::string_view("\xff\xff\xff\xff", 4), std::string_view("\xff\xff\xff\x7f", 4)}) {
    open_with(place, number);
    open_with(place + 4, number);
    open_with(place + 8, number);
  }
  open_with(place - 4, std::string_view("\xff\xff\xff\x7f", 4));  // max_level
  open_with(place - 4, std::string_view("\xff\xff\xff\xff", 4));
  open_with(whole.size() - 4, std::string_view("\0\0\xc0\x7f", 4));  // NaN
}

TEST_CASE("more rows than a search looks at by itself are found all the same") {
  const TemporaryFolder folder;
  const Matrix vectors = clustered_rows(1500, 16, 1);
  save_index(folder / "hnsw.index", vectors, {.kind = IndexKind::hnsw, .hnsw_ef_search = 4});
  save_index(folder / "ivf.index", vectors, {.kind = IndexKind::ivf_pq, .ivf_probes = 1});
  const VectorIndex graph(folder / "hnsw.index");
  CHECK(recall(graph, vectors, clustered_rows(20, 16, 1), 300) > 0.97);
  CHECK(VectorIndex(folder / "ivf.index").search(row_of(vectors, 3), 1500).size() == 1500);
  double found_with_little = 0;
  double found_with_more = 0;
  for (std::size_t query = 0; query < 100; ++query) {
    const auto has = [&](std::size_t effort) {
      const auto matches = graph.search(row_of(vectors, query), 1, effort);
      return matches.size() == 1 && matches[0].row == query ? 1.0 : 0.0;
    };
    found_with_little += has(1);
    found_with_more += has(500);
  }
  CHECK(found_with_more >= found_with_little);
  CHECK(found_with_more == 100);
}

TEST_CASE("a query that is not of finite numbers is an error") {
  const TemporaryFolder folder;
  for (const IndexKind kind : {IndexKind::flat, IndexKind::hnsw}) {
    save_index(folder / "a.index", clustered_rows(20, 3, 1), {.kind = kind});
    const VectorIndex index(folder / "a.index");
    check_error(Status::invalid_argument, {"finite"}, [&] {
      static_cast<void>(index.search(Vector({1, std::numeric_limits<float>::quiet_NaN(), 0}), 3));
    });
  }
}

TEST_CASE("a file that is cut or damaged anywhere never harms the process") {
  const TemporaryFolder folder;
  const Matrix vectors = clustered_rows(1000, 4, 1);
  const Vector query = {0.5F, -0.5F, 0.5F, 0.5F};
  std::mt19937 random(7);
  for (const IndexKind kind : {IndexKind::flat, IndexKind::hnsw, IndexKind::ivf_pq}) {
    save_index(folder / "whole.index", vectors, {.kind = kind, .hnsw_neighbors = 2, .ivf_lists = 4, .pq_bytes = 1});
    const std::string whole = test::read(folder / "whole.index");
    REQUIRE(VectorIndex(folder / "whole.index").kind() == kind);
    for (std::size_t cut = 0; cut < whole.size(); cut += cut < 300 ? 1 : 997) {
      check_error(Status::invalid_data, {"a.index"},
                  [&] { const VectorIndex index(test::write(folder / "a.index", whole.substr(0, cut))); });
    }
    std::size_t refused = 0;
    for (int attempt = 0; attempt < 600; ++attempt) {
      std::string damaged = whole;
      const std::size_t place = attempt < 200 ? static_cast<std::size_t>(attempt) : random() % damaged.size();
      damaged[place] = static_cast<char>(random());
      try {
        const VectorIndex index(test::write(folder / "a.index", damaged));
        static_cast<void>(index.search(query, 10));  // a damaged number is a number
      } catch (const Error& error) {
        CHECK((error.status() == Status::invalid_data || error.status() == Status::unsupported ||
               error.status() == Status::invalid_argument));
        ++refused;
      }
    }
    CHECK(refused > 20);
  }
}
