// The files of embed_snippets (code_embeddings.hpp), written row by row, in memory that does not grow with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "inlay/code_embeddings.hpp"
#include "platform/files.hpp"

namespace inlay::code {

/// Their names, by that of the output.
struct CodeEmbeddingPaths {
  std::filesystem::path snippets;  ///< the output itself
  std::filesystem::path vectors;
  std::filesystem::path rows;
  std::filesystem::path index;
  std::filesystem::path index_metadata;
  std::filesystem::path journal;

  /// Throws Error (invalid_argument) for an output that is no file's name, or one of the others.
  explicit CodeEmbeddingPaths(const std::filesystem::path& output);
};

/// A file that is written from its beginning to its end under a temporary name.
class GrowingFile {
 public:
  explicit GrowingFile(const std::filesystem::path& target) : replacement_(target), file_(replacement_.path()) {}

  void append(std::string_view bytes) { file_.append(bytes); }
  void overwrite(std::uint64_t offset, std::string_view bytes) { file_.overwrite(offset, bytes); }
  void finish() { file_.finish(); }  ///< all is on the disk, under the temporary name
  void commit() { replacement_.commit(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return replacement_.path(); }

 private:
  platform::ReplacementFile replacement_;
  platform::BufferedFile file_;
};

/// A JSON list, an element a line.
class GrowingList {
 public:
  explicit GrowingList(const std::filesystem::path& target) : file_(target) { file_.append("["); }

  void append(std::string_view json);
  void finish();
  void commit() { file_.commit(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return file_.path(); }

 private:
  GrowingFile file_;
  bool empty_ = true;
};

struct CodeRow {
  const SnippetRecord& record;
  std::span<const float> vector;
  std::size_t tokens = 0;
  bool truncated = false;
};

class CodeEmbeddingFiles {
 public:
  /// Holds the folder for this writer. Throws Error (io_error), also where another one writes into it.
  CodeEmbeddingFiles(CodeEmbeddingPaths paths, std::size_t dimension);

  void append(const CodeRow& row);
  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

  /// Builds the index, where one is wanted, and puts all in place. `info`: what faiss_metadata.json is to say; kind, count, dimension and
  /// checksum are set here. Throws Error: io_error; cancelled, by the index's options.
  void commit(SnippetIndexInfo info, const std::optional<VectorIndexOptions>& index);

 private:
  void write_index_metadata(const SnippetIndexInfo& info);

  CodeEmbeddingPaths paths_;
  std::size_t dimension_;
  std::size_t rows_ = 0;
  platform::FileLock lock_;
  GrowingFile vectors_;
  GrowingList metadata_;
  GrowingList snippets_;
  std::optional<GrowingFile> index_metadata_;
  std::uint64_t items_checksum_ = 0;
  std::string line_;
};

/// Of items in their order, by what says where each is from: what it is behind one more; it begins with 0.
[[nodiscard]] std::uint64_t items_checksum(std::uint64_t before, const Snippet& item);

/// Of vectors that stand one after the other.
[[nodiscard]] std::string vectors_checksum(std::string_view bytes);

}  // namespace inlay::code
