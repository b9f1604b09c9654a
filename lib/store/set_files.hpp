// What the folder of an embedding set consists of, and where one may be put.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "inlay/vector_index.hpp"

namespace inlay::store {

constexpr std::string_view vectors_file = "embeddings.npy";
constexpr std::string_view rows_file = "metadata.json";
constexpr std::string_view model_file = "model_info.json";

// Of a set that has an index of its rows (vector_index.hpp), both.
constexpr std::string_view vector_index_file = "index.faiss";
constexpr std::string_view vector_index_record_file = "index.json";

/// Whether a file of a set may have this name.
[[nodiscard]] bool is_set_file(std::string_view name) noexcept;

/// What index.json says.
struct IndexRecord {
  IndexKind kind = IndexKind::flat;
  std::size_t rows = 0;
  std::size_t dimension = 0;
  std::string options{};  ///< that the index was built with, as text: to tell whether another would be another one
  std::string folder{};   ///< that the rows' file paths are relative to; may be empty
};

[[nodiscard]] std::string write_index_record(const IndexRecord& record);

/// Throws Error (invalid_data) naming `label` and what is wrong.
[[nodiscard]] IndexRecord read_index_record(std::string_view json, std::string_view label);

/// The folder that a set is written to: of a link what it points to, which is replaced while the link stays. Throws Error:
/// invalid_argument for no path, and for a place where something else stands; io_error for a link to nothing.
[[nodiscard]] std::filesystem::path set_place(const std::filesystem::path& folder);

/// What the files of a set say of its size. Throws Error (invalid_data) where they contradict one another.
struct SetShape {
  std::size_t vectors = 0;
  std::size_t components = 0;
  std::size_t documents = 0;
  std::size_t keys = 0;
  std::size_t dimension = 0;  ///< the model's
};
void check_shape(const SetShape& shape, const std::filesystem::path& folder);

}  // namespace inlay::store
