// What the folder of an embedding set consists of, and where one may be put.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace inlay::store {

constexpr std::string_view vectors_file = "embeddings.npy";
constexpr std::string_view rows_file = "metadata.json";
constexpr std::string_view model_file = "model_info.json";

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
