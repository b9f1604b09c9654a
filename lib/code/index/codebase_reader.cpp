#include "code/index/codebase_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "code/folder.hpp"
#include "code/index/code_documents.hpp"
#include "code/languages.hpp"
#include "code/valid_text.hpp"
#include "inlay/corpus.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "platform/parallel.hpp"
#include "platform/processors.hpp"

namespace inlay::code {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_at_once = 16;   // a thread
constexpr std::size_t share_of_memory = 8;  // of max_memory, for files: their items take some times as much
constexpr std::string_view space = " \t\r\n\f\v";

bool is_word_byte(char byte) {
  const auto letter = static_cast<unsigned char>(byte);
  return (letter >= '0' && letter <= '9') || ((letter | 0x20U) >= 'a' && (letter | 0x20U) <= 'z') || letter >= 0x80;
}

std::int64_t newlines(std::string_view text) { return std::ranges::count(text, '\n'); }

// Without empty lines at its ends, and without space on those between others; its line_number stays that of its first line.
Document tidied(Document piece) {
  const std::string content = std::move(piece.content);
  const std::size_t first = std::min(content.find_first_not_of(space), content.size());
  const std::size_t line_start = first == 0 ? 0 : content.rfind('\n', first - 1) + 1;  // npos + 1 is 0
  piece.metadata.line_number += newlines(std::string_view(content).substr(0, line_start));
  piece.content.clear();
  const std::size_t end = content.find_last_not_of(space) + 1;
  for (std::size_t begin = line_start; begin < end;) {
    const std::size_t next = std::min(content.find('\n', begin), end - 1) + 1;
    const std::string_view line = std::string_view(content).substr(begin, next - begin);
    piece.content += line.find_first_not_of(space) == std::string_view::npos ? "\n" : line;
    begin = next;
  }
  return piece;
}

// The number of the last line of a piece that stands behind others of its file.
std::int64_t last_line(const Document& piece) {
  const std::string_view content = piece.content;
  return piece.metadata.line_number + newlines(content.substr(0, content.find_last_not_of(space) + 1));
}

}  // namespace

std::string outside_of(std::string_view source, const ParsedFile& file) {
  std::string outside(source);
  const auto blank = [&outside](std::size_t begin, std::size_t end) {
    const auto first = outside.begin() + static_cast<std::ptrdiff_t>(std::min(begin, outside.size()));
    const auto last = outside.begin() + static_cast<std::ptrdiff_t>(std::min(end, outside.size()));
    std::replace_if(
        first, std::max(first, last), [](char byte) { return byte != '\n'; }, ' ');
  };
  const auto blank_all = [&](const auto& items) {
    for (const auto& item : items) {
      blank(item.range.byte_begin, item.range.byte_end);
      blank(item.comment.byte_begin, item.comment.byte_end);
    }
  };
  std::vector<std::size_t> ends;  // of the lines that items begin or end on
  const auto add_ends = [&](const auto& items) {
    for (const auto& item : items) {
      for (const std::size_t place : {item.range.byte_begin, item.range.byte_end}) ends.push_back(place);
    }
  };
  blank_all(file.functions);
  blank_all(file.classes);
  add_ends(file.functions);
  add_ends(file.classes);
  // What is left of such a line goes, too, where it is punctuation.
  std::ranges::sort(ends);
  std::size_t behind = 0;  // the last line that was looked at
  for (const std::size_t place : ends) {
    if (place < behind || place > outside.size()) continue;
    const std::size_t newline = place == 0 ? std::string::npos : outside.rfind('\n', place - 1);
    const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
    const std::size_t end = std::min(outside.find('\n', begin), outside.size());
    if (std::ranges::none_of(std::string_view(outside).substr(begin, end - begin), is_word_byte)) blank(begin, end);
    behind = end + 1;
  }
  return outside;
}

CodebaseReader::CodebaseReader(fs::path folder, const IndexCodebaseOptions& options, const Tokenizer& tokenizer, std::size_t max_tokens,
                               std::string prompt)
    : folder_(std::move(folder)),
      options_(options),
      tokenizer_(tokenizer),
      max_tokens_(max_tokens),
      parser_(options.parser),
      prompted_([prompt = std::move(prompt), prepare = code_item_preparator(options.preparator, options.name_words)](
                    const Document& document) { return prompt + prepare(document); }) {
  std::error_code ignored;
  if (!fs::is_directory(folder_, ignored)) throw Error(Status::not_found, fmt::format("{} is not a folder", folder_.string()));
  FolderTree tree = list_tree(folder_, options.on_skip);
  files_ = std::move(tree.files);
  unreadable_ = tree.unreadable;
}

std::optional<Document> CodebaseReader::next() {
  while (waiting_.empty() && next_file_ < files_.size() && !options_.stop.stop_requested()) read_more();
  if (waiting_.empty() && files_with_items_ == 0 && unreadable_ > 0 && !options_.stop.stop_requested()) {
    throw Error(Status::io_error,
                fmt::format("{} has nothing that can be read: {} files or folders cannot", folder_.string(), unreadable_));
  }
  if (waiting_.empty() || options_.stop.stop_requested()) return std::nullopt;
  Document document = std::move(waiting_.front());
  waiting_.pop_front();
  return document;
}

double CodebaseReader::fraction() const noexcept {
  return files_.empty() ? 1 : static_cast<double>(next_file_) / static_cast<double>(files_.size());
}

void CodebaseReader::read_more() {
  const std::size_t threads = options_.parser.threads > 0 ? options_.parser.threads : platform::available_processors();
  const std::span next(files_.begin() + static_cast<std::ptrdiff_t>(next_file_),
                       std::min(files_.size() - next_file_, threads * files_at_once));
  std::vector<ReadFile> read_files(files_within(folder_, next, options_.max_memory / share_of_memory));
  const auto read_one = [&](std::size_t index) {
    if (options_.stop.stop_requested()) return;
    try {
      read_files[index] = read(files_[next_file_ + index]);
    } catch (const Error& error) {
      if (error.status() == Status::out_of_memory) throw;
      const std::string_view message = error.what();  // "cannot open a/b.py: Permission denied"
      const std::size_t colon = message.rfind(": ");
      read_files[index] = {.skipped = std::string(colon == std::string_view::npos ? message : message.substr(colon + 2)),
                           .is_unreadable = true};
    }
  };
  platform::for_each_parallel(read_files.size(), read_one, threads);
  if (options_.stop.stop_requested()) return;
  for (ReadFile& file : read_files) {
    const std::string& name = files_[next_file_++];
    if (!file.skipped.empty() && options_.on_skip) options_.on_skip(folder_ / name, file.skipped);
    for (const ParseNote& note : file.notes) {
      if (options_.on_note) options_.on_note(valid_text(name), note);
    }
    files_with_items_ += file.documents.empty() ? 0 : 1;
    unreadable_ += file.is_unreadable ? 1 : 0;
    std::ranges::move(file.documents, std::back_inserter(waiting_));
  }
}

CodebaseReader::ReadFile CodebaseReader::read(const std::string& name) const {
  const fs::path path = folder_ / name;
  const std::string file_path = valid_text(name);
  const std::size_t most_bytes = std::max(options_.parser.max_file_bytes, options_.max_text_bytes);
  std::error_code error;
  if (fs::file_size(path, error) > most_bytes && !error) return {.skipped = "too large"};
  std::string bytes = platform::read_file(path);
  const std::string_view language = file_language(std::string_view(file_path).substr(file_path.rfind('/') + 1), bytes);
  const std::vector<std::string>& known = CodeParser::languages();
  if (std::ranges::find(known, language) == known.end()) return read_text(std::move(bytes), file_path);

  ParsedFile parsed = parser_.parse(bytes, language, file_path);
  ReadFile file{.notes = std::move(parsed.notes), .skipped = std::move(parsed.skipped)};
  if (!file.skipped.empty()) return file;
  Document outside = file_document(outside_of(bytes, parsed), file_path);
  outside.metadata.file_type.clear();  // the language says it
  outside.metadata.language = language;
  file.documents.reserve(parsed.functions.size() + parsed.classes.size() + 1);
  for (Function& function : parsed.functions) file.documents.push_back(code_item_document(std::move(function)));
  for (Class& definition : parsed.classes) file.documents.push_back(code_item_document(std::move(definition)));
  std::ranges::stable_sort(file.documents, {}, [](const Document& document) { return document.metadata.line_number; });
  append_pieces(std::move(outside), file.documents);
  return file;
}

CodebaseReader::ReadFile CodebaseReader::read_text(std::string bytes, const std::string& file_path) const {
  if (!options_.text_files) return {.skipped = "not source code"};
  if (bytes.size() > options_.max_text_bytes) return {.skipped = "too large"};
  if (is_binary(bytes)) return {.skipped = "binary"};
  ReadFile file;
  append_pieces(file_document(std::move(bytes), file_path), file.documents);
  if (file.documents.empty()) file.skipped = "empty";
  return file;
}

void CodebaseReader::append_pieces(Document whole, std::vector<Document>& documents) const {
  if (std::ranges::none_of(whole.content, is_word_byte)) return;  // brackets that functions stood between
  for (Document& piece : split_lines({&whole, 1}, tokenizer_, max_tokens_, prompted_)) {
    if (std::ranges::none_of(piece.content, is_word_byte)) continue;
    const std::int64_t line_end = last_line(piece);
    documents.push_back(to_file_piece(tidied(std::move(piece)), line_end));
  }
}

}  // namespace inlay::code
