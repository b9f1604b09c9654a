// Papers and the code that goes with them: a file of papers, each with its repositories' source files, to snippets, a function each.
//
//   inlay::PaperReader papers("paper_code_with_files.json");
//   while (auto paper = papers.next())
//     for (const inlay::Snippet& snippet : inlay::extract_snippets(*paper, parser)) std::cout << snippet.function_name << "\n";
//
// The file is a JSON list of papers, or an object that has such a list as the value of "papers", "data", "results" or "items" (of several all
// are read). A paper:
//
//   {"id": "1706.03762", "title": "...", "abstract": "...", "url": "https://...",
//    "repositories": [{"name": "a/b", "url": "https://...", "code_files": [{"path": "src/model.py", "content": "..."}]}]}
//
// Read as well, as such files are found in the wild:
//
//   paper         paper_id, arxiv_id; paper_title; paper_abstract, summary; paper_url, url_abs; a number as id
//   repositories  repos, or one object as repository or repo; or the paper's own fields repo_name and repo_url; name: repo_name, full_name;
//                 url: repo_url, html_url
//   code_files    files; under the repository, or under the paper, where they belong to the repository that the file's own repo_name or
//                 repo_url names, else to the paper's first
//   a code file   path: file_path, filename, name; content: code, source, text; or all files of a repository as {"path": "content", ...}
//
// A field that is missing or null is empty; so is NaN, which Python's json module writes. Half of a surrogate pair and bytes that are not UTF-8
// are read as U+FFFD. Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/code_parser.hpp"

namespace inlay {

struct CodeFile {
  std::string path{};
  std::string content{};
};

struct PaperRepository {
  std::string name{};
  std::string url{};
  std::vector<CodeFile> code_files{};
};

struct Paper {
  std::string id{};
  std::string title{};
  std::string abstract{};
  std::string url{};
  std::vector<PaperRepository> repositories{};
};

struct PaperReaderOptions {
  std::size_t max_paper_bytes = std::size_t{1} << 30;  ///< of one paper with all its files; a larger one is an error
  /// Told of every paper, repository or code file that is not what it should be, by a message that names file and paper; it is left out, and
  /// those behind it are read. Empty: the first such one is an error.
  std::function<void(std::string_view message)> on_bad_record{};
};

/// Reads papers one at a time: it holds one of them, whatever the file's size.
class PaperReader {
 public:
  /// Throws Error: not_found, io_error, and invalid_data for a file that has no list of papers.
  explicit PaperReader(const std::filesystem::path& path, PaperReaderOptions options = {});
  ~PaperReader();
  PaperReader(PaperReader&&) noexcept;
  PaperReader& operator=(PaperReader&&) noexcept;

  /// The next paper; nothing when there are no more. Throws Error (invalid_data, io_error) naming the file and the paper's number, counted from 1;
  /// behind broken JSON there are no more.
  [[nodiscard]] std::optional<Paper> next();

  /// How much of the file has been read, from 0 to 1.
  [[nodiscard]] double fraction() const noexcept;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// A function or method, with its paper and repository.
struct Snippet {
  std::string paper_id{};
  std::string paper_title{};
  std::string paper_abstract{};
  std::string paper_url{};
  std::string repo_name{};
  std::string repo_url{};
  std::string file_path{};
  std::string function_name{};
  std::string code_text{};
  std::int64_t line_begin = 0;  ///< of code_text in its file, counted from 1
  std::int64_t line_end = 0;    ///< the last one
  bool has_docstring = false;

  [[nodiscard]] std::int64_t num_lines() const noexcept { return line_end - line_begin + 1; }

  friend bool operator==(const Snippet&, const Snippet&) = default;
};

struct SnippetOptions {
  std::int64_t min_lines = 50;    ///< functions of fewer lines are left out
  bool require_docstring = true;  ///< and those without one
  /// Told of every code file that is not parsed, and why: "not source code", "binary", "too large", ...
  std::function<void(std::string_view file_path, std::string_view reason)> on_skip{};
};

/// The functions of all code files of a paper, in the order in which they stand there. A file's language is told by its name.
[[nodiscard]] std::vector<Snippet> extract_snippets(const Paper& paper, const CodeParser& parser, const SnippetOptions& options = {});

/// One JSON object, on one line: paper_id, paper_title, paper_abstract, paper_url, repo_name, repo_url, file_path, function_name, code_text,
/// line_numbers ([first, last]), has_docstring, num_lines.
[[nodiscard]] std::string to_json(const Snippet& snippet);

}  // namespace inlay
