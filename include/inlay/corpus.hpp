// Corpora: files and folders as documents, cut into pieces that a model can see whole.
//
//   auto documents = inlay::read_corpus("src/");                                     // one document a file, honouring .gitignore
//   documents = inlay::split_lines(documents, generator.tokenizer(), 256);           // pieces, each with its line number
//
//   inlay::CorpusReader reader("articles.jsonl");                                    // the same one by one, whatever their number
//   while (auto document = reader.next()) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/document.hpp"
#include "inlay/text_preparator.hpp"
#include "inlay/tokenizer.hpp"

namespace inlay {

/// How a file is read as texts.
enum class CorpusFormat : std::int32_t {
  automatic = 0,  ///< a folder, or by the file's ending: .txt .json .jsonl .ndjson .csv; any other file as `folder` reads it
  folder = 1,     ///< source and text files below it, one document each; of a single file: that file, whole
  text = 2,       ///< a text a line, empty lines included, so that row and line agree
  json = 3,       ///< an array of texts, or an object of texts by key (kept as the extra field "json_key"); a text as in jsonl
  jsonl = 4,  ///< a JSON value a line: a string, or an object whose `text` or `content` is the text and whose other fields are metadata;
              ///< empty lines are passed over
  csv = 5,    ///< RFC 4180; the first record names the columns, the others than the text's are metadata; empty lines are passed over
};

struct CorpusOptions {
  CorpusFormat format = CorpusFormat::automatic;
  std::string column{};                   ///< of a CSV file; empty: "text", else "content", else the first
  std::size_t max_file_bytes = 1u << 20;  ///< larger files in a folder are skipped
  /// Told of every file, or folder with all that is in it, that is left out, and why: "hidden", "ignored", "binary", "empty", "too large",
  /// "symbolic link", "special file", "embeddings" (a set, or readable files), or the error's message.
  std::function<void(const std::filesystem::path&, std::string_view reason)> on_skip{};
  /// Told of every record of a JSON, JSON lines or CSV file that is no text, by a message that names file and line; it is left out, and
  /// those behind it are read. Empty: the first such record is an error. A CSV field whose quotes have no end is one in any case.
  std::function<void(std::string_view message)> on_bad_record{};
};

/// What `automatic` stands for at this path.
[[nodiscard]] CorpusFormat corpus_format(const std::filesystem::path& path);

/// Reads a file or a folder. In a folder: files that .gitignore (in it, above it within the repository, below it) excludes, hidden ones,
/// embedding sets, binary ones (a NUL byte in the first 8,000), oversized ones, ones without text and ones that cannot be read are left out;
/// symbolic links are not followed; the order is that of the paths' bytes. Metadata: file_path is relative to the folder; a record of a file of texts that
/// names no file_path has the file's own path, and its line where the format has lines. Fields with the names of Metadata's members go
/// there when they have their type, all others into extra. Bytes that are not UTF-8 are read as U+FFFD (JSON: an error). Throws Error:
/// not_found, io_error, invalid_argument for a column that is not there, and invalid_data naming file and line.
[[nodiscard]] std::vector<Document> read_corpus(const std::filesystem::path& path, const CorpusOptions& options = {});

/// The same from a stream (standard input), whose format is options.format (automatic: text). `name` stands for it in messages.
[[nodiscard]] std::vector<Document> read_corpus(std::istream& stream, std::string_view name, const CorpusOptions& options = {});

/// Reads a corpus as read_corpus does, but one document at a time: of a folder it holds the files' paths and one file, of lines and CSV one
/// record, of JSON the whole. One thread at a time.
class CorpusReader {
 public:
  /// Throws Error: not_found, io_error, invalid_argument.
  explicit CorpusReader(const std::filesystem::path& path, const CorpusOptions& options = {});
  /// `stream` must outlive the reader.
  CorpusReader(std::istream& stream, std::string_view name, const CorpusOptions& options = {});
  ~CorpusReader();
  CorpusReader(CorpusReader&&) noexcept;
  CorpusReader& operator=(CorpusReader&&) noexcept;

  /// The next document; nothing when there are no more. Throws Error as read_corpus, after which there are no more.
  [[nodiscard]] std::optional<Document> next();

  /// How much has been read, from 0 to 1: of a file's bytes, of a folder's files; of a stream 0 until its end.
  [[nodiscard]] double fraction() const noexcept;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Cuts each document on line boundaries into pieces of at most max_tokens tokens, counted with the context that `preparator` adds and with
/// special tokens; each piece knows its first line. A single line longer than that stays whole, to be truncated (and reported) when
/// embedded. Documents that fit, and empty ones, come back as they are, as do those that `preparator` or tokenizer fail on. The pieces of
/// a document, one after the other, are its content. Throws Error (invalid_argument) when max_tokens leaves no room for the special tokens.
[[nodiscard]] std::vector<Document> split_lines(std::span<const Document> documents, const Tokenizer& tokenizer, std::size_t max_tokens,
                                                const DocumentPreparator& preparator = TextPreparator{});

}  // namespace inlay
