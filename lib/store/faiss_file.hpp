// The files that FAISS writes, of the kinds that a VectorIndex is: what they hold, and whether it is sound.
//
// FAISS believes a file: a damaged length is allocated, a neighbour that is no row is read. So a file is gone through before FAISS sees it.
// The format is that of faiss/impl/index_write.cpp, which has kept it since version 1.5: little-endian, a list is its length in 64 bits and
// its elements.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "inlay/vector_index.hpp"

namespace inlay::store {

struct FaissFile {
  IndexKind kind = IndexKind::flat;
  std::size_t rows = 0;
  std::size_t dimension = 0;
  std::size_t vectors_offset = 0;  ///< of a flat index: where its rows begin, in bytes
};

/// Goes through a whole file. Throws Error, naming `path`: invalid_data for one that is damaged, cut short or longer than what it holds;
/// unsupported for another kind of index or another measure.
[[nodiscard]] FaissFile check_faiss_file(std::string_view bytes, const std::filesystem::path& path);

/// What a flat index by inner product has before its rows.
[[nodiscard]] std::string flat_index_header(std::size_t rows, std::size_t dimension);

}  // namespace inlay::store
