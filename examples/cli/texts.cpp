#include "texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "commands.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

constexpr std::array<std::pair<std::string_view, CorpusFormat>, 6> formats = {{{"auto", CorpusFormat::automatic},
                                                                               {"folder", CorpusFormat::folder},
                                                                               {"text", CorpusFormat::text},
                                                                               {"json", CorpusFormat::json},
                                                                               {"jsonl", CorpusFormat::jsonl},
                                                                               {"csv", CorpusFormat::csv}}};
constexpr std::array<std::string_view, 8> expected_reasons = {"embeddings", "hidden",    "ignored",       "binary",
                                                              "empty",      "too large", "symbolic link", "special file"};

CorpusFormat parse_format(std::string_view name) {
  for (const auto& [known, format] : formats) {
    if (known == name) return format;
  }
  throw UsageError(fmt::format("unknown format \"{}\"; known: auto, folder, text, json, jsonl, csv", name));
}

}  // namespace

void TextOptions::add(CLI::App& command) {
  command.add_option("--format", format, "auto, folder, text, json, jsonl or csv")->capture_default_str();
  command.add_option("--column", column, "The column of a CSV file that holds the text (default: text, content, or the first)");
  command.add_flag("--text-only", text_only, "Take each text as it is, without file type, language and names in front");
}

DocumentPreparator TextOptions::preparator() const {
  return text_only ? DocumentPreparator(content_only) : DocumentPreparator(TextPreparator{});
}

TextReader::TextReader(const TextOptions& options, const EmbeddingGenerator& generator, const std::stop_token& stop)
    : options_(options), generator_(generator) {
  CorpusFormat format = parse_format(options.format);
  if (options.input == "-") {
    standard_input_.emplace(stop);
    stream_.emplace(&*standard_input_);
    stream_->exceptions(std::ios::badbit);  // what the buffer throws
    reader_.emplace(*stream_, "standard input", corpus(format));
    return;
  }
  if (format == CorpusFormat::automatic) format = corpus_format(options.input);
  cut_ = format == CorpusFormat::folder;
  reader_.emplace(options.input, corpus(format));
}

CorpusOptions TextReader::corpus(CorpusFormat format) {
  return {.format = format,
          .column = options_.column,
          .on_skip = [this](const std::filesystem::path& path, std::string_view reason) { skip(path, reason); },
          .on_bad_record =
              [this](std::string_view message) {
                ++bad_records_;
                warn(message);
              }};
}

void TextReader::skip(const std::filesystem::path& path, std::string_view reason) {
  const bool expected = std::find(expected_reasons.begin(), expected_reasons.end(), reason) != expected_reasons.end();
  ++skipped_[expected ? std::string(reason) : "unreadable"];
  if (!expected) warn(fmt::format("left out {}: {}", path.string(), reason));
}

std::optional<Document> TextReader::next() {
  while (pieces_.empty()) {
    auto document = reader_->next();
    if (!document || !cut_) return document;
    for (Document& piece : split_lines({&*document, 1}, generator_.tokenizer(), generator_.max_sequence_length(), options_.preparator())) {
      pieces_.push_back(std::move(piece));
    }
  }
  Document piece = std::move(pieces_.front());
  pieces_.pop_front();
  return piece;
}

}  // namespace inlay::cli
