// The texts that a subcommand works on, whatever they come from.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <istream>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "inlay/corpus.hpp"
#include "inlay/generator.hpp"
#include "standard_input.hpp"

namespace inlay::cli {

struct TextOptions {
  std::string input;
  std::string format = "auto";
  std::string column;
  bool text_only = false;

  void add(CLI::App& command);  ///< all but the input itself

  [[nodiscard]] DocumentPreparator preparator() const;
};

/// Reads the input text by text; what is a folder or a single source file is cut into pieces of the generator's length. What cannot be read is
/// told as a warning, and counted.
class TextReader {
 public:
  /// Throws Error, UsageError. Options and generator must outlive the reader. Standard input ends when a stop is requested.
  TextReader(const TextOptions& options, const EmbeddingGenerator& generator, const std::stop_token& stop = {});
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;

  /// Throws Error.
  [[nodiscard]] std::optional<Document> next();

  [[nodiscard]] double fraction() const noexcept { return reader_->fraction(); }  ///< of the input that has been read
  [[nodiscard]] const std::map<std::string, std::size_t>& skipped() const noexcept { return skipped_; }  ///< files, by reason
  [[nodiscard]] std::size_t bad_records() const noexcept { return bad_records_; }

 private:
  [[nodiscard]] CorpusOptions corpus(CorpusFormat format);
  void skip(const std::filesystem::path& path, std::string_view reason);

  const TextOptions& options_;
  const EmbeddingGenerator& generator_;
  bool cut_ = false;
  std::map<std::string, std::size_t> skipped_;
  std::size_t bad_records_ = 0;
  std::optional<StandardInput> standard_input_;
  std::optional<std::istream> stream_;  // of standard input
  std::optional<CorpusReader> reader_;
  std::deque<Document> pieces_;
};

}  // namespace inlay::cli
