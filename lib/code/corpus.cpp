#include "inlay/corpus.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include "code/csv.hpp"
#include "code/folder.hpp"
#include "code/languages.hpp"
#include "code/line_reader.hpp"
#include "code/valid_text.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/document_json.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Where texts come from: how messages name it, and the file_path of texts that name none (empty for a stream).
struct Source {
  std::string label;
  std::string file_path;
};

void locate(Document& document, const Source& source, std::int64_t line) {
  if (!document.metadata.file_path.empty()) return;
  document.metadata.file_path = source.file_path;
  if (document.metadata.line_number == 0) document.metadata.line_number = line;
}

Document json_document(store::JsonItem item, std::string_view label) {
  Document document;
  if (auto* value = std::get_if<MetadataValue>(&item.value)) {
    auto* text = std::get_if<std::string>(value);
    if (text == nullptr) throw Error(Status::invalid_data, fmt::format("{} is neither a string nor an object", label));
    document.content = std::move(*text);
  } else {
    auto& fields = std::get<store::JsonFields>(item.value);
    const auto text_field = [&fields](std::string_view name) {
      return std::ranges::find_if(
          fields, [name](const auto& field) { return field.first == name && std::holds_alternative<std::string>(field.second); });
    };
    auto text = text_field("text");
    if (text == fields.end()) text = text_field("content");
    if (text == fields.end()) throw Error(Status::invalid_data, fmt::format("{} has no string `text` or `content`", label));
    document.content = std::move(std::get<std::string>(text->second));
    for (auto field = fields.begin(); field != fields.end(); ++field) {
      if (field != text) store::set_field(document.metadata, std::move(field->first), std::move(field->second));
    }
  }
  return document;
}

// Every column gets a name of its own: "column_3" where it has none, "name.1" where "name" is taken, as pandas does.
std::vector<std::string> column_names(std::vector<std::string> names) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) names[i] = fmt::format("column_{}", i + 1);
    std::string name = names[i];
    for (int copy = 1; !taken.insert(name).second; ++copy) name = fmt::format("{}.{}", names[i], copy);
    names[i] = name;
  }
  return names;
}

MetadataValue csv_value(std::string_view name, std::string text) {
  std::int64_t number = 0;
  if (name == "line_number") {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
  }
  return text;
}

// Whose bytes; their number where it is known, else 0.
struct ByteSource {
  code::LineReader::Read read;
  std::uint64_t size = 0;
};

ByteSource bytes_of(std::istream& stream, std::string_view name) {
  return {[&stream, name = std::string(name)](std::span<char> buffer) {
    stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    if (stream.bad()) throw Error(Status::io_error, fmt::format("cannot read {}", name));
    return static_cast<std::size_t>(stream.gcount());
  }};
}

// Also of a pipe (`<(command)` in a shell), which has no size and is read from its beginning to its end.
ByteSource bytes_of(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_fifo(status) || fs::is_character_file(status)) {
    const auto stream = std::make_shared<std::ifstream>(path, std::ios::binary);
    if (!*stream) throw Error(Status::io_error, fmt::format("cannot open {}", path.string()));
    return {[stream, read = bytes_of(*stream, path.string()).read](std::span<char> buffer) { return read(buffer); }};
  }
  const auto file = std::make_shared<const platform::ReadableFile>(path);
  return {[file, offset = std::uint64_t{0}](std::span<char> buffer) mutable {
            const std::size_t read = file->read(offset, buffer);
            offset += read;
            return read;
          },
          file->identity().size};
}

std::string read_whole(const ByteSource& source) {
  constexpr std::size_t block = std::size_t{1} << 16;
  std::string bytes;
  while (true) {
    const std::size_t held = bytes.size();
    bytes.resize(held + std::max(block, std::min<std::size_t>(source.size, held)));
    const std::size_t read = source.read(std::span(bytes).subspan(held));
    bytes.resize(held + read);
    if (read == 0) break;
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  return bytes;
}

// One of the formats.
class Reader {
 public:
  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  virtual ~Reader() = default;
  virtual std::optional<Document> next() = 0;
  [[nodiscard]] virtual double fraction() const noexcept = 0;
};

using OnBadRecord = std::function<void(std::string_view)>;

// What work() returns; nothing where it fails for the record's sake, and that may be told.
template <class Work>
std::optional<Document> or_told(const OnBadRecord& on_bad_record, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!on_bad_record || error.status() != Status::invalid_data) throw;
    on_bad_record(error.what());
    return std::nullopt;
  }
}

class LinesReader : public Reader {
 public:
  LinesReader(ByteSource bytes, Source source) : source_(std::move(source)), size_(bytes.size), lines_(std::move(bytes.read)) {}

  [[nodiscard]] double fraction() const noexcept override {
    if (ended_) return 1;
    return size_ == 0 ? 0 : std::min(1.0, static_cast<double>(lines_.bytes_passed()) / static_cast<double>(size_));
  }

 protected:
  std::optional<std::string_view> next_line() {
    const auto line = lines_.next();
    ended_ = !line;
    if (line) ++number_;
    return line;
  }
  [[nodiscard]] std::int64_t number() const noexcept { return number_; }  // of the line that came last
  [[nodiscard]] const Source& source() const noexcept { return source_; }

 private:
  Source source_;
  std::uint64_t size_;
  code::LineReader lines_;
  std::int64_t number_ = 0;
  bool ended_ = false;
};

class TextReader final : public LinesReader {
 public:
  using LinesReader::LinesReader;

  std::optional<Document> next() override {
    const auto line = next_line();
    if (!line) return std::nullopt;
    Document document{code::valid_text(std::string(code::without_end(*line))), {}};
    locate(document, source(), number());
    return document;
  }
};

class JsonLinesReader final : public LinesReader {
 public:
  JsonLinesReader(ByteSource bytes, Source source, OnBadRecord on_bad_record)
      : LinesReader(std::move(bytes), std::move(source)), on_bad_record_(std::move(on_bad_record)) {}

  std::optional<Document> next() override {
    while (const auto line = next_line()) {
      const std::string_view json = code::without_end(*line);
      if (json.find_first_not_of(" \t") == std::string_view::npos) continue;
      const std::string label = fmt::format("{}:{}", source().label, number());
      auto document = or_told(on_bad_record_, [&] { return json_document(store::read_json_value(json, label), label); });
      if (!document) continue;
      locate(*document, source(), number());
      return document;
    }
    return std::nullopt;
  }

 private:
  OnBadRecord on_bad_record_;
};

class CsvRecords final : public LinesReader {
 public:
  CsvRecords(ByteSource bytes, Source source, std::string column, OnBadRecord on_bad_record)
      : LinesReader(std::move(bytes), std::move(source)), column_(std::move(column)), on_bad_record_(std::move(on_bad_record)) {}

  std::optional<Document> next() override {
    if (names_.empty() && !read_header()) return std::nullopt;
    while (more()) {
      auto document = or_told(on_bad_record_, [this] { return read_record(); });
      if (document) return document;
    }
    return std::nullopt;
  }

 private:
  // Whether there is text, as far as the line with which its last record ends.
  bool more() {
    if (reader_ && !reader_->at_end()) return true;
    const std::size_t first_line = reader_ ? reader_->line() : 1;
    reader_.reset();
    text_.clear();
    code::CsvQuotes quotes;
    while (const auto line = next_line()) {
      text_ += *line;
      quotes.pass(*line);
      if (!quotes.inside()) break;
    }
    if (text_.empty()) return false;
    text_ = code::valid_text(std::move(text_));
    reader_.emplace(text_, source().label, first_line);
    if (quotes.inside()) static_cast<void>(reader_->next());  // throws: nothing behind it can be read
    return true;
  }

  std::optional<code::CsvRecord> next_record() {
    try {
      return reader_->next();
    } catch (const Error&) {
      reader_->skip_all();
      throw;
    }
  }

  bool read_header() {
    while (more()) {
      auto header = next_record();
      if (!header) continue;
      names_ = column_names(std::move(header->fields));
      text_column_ = text_column();
      if (text_column_ < names_.size()) return true;
      throw Error(Status::invalid_argument,
                  fmt::format("{} has no column \"{}\"; it has {}", source().label, column_, fmt::join(names_, ", ")));
    }
    return false;
  }

  // The one that is asked for, or whose number is beyond all; else text, else content, as in JSON lines, else the first.
  [[nodiscard]] std::size_t text_column() const {
    const auto number = [this](std::string_view name) {
      return static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin());
    };
    if (!column_.empty()) return number(column_);
    for (const std::string_view name : {"text", "content"}) {
      if (number(name) < names_.size()) return number(name);
    }
    return 0;
  }

  std::optional<Document> read_record() {
    auto record = next_record();
    if (!record) return std::nullopt;
    if (record->fields.size() != names_.size()) {
      throw Error(Status::invalid_data, fmt::format("{}:{}: a record of {} fields, where the header has {}", source().label, record->line,
                                                    record->fields.size(), names_.size()));
    }
    Document document;
    document.content = std::move(record->fields[text_column_]);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i != text_column_) store::set_field(document.metadata, names_[i], csv_value(names_[i], std::move(record->fields[i])));
    }
    locate(document, source(), static_cast<std::int64_t>(record->line));
    return document;
  }

  std::string column_;
  OnBadRecord on_bad_record_;
  std::string text_;
  std::optional<code::CsvReader> reader_;  // over text_
  std::vector<std::string> names_;
  std::size_t text_column_ = 0;
};

// Documents that are held as a whole.
class HeldDocuments final : public Reader {
 public:
  explicit HeldDocuments(std::vector<Document> documents) : documents_(std::move(documents)) {}

  std::optional<Document> next() override {
    if (next_ == documents_.size()) return std::nullopt;
    return std::move(documents_[next_++]);
  }
  [[nodiscard]] double fraction() const noexcept override {
    return documents_.empty() ? 1 : static_cast<double>(next_) / static_cast<double>(documents_.size());
  }

 private:
  std::vector<Document> documents_;
  std::size_t next_ = 0;
};

class FilesReader final : public Reader {
 public:
  FilesReader(const fs::path& folder, const CorpusOptions& options) : files_(folder, options) {}
  std::optional<Document> next() override { return files_.next(); }
  [[nodiscard]] double fraction() const noexcept override { return files_.fraction(); }

 private:
  code::FolderReader files_;
};

std::vector<Document> read_json(std::string_view text, const Source& source, const OnBadRecord& on_bad_record) {
  std::vector<Document> documents;
  std::size_t number = 0;
  store::for_each_json_item(text, source.label, [&](store::JsonItem item) {
    const std::string name = std::move(item.name);
    const std::string label =
        name.empty() ? fmt::format("{}, item {}", source.label, number) : fmt::format("{}, item \"{}\"", source.label, name);
    ++number;
    auto document = or_told(on_bad_record, [&] { return json_document(std::move(item), label); });
    if (!document) return;
    locate(*document, source, 0);
    if (!name.empty()) document->metadata.extra.insert_or_assign("json_key", name);
    documents.push_back(std::move(*document));
  });
  return documents;
}

std::unique_ptr<Reader> reader_of(ByteSource bytes, Source source, CorpusFormat format, const CorpusOptions& options) {
  switch (format) {
    case CorpusFormat::json: return std::make_unique<HeldDocuments>(read_json(read_whole(bytes), source, options.on_bad_record));
    case CorpusFormat::jsonl: return std::make_unique<JsonLinesReader>(std::move(bytes), std::move(source), options.on_bad_record);
    case CorpusFormat::csv: return std::make_unique<CsvRecords>(std::move(bytes), std::move(source), options.column, options.on_bad_record);
    case CorpusFormat::folder:
      return std::make_unique<HeldDocuments>(std::vector{code::file_document(read_whole(bytes), source.file_path)});
    default: return std::make_unique<TextReader>(std::move(bytes), std::move(source));
  }
}

std::vector<Document> all_documents(CorpusReader reader) {
  std::vector<Document> documents;
  while (auto document = reader.next()) documents.push_back(std::move(*document));
  return documents;
}

}  // namespace

CorpusFormat corpus_format(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return CorpusFormat::folder;
  const std::string ending = code::lower_ending(path.filename().native());
  if (ending == "txt") return CorpusFormat::text;
  if (ending == "json") return CorpusFormat::json;
  if (ending == "jsonl" || ending == "ndjson") return CorpusFormat::jsonl;
  if (ending == "csv") return CorpusFormat::csv;
  return CorpusFormat::folder;
}

class CorpusReader::Implementation {
 public:
  explicit Implementation(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}

  std::optional<Document> next() {
    if (ended_) return std::nullopt;
    ended_ = true;  // unless it goes well
    auto document = reader_->next();
    ended_ = !document;
    return document;
  }
  [[nodiscard]] double fraction() const noexcept { return reader_->fraction(); }

 private:
  std::unique_ptr<Reader> reader_;
  bool ended_ = false;
};

CorpusReader::CorpusReader(const fs::path& path, const CorpusOptions& options) {
  const CorpusFormat format = options.format == CorpusFormat::automatic ? corpus_format(path) : options.format;
  std::error_code error;
  std::unique_ptr<Reader> reader;
  if (fs::is_directory(path, error)) {
    if (format != CorpusFormat::folder)
      throw Error(Status::invalid_argument, fmt::format("{} is a folder, not a file of texts", path.string()));
    reader = std::make_unique<FilesReader>(path, options);
  } else {
    reader = reader_of(bytes_of(path), {path.string(), path.generic_string()}, format, options);
  }
  implementation_ = std::make_unique<Implementation>(std::move(reader));
}

CorpusReader::CorpusReader(std::istream& stream, std::string_view name, const CorpusOptions& options) {
  if (options.format == CorpusFormat::folder) throw Error(Status::invalid_argument, fmt::format("{} is not a folder", name));
  implementation_ = std::make_unique<Implementation>(reader_of(bytes_of(stream, name), {std::string(name), {}}, options.format, options));
}

CorpusReader::~CorpusReader() = default;
CorpusReader::CorpusReader(CorpusReader&&) noexcept = default;
CorpusReader& CorpusReader::operator=(CorpusReader&&) noexcept = default;

std::optional<Document> CorpusReader::next() { return implementation_->next(); }

double CorpusReader::fraction() const noexcept { return implementation_->fraction(); }

std::vector<Document> read_corpus(const fs::path& path, const CorpusOptions& options) { return all_documents(CorpusReader(path, options)); }

std::vector<Document> read_corpus(std::istream& stream, std::string_view name, const CorpusOptions& options) {
  return all_documents(CorpusReader(stream, name, options));
}

}  // namespace inlay
