// Embedding sets: vectors, what they are vectors of, and the model that made them, in one folder.
//
//   embeddings.npy    float32, C order, shape (rows, dimension): numpy.load reads it
//   metadata.json     an array of one object per row, in the same order: content, the fields of Metadata that are known, the extra fields
//                     under their own names, and the row's key. Extra fields that have one of those names stand in an object "extra"
//   model_info.json   the ModelInfo, "long_text" {"policy", "chunk_size", "chunk_overlap"}, and when the set was "created" (RFC 3339, UTC)
//   index.faiss       of a set with an index (EmbeddingSetWriter::add_index): a VectorIndex (vector_index.hpp) over the rows, whose ids are rows
//   index.json        with it: {"kind", "rows", "dimension", "options", "folder"}
//
// A set is written to a temporary folder beside its place and renamed: a reader sees the old set or the new one, never half of either.
//
//   inlay::save_embeddings("auth.set", result, documents, generator.info());
//   inlay::EmbeddingSet set = inlay::load_embeddings("auth.set");
//   auto generator = inlay::load_generator(set);     // the model that made the set, checked by its fingerprint
//
// A set that does not fit into memory is written row by row, from one thread at a time:
//
//   inlay::EmbeddingSetWriter writer("large.set", generator.info());
//   while (...) writer.append(document, key, vector);
//   writer.commit();
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/document.hpp"
#include "inlay/generator.hpp"
#include "inlay/matrix.hpp"
#include "inlay/vector_index.hpp"

namespace inlay {

struct EmbeddingSet {
  Matrix vectors = Matrix::from_shape({0, 0});
  std::vector<Document> documents{};  ///< one per row
  std::vector<std::string> keys{};    ///< one per row, or none: content_key of the text that the model saw
  ModelInfo model{};
  LongTextOptions long_text{};  ///< what became of texts that are longer than the model takes
  std::string created{};        ///< RFC 3339, UTC; empty: filled in when saved
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

/// Writes a set row by row in bounded memory, on the disk, in a hidden folder beside its place. Nothing stands there before commit; what a
/// writer that never got so far left behind is removed: by its destructor or, where its process was killed, by the next writer of that set.
class EmbeddingSetWriter {
 public:
  /// `long_text`: as EmbeddingSet's. Throws Error as save_embeddings does for a place where no set can be written.
  EmbeddingSetWriter(const std::filesystem::path& folder, ModelInfo model, const LongTextOptions& long_text = {});
  ~EmbeddingSetWriter();
  EmbeddingSetWriter(EmbeddingSetWriter&&) noexcept;
  EmbeddingSetWriter& operator=(EmbeddingSetWriter&&) noexcept;

  /// The next row. All rows have a key, or none has: an empty one is none. Throws Error: invalid_argument, naming the row, for a vector of
  /// another dimension than the model's or with a number that is not finite, for a key or its lack where the rows before differ, and for
  /// metadata that JSON cannot hold: the row is left out, and the writer can go on; io_error, after which the writer is of no use.
  void append(const Document& document, std::string_view key, std::span<const float> vector);

  [[nodiscard]] std::size_t rows() const noexcept;

  /// Puts an index of the rows into the set when it is committed; building it can be stopped, and tells its progress. `folder`: what the rows'
  /// file paths are relative to. commit then throws what save_index throws, too.
  void add_index(VectorIndexOptions options, std::string folder = {});

  /// Puts the set in its place, flushed to the disk, in one step. `created`: RFC 3339, UTC; empty: now. Throws Error as save_embeddings;
  /// when something else was put there meanwhile (invalid_argument) it can be tried again. A writer can be committed once.
  void commit(std::string_view created = {});

  /// The same, but a set that stands there and has the same rows, of the same model, and the index that is asked for, stays as it is, with the
  /// time of its creation. Whether it was replaced.
  bool commit_if_changed(std::string_view created = {});

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Reads a set. Throws Error: not_found, io_error, or invalid_data for damaged files and for numbers of rows or components that
/// contradict one another.
[[nodiscard]] EmbeddingSet load_embeddings(const std::filesystem::path& folder);

/// Loads the model that made the set, from the path in its ModelInfo or from `model`, with the options that it was made with. Throws Error
/// (invalid_data) naming both fingerprints when the model there is not the one.
[[nodiscard]] EmbeddingGenerator load_generator(const EmbeddingSet& set, const std::filesystem::path& model = {},
                                                GeneratorOptions options = {});

}  // namespace inlay
