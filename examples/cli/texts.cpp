#include "texts.hpp"

#include <fmt/format.h>

#include <array>
#include <iostream>
#include <utility>

#include "commands.hpp"

namespace inlay::cli {
namespace {

constexpr std::array<std::pair<std::string_view, CorpusFormat>, 6> formats = {{{"auto", CorpusFormat::automatic},
                                                                               {"folder", CorpusFormat::folder},
                                                                               {"text", CorpusFormat::text},
                                                                               {"json", CorpusFormat::json},
                                                                               {"jsonl", CorpusFormat::jsonl},
                                                                               {"csv", CorpusFormat::csv}}};
constexpr std::array<std::string_view, 7> expected_reasons = {"hidden",    "ignored",       "binary",      "empty",
                                                              "too large", "symbolic link", "special file"};

CorpusFormat parse_format(std::string_view name) {
  for (const auto& [known, format] : formats) {
    if (known == name) return format;
  }
  throw UsageError(fmt::format("unknown format \"{}\"; known: auto, folder, text, json, jsonl, csv", name));
}

}  // namespace

void TextOptions::add(CLI::App& command) {
  command.add_option("--format", format, "auto, folder, text, json, jsonl or csv")->capture_default_str();
  command.add_option("--column", column, "The column of a CSV file that holds the text (default: the first)");
  command.add_flag("--text-only", text_only, "Take each text as it is, without file type, language and names in front");
}

DocumentPreparator TextOptions::preparator() const {
  return text_only ? DocumentPreparator(content_only) : DocumentPreparator(TextPreparator{});
}

Texts read_texts(const TextOptions& options, const EmbeddingGenerator& generator) {
  Texts texts;
  CorpusOptions corpus{.format = parse_format(options.format), .column = options.column};
  corpus.on_skip = [&texts](const std::filesystem::path& path, std::string_view reason) {
    const bool expected = std::find(expected_reasons.begin(), expected_reasons.end(), reason) != expected_reasons.end();
    ++texts.skipped[expected ? std::string(reason) : "unreadable"];
    if (!expected) texts.unreadable.push_back(fmt::format("{}: {}", path.string(), reason));
  };
  if (options.input == "-") {
    texts.documents = read_corpus(std::cin, "standard input", corpus);
    return texts;
  }
  if (corpus.format == CorpusFormat::automatic) corpus.format = corpus_format(options.input);
  texts.documents = read_corpus(options.input, corpus);
  if (corpus.format == CorpusFormat::folder) {
    texts.documents = split_lines(texts.documents, generator.tokenizer(), generator.max_sequence_length(), options.preparator());
  }
  return texts;
}

}  // namespace inlay::cli
