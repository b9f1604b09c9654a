// The files of a folder as documents.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "inlay/corpus.hpp"

namespace inlay::code {

/// One document a file, in the order of the paths' bytes; see read_corpus.
class FolderReader {
 public:
  /// Lists the files. Throws Error (io_error) when the folder itself cannot be read.
  FolderReader(std::filesystem::path folder, CorpusOptions options);

  [[nodiscard]] std::optional<Document> next();
  [[nodiscard]] double fraction() const noexcept;

 private:
  [[nodiscard]] std::optional<Document> read(const std::string& file) const;

  std::filesystem::path folder_;
  CorpusOptions options_;
  std::vector<std::string> files_;  // relative to the folder
  std::size_t next_ = 0;
};

/// A file's content as one document that knows its kind by its name.
[[nodiscard]] Document file_document(std::string bytes, const std::string& file_path);

}  // namespace inlay::code
