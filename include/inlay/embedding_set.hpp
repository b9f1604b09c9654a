// Embedding sets: vectors, what they are vectors of, and the model that made them, in one folder.
//
//   embeddings.npy    float32, C order, shape (rows, dimension): numpy.load reads it
//   metadata.json     an array of one object per row, in the same order: content, the fields of Metadata that are known, the extra fields
//                     under their own names, and the row's key. Extra fields that have one of those names stand in an object "extra"
//   model_info.json   the ModelInfo, and when the set was created (RFC 3339, UTC)
//
// A set is written to a temporary folder beside its place and renamed: a reader sees the old set or the new one, never half of either.
//
//   inlay::save_embeddings("auth.set", result, documents, generator.info());
//   inlay::EmbeddingSet set = inlay::load_embeddings("auth.set");
//   auto generator = inlay::load_generator(set);     // the model that made the set, checked by its fingerprint
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "inlay/document.hpp"
#include "inlay/generator.hpp"
#include "inlay/matrix.hpp"

namespace inlay {

struct EmbeddingSet {
  Matrix vectors = Matrix::from_shape({0, 0});
  std::vector<Document> documents{};  ///< one per row
  std::vector<std::string> keys{};    ///< one per row, or none: content_key of the text that the model saw
  ModelInfo model{};
  std::string created{};  ///< RFC 3339, UTC; empty: filled in when saved
};

/// A hash of a text (XXH3, 128 bits, hexadecimal): equal texts, equal keys. With the model's fingerprint it tells whether a vector is
/// still the right one.
[[nodiscard]] std::string content_key(std::string_view text);

/// Whether the folder holds the files of a set and nothing else: what save_embeddings replaces.
[[nodiscard]] bool is_embedding_set(const std::filesystem::path& folder);

/// A model's description as a JSON object, with the names of ModelInfo's members: model_info.json without `created`.
[[nodiscard]] std::string to_json(const ModelInfo& model);

/// Writes a set, replacing one that stands in its place; any other folder or file there is an error, and stays. Throws Error:
/// invalid_argument when rows, documents and keys don't match in number, an item of the result has no vector, or a number is not finite;
/// io_error. Bytes that are not UTF-8 are written as U+FFFD.
void save_embeddings(const std::filesystem::path& folder, const EmbeddingSet& set);
void save_embeddings(const std::filesystem::path& folder, const EmbedResult& result, std::span<const Document> documents,
                     const ModelInfo& model);

/// Reads a set. Throws Error: not_found, io_error, or invalid_data for damaged files and for numbers of rows or components that
/// contradict one another.
[[nodiscard]] EmbeddingSet load_embeddings(const std::filesystem::path& folder);

/// Loads the model that made the set, from the path in its ModelInfo or from `model`, with the options that it was made with. Throws Error
/// (invalid_data) naming both fingerprints when the model there is not the one.
[[nodiscard]] EmbeddingGenerator load_generator(const EmbeddingSet& set, const std::filesystem::path& model = {},
                                                GeneratorOptions options = {});

}  // namespace inlay
