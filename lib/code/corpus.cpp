#include "inlay/corpus.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "code/csv.hpp"
#include "code/folder.hpp"
#include "code/languages.hpp"
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

// Calls visit(line, number) for each line, without its end.
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line, number);
  }
}

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

std::vector<Document> read_text(std::string bytes, const Source& source) {
  const std::string text = code::valid_text(std::move(bytes));
  std::vector<Document> documents;
  for_each_line(text, [&](std::string_view line, std::int64_t number) {
    documents.push_back({std::string(line), {}});
    locate(documents.back(), source, number);
  });
  return documents;
}

std::vector<Document> read_json(std::string_view text, const Source& source) {
  std::vector<Document> documents;
  store::for_each_json_item(text, source.label, [&](store::JsonItem item) {
    const std::string name = std::move(item.name);
    const std::string label =
        name.empty() ? fmt::format("{}, item {}", source.label, documents.size()) : fmt::format("{}, item \"{}\"", source.label, name);
    documents.push_back(json_document(std::move(item), label));
    locate(documents.back(), source, 0);
    if (!name.empty()) documents.back().metadata.extra.insert_or_assign("json_key", name);
  });
  return documents;
}

std::vector<Document> read_json_lines(std::string_view text, const Source& source) {
  std::vector<Document> documents;
  for_each_line(text, [&](std::string_view line, std::int64_t number) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;
    const std::string label = fmt::format("{}:{}", source.label, number);
    documents.push_back(json_document(store::read_json_value(line, label), label));
    locate(documents.back(), source, number);
  });
  return documents;
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

std::vector<Document> read_csv(std::string bytes, const Source& source, const std::string& column) {
  const std::string text = code::valid_text(std::move(bytes));
  code::CsvReader reader(text, source.label);
  std::vector<Document> documents;
  auto header = reader.next();
  if (!header) return documents;
  const std::vector<std::string> names = column_names(std::move(header->fields));
  const std::size_t text_column = column.empty() ? 0 : static_cast<std::size_t>(std::ranges::find(names, column) - names.begin());
  if (text_column == names.size()) {
    throw Error(Status::invalid_argument, fmt::format("{} has no column \"{}\"; it has {}", source.label, column, fmt::join(names, ", ")));
  }
  while (auto record = reader.next()) {
    if (record->fields.size() != names.size()) {
      throw Error(Status::invalid_data, fmt::format("{}:{}: a record of {} fields, where the header has {}", source.label, record->line,
                                                    record->fields.size(), names.size()));
    }
    Document document;
    document.content = std::move(record->fields[text_column]);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i != text_column) store::set_field(document.metadata, names[i], csv_value(names[i], std::move(record->fields[i])));
    }
    locate(document, source, static_cast<std::int64_t>(record->line));
    documents.push_back(std::move(document));
  }
  return documents;
}

std::vector<Document> read_texts(std::string bytes, const Source& source, CorpusFormat format, const CorpusOptions& options) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  switch (format) {
    case CorpusFormat::json: return read_json(bytes, source);
    case CorpusFormat::jsonl: return read_json_lines(bytes, source);
    case CorpusFormat::csv: return read_csv(std::move(bytes), source, options.column);
    case CorpusFormat::folder: return {code::file_document(std::move(bytes), source.file_path)};
    default: return read_text(std::move(bytes), source);
  }
}

std::string read_stream(std::istream& stream, std::string_view name) {
  std::string bytes;
  std::string block(std::size_t{1} << 16, '\0');
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    bytes.append(block, 0, static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) throw Error(Status::io_error, fmt::format("cannot read {}", name));
  return bytes;
}

// Also of a pipe (`<(command)` in a shell), which has no size and cannot be mapped.
std::string read_bytes(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::is_fifo(status) && !fs::is_character_file(status)) return platform::read_file(path);
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(Status::io_error, fmt::format("cannot open {}", path.string()));
  return read_stream(stream, path.string());
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

std::vector<Document> read_corpus(const fs::path& path, const CorpusOptions& options) {
  const CorpusFormat format = options.format == CorpusFormat::automatic ? corpus_format(path) : options.format;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    if (format != CorpusFormat::folder)
      throw Error(Status::invalid_argument, fmt::format("{} is a folder, not a file of texts", path.string()));
    return code::read_folder(path, options);
  }
  return read_texts(read_bytes(path), {path.string(), path.generic_string()}, format, options);
}

std::vector<Document> read_corpus(std::istream& stream, std::string_view name, const CorpusOptions& options) {
  if (options.format == CorpusFormat::folder) throw Error(Status::invalid_argument, fmt::format("{} is not a folder", name));
  return read_texts(read_stream(stream, name), {std::string(name), {}}, options.format, options);
}

}  // namespace inlay
