// Snippets from a JSON list, and from the code files of papers.
#include <fmt/format.h>
#include <simdjson.h>

#include <utility>

#include "code/snippet_json.hpp"
#include "code/strict_json.hpp"
#include "code/valid_text.hpp"
#include "inlay/code_embeddings.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/cache/json_splitter.hpp"

namespace inlay {

using code::BadSnippet;

class SnippetReader::Implementation {
 public:
  Implementation(const std::filesystem::path& path, SnippetReaderOptions options)
      : name_(path.string()),
        options_(std::move(options)),
        file_(path),
        splitter_([this](std::uint64_t offset, std::span<char> buffer) { return file_.read(offset, buffer); }, options_.max_snippet_bytes) {
    if (splitter_.next_kind() != '[') throw Error(Status::invalid_data, fmt::format("{} is not a JSON list of snippets", name_));
    splitter_.enter_array();
  }

  std::optional<SnippetRecord> next() {
    while (const auto text = next_text()) {
      ++number_;
      try {
        return read(*text);
      } catch (const BadSnippet& bad) {
        report(bad.message);
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] double fraction() const noexcept {
    const std::uint64_t size = file_.identity().size;
    return size == 0 || ended_ ? 1 : static_cast<double>(splitter_.position()) / static_cast<double>(size);
  }

 private:
  std::optional<std::string_view> next_text() {
    if (ended_) return std::nullopt;
    try {
      if (const auto text = splitter_.element()) return text;
      ended_ = true;
      splitter_.finish();
      return std::nullopt;
    } catch (const Error& error) {
      ended_ = true;
      throw Error(error.status(), fmt::format("{}, behind snippet {}: {}", name_, number_, error.what()));
    }
  }

  SnippetRecord read(std::string_view text) {
    simdjson::dom::element value;
    const auto error = json_.parse(text.data(), text.size()).get(value);
    if (error && json_.parse(code::strict_json(text)).get(value)) throw BadSnippet{simdjson::error_message(error)};
    simdjson::dom::object record;
    if (value.get(record)) throw BadSnippet{"it is not an object"};
    return {code::read_snippet(record, code::CodeText::required), code::without_embedding(record)};
  }

  void report(std::string_view message) const {
    const std::string whole = fmt::format("{}, snippet {}: {}", name_, number_, message);
    if (!options_.on_bad_record) throw Error(Status::invalid_data, whole);
    options_.on_bad_record(whole);
  }

  std::string name_;
  SnippetReaderOptions options_;
  platform::ReadableFile file_;
  store::JsonSplitter splitter_;
  simdjson::dom::parser json_;
  std::size_t number_ = 0;
  bool ended_ = false;
};

SnippetReader::SnippetReader(const std::filesystem::path& path, SnippetReaderOptions options)
    : implementation_(std::make_unique<Implementation>(path, std::move(options))) {}
SnippetReader::~SnippetReader() = default;
SnippetReader::SnippetReader(SnippetReader&&) noexcept = default;
SnippetReader& SnippetReader::operator=(SnippetReader&&) noexcept = default;

std::optional<SnippetRecord> SnippetReader::next() { return implementation_->next(); }
double SnippetReader::fraction() const noexcept { return implementation_->fraction(); }

class CodeFileReader::Implementation {
 public:
  Implementation(const std::filesystem::path& path, CodeFileReaderOptions options)
      : on_skip_(std::move(options.on_skip)), papers_(path, std::move(options.papers)) {}

  std::optional<SnippetRecord> next() {
    for (;;) {
      while (paper_ && repository_ < paper_->repositories.size()) {
        PaperRepository& repository = paper_->repositories[repository_];
        while (file_ < repository.code_files.size()) {
          if (auto record = read(repository, repository.code_files[file_++])) return record;
        }
        ++repository_;
        file_ = 0;
      }
      paper_ = papers_.next();
      repository_ = 0;
      if (!paper_) return std::nullopt;
    }
  }

  [[nodiscard]] double fraction() const noexcept { return papers_.fraction(); }

 private:
  // Takes the file's content.
  [[nodiscard]] std::optional<SnippetRecord> read(const PaperRepository& repository, CodeFile& file) const {
    const bool binary = code::is_binary(file.content);
    if (binary || code::is_blank(file.content)) {
      if (on_skip_) on_skip_(file.path, binary ? "binary" : "empty");
      return std::nullopt;
    }
    const std::int64_t lines = code::count_lines(file.content);
    return SnippetRecord{.snippet = {.paper_id = paper_->id,
                                     .paper_title = paper_->title,
                                     .paper_abstract = paper_->abstract,
                                     .paper_url = paper_->url,
                                     .repo_name = repository.name,
                                     .repo_url = repository.url,
                                     .file_path = std::move(file.path),
                                     .code_text = std::move(file.content),
                                     .line_begin = 1,
                                     .line_end = lines}};
  }

  std::function<void(std::string_view, std::string_view)> on_skip_;
  PaperReader papers_;
  std::optional<Paper> paper_;
  std::size_t repository_ = 0;
  std::size_t file_ = 0;
};

CodeFileReader::CodeFileReader(const std::filesystem::path& path, CodeFileReaderOptions options)
    : implementation_(std::make_unique<Implementation>(path, std::move(options))) {}
CodeFileReader::~CodeFileReader() = default;
CodeFileReader::CodeFileReader(CodeFileReader&&) noexcept = default;
CodeFileReader& CodeFileReader::operator=(CodeFileReader&&) noexcept = default;

std::optional<SnippetRecord> CodeFileReader::next() { return implementation_->next(); }
double CodeFileReader::fraction() const noexcept { return implementation_->fraction(); }

}  // namespace inlay
