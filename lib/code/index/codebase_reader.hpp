// A codebase's items, one after the other, as documents that are to be embedded.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "inlay/codebase_index.hpp"
#include "inlay/document.hpp"
#include "inlay/tokenizer.hpp"

namespace inlay::code {

/// What a file has outside of the items that were found in it, and of the comments that are their docstrings: its text with spaces in their
/// place, so that a line keeps its number.
[[nodiscard]] std::string outside_of(std::string_view source, const ParsedFile& file);

/// Reads the files in the order of their paths, some of them at once; holds these alone, with their items: of files an eighth of max_memory.
class CodebaseReader {
 public:
  /// `tokenizer` and `max_tokens` say how long a piece of a file may be, with `prompt` in front. All must outlive the reader. Throws Error:
  /// not_found, io_error.
  CodebaseReader(std::filesystem::path folder, const IndexCodebaseOptions& options, const Tokenizer& tokenizer, std::size_t max_tokens,
                 std::string prompt = {});

  /// The next item; nothing when there are no more, or a stop was requested. Throws Error (io_error) where there is none because files or folders
  /// could not be read.
  [[nodiscard]] std::optional<Document> next();

  [[nodiscard]] double fraction() const noexcept;
  [[nodiscard]] std::size_t files() const noexcept { return files_with_items_; }

 private:
  struct ReadFile {
    std::vector<Document> documents{};
    std::vector<ParseNote> notes{};
    std::string skipped{};
    bool is_unreadable = false;
  };

  void read_more();
  [[nodiscard]] ReadFile read(const std::string& name) const;
  [[nodiscard]] ReadFile read_text(std::string bytes, const std::string& file_path) const;
  void append_pieces(Document whole, std::vector<Document>& documents) const;

  std::filesystem::path folder_;
  const IndexCodebaseOptions& options_;
  const Tokenizer& tokenizer_;
  std::size_t max_tokens_;
  CodeParser parser_;
  DocumentPreparator prompted_;     // what the model sees of a piece
  std::vector<std::string> files_;  // relative to the folder
  std::size_t next_file_ = 0;
  std::size_t files_with_items_ = 0;
  std::size_t unreadable_ = 0;
  std::deque<Document> waiting_;
};

}  // namespace inlay::code
