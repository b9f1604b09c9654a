// The texts that a subcommand works on, whatever they come from.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "inlay/corpus.hpp"
#include "inlay/generator.hpp"

namespace inlay::cli {

struct TextOptions {
  std::string input;
  std::string format = "auto";
  std::string column;
  bool text_only = false;

  void add(CLI::App& command);  ///< all but the input itself

  [[nodiscard]] DocumentPreparator preparator() const;
};

struct Texts {
  std::vector<Document> documents;
  std::map<std::string, std::size_t> skipped;  ///< files that were left out, by reason
  std::vector<std::string> unreadable;         ///< those that an error kept out: "path: message"
};

/// Reads the input; what is a folder or a single source file is cut into pieces of the generator's length. Throws Error, UsageError.
[[nodiscard]] Texts read_texts(const TextOptions& options, const EmbeddingGenerator& generator);

}  // namespace inlay::cli
