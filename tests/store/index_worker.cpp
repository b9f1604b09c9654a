// Indexes for test_faiss_files.py: `index_worker save KIND ROWS.npy FILE`, and `index_worker search FILE QUERIES.npy K EFFORT`, which prints a
// line a query: row:score, best first.
#include <cstdio>
#include <cstdlib>
#include <inlay/vector_index.hpp>
#include <string>

#include "store/npy.hpp"

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  try {
    if (std::string(argv[1]) == "save") {
      inlay::save_index(argv[4], inlay::store::read_npy(argv[3]), {.kind = inlay::parse_index_kind(argv[2])});
      return 0;
    }
    const inlay::VectorIndex index(argv[2]);
    const inlay::Matrix queries = inlay::store::read_npy(argv[3]);
    const std::size_t k = std::strtoul(argv[4], nullptr, 10);
    const std::size_t effort = argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 0;
    for (std::size_t query = 0; query < queries.shape(0); ++query) {
      for (const auto& [row, score] : index.search({queries.data() + query * queries.shape(1), queries.shape(1)}, k, effort))
        std::printf("%zu:%.9g ", row, static_cast<double>(score));
      std::printf("\n");
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
