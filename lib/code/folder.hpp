// The files of a folder as documents.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/corpus.hpp"

namespace inlay::code {

using OnSkip = std::function<void(const std::filesystem::path&, std::string_view reason)>;

/// What is to be read below a folder, relative to it, with '/', in the order of the paths' bytes.
struct FolderTree {
  std::vector<std::string> files{};
  std::vector<std::string> folders{};  ///< that were looked into; the first, the folder itself, is ""
  std::size_t unreadable = 0;          ///< files and folders that could not be looked at

  friend bool operator==(const FolderTree&, const FolderTree&) = default;
};

/// Finds the files, as read_corpus says. Throws Error (io_error) when the folder itself cannot be read.
[[nodiscard]] FolderTree list_tree(const std::filesystem::path& folder, const OnSkip& on_skip = {});

/// Its files alone.
[[nodiscard]] std::vector<std::string> list_files(const std::filesystem::path& folder, const OnSkip& on_skip);

/// How many of the files, from the first on, have at most so many bytes together; one at least. What their sizes are now.
[[nodiscard]] std::size_t files_within(const std::filesystem::path& folder, std::span<const std::string> files, std::size_t most_bytes);

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
