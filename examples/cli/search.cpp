// inlay search: the items of an index, or the rows of a set, that are nearest to a question or to a piece of code.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "commands.hpp"
#include "inlay/inlay.hpp"
#include "item_options.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "source_view.hpp"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, QueryType>, 4> query_types = {{{"general", QueryType::general},
                                                                                {"code_search", QueryType::code_search},
                                                                                {"error_analysis", QueryType::error_analysis},
                                                                                {"documentation", QueryType::documentation}}};

struct SearchOptions {
  ModelOptions model;
  ItemOptions items;
  std::string index;
  std::string query;
  std::string code;  // FILE:LINE
  std::string type = "general";
  std::size_t count = 5;
  std::optional<float> min_score;
  std::size_t effort = 0;
  std::int64_t lines = 10;
  std::int64_t context = 0;
  bool json = false;

  [[nodiscard]] CodeSearchOptions search() const {
    CodeSearchOptions search{.k = count, .filter = items.filter(), .effort = effort};
    if (min_score) search.min_score = *min_score;
    return search;
  }
};

QueryType parse_query_type(std::string_view name) {
  for (const auto& [known, type] : query_types) {
    if (known == name) return type;
  }
  throw UsageError(fmt::format("unknown query type \"{}\"; known: general, code_search, error_analysis, documentation", name));
}

EmbeddingGenerator load(const SearchOptions& options, const CodebaseIndex& index) {
  GeneratorOptions generator;
  generator.device = Device::parse(options.model.device);
  generator.threads = options.model.threads;
  generator.revision = options.model.revision;
  try {
    return load_generator(index, options.model.model.empty() ? fs::path() : options.model.path(), generator);
  } catch (const Error& error) {
    if (error.status() != Status::not_found || !options.model.model.empty()) throw;
    throw Error(error.status(), fmt::format("{} (the model that made the set is not where it was: pass its folder with -m)", error.what()));
  }
}

struct CodePlace {
  std::string file;
  std::int64_t line = 0;
};

CodePlace parse_place(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  CodePlace found;
  if (colon != std::string::npos && colon > 0) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, found.line);
    if (error == std::errc() && stop == end && found.line > 0) {
      found.file = text.substr(0, colon);
      return found;
    }
  }
  throw UsageError(fmt::format("--code is \"{}\", not FILE:LINE", text));
}

// The item of the index at a place, whose file is named as the index does, or as it lies on the disk.
std::optional<std::size_t> find_item(const CodebaseIndex& index, const CodePlace& at) {
  if (const auto item = index.item_at(at.file, at.line)) return item;
  std::error_code error;
  const fs::path absolute = fs::weakly_canonical(at.file, error);
  if (error || index.folder().empty()) return std::nullopt;
  return index.item_at(absolute.lexically_relative(fs::weakly_canonical(index.folder(), error)).generic_string(), at.line);
}

bool has_file(const CodebaseIndex& index, const CodePlace& at) {
  for (std::size_t row = 0; row < index.size(); ++row) {
    if (index.item(row).file_path == at.file) return true;
  }
  return false;
}

// The innermost function, else class, of a file at a line, as the index would have it.
std::string text_at(const CodePlace& at) {
  const ParsedFile file = parse_file(at.file);
  if (!file.skipped.empty()) throw Error(Status::unsupported, fmt::format("{} was not parsed: {}", at.file, file.skipped));
  const auto innermost = [&at](const auto& items) {
    auto best = items.end();
    for (auto item = items.begin(); item != items.end(); ++item) {
      if (at.line < item->range.line_begin || at.line > item->range.line_end) continue;
      if (best == items.end() || item->range.byte_begin >= best->range.byte_begin) best = item;
    }
    return best;
  };
  const DocumentPreparator prepare = code_item_preparator();
  if (const auto function = innermost(file.functions); function != file.functions.end()) return prepare(code_item_document(*function));
  if (const auto definition = innermost(file.classes); definition != file.classes.end()) return prepare(code_item_document(*definition));
  throw Error(Status::not_found, fmt::format("no function or class is at {}:{}", at.file, at.line));
}

Vector embed_text(const EmbeddingGenerator& generator, const std::string& text, const LongTextOptions& long_text) {
  const EmbedResult result = generator.embed({text}, {.long_text = long_text});
  if (!result.complete()) throw Error(result.items[0].status, result.items[0].message);
  Vector vector = Vector::from_shape({result.vectors.shape(1)});
  std::ranges::copy(result.vectors, vector.begin());
  return vector;
}

std::vector<CodeMatch> find(const SearchOptions& options, const CodebaseIndex& index) {
  if (!options.code.empty()) {
    const CodePlace at = parse_place(options.code);
    if (const auto item = find_item(index, at)) return index.similar(*item, options.search());
    if (has_file(index, at)) throw Error(Status::not_found, fmt::format("no item of the index is at {}:{}", at.file, at.line));
    return index.search(embed_text(load(options, index), text_at(at), index.long_text()), options.search());
  }
  return index.search(load(options, index).embed_query(options.query, parse_query_type(options.type)), options.search());
}

// An item's source as it stands in its file.
struct CurrentFile {
  std::string content;
  std::int64_t first_line = 0;  // of the item
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// A line of a piece of a file has spaces where other items stand, else what the file has there.
bool is_line_of(std::string_view expected, std::string_view now) {
  if (now.find(expected) != std::string_view::npos) return true;
  if (now.size() < expected.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] != ' ' && expected[i] != now[i]) return false;
  }
  return true;
}

bool has_piece(std::string_view content, const IndexedItem& item, std::string_view source) {
  const std::vector<std::string_view> now = lines_of(content);
  std::size_t line = static_cast<std::size_t>(item.line_number) - 1;
  for (const std::string_view expected : lines_of(source)) {
    if (!expected.empty() && (line >= now.size() || !is_line_of(expected, now[line]))) return false;
    ++line;
  }
  return true;
}

std::int64_t lines_in(std::string_view source) { return std::ranges::count(source, '\n') + (source.ends_with('\n') ? 0 : 1); }

// The line that an item's source begins on: decorators may stand above line_number.
std::int64_t first_line_of(const IndexedItem& item, std::string_view source) {
  return item.kind == ItemKind::file ? item.line_number : std::max<std::int64_t>(1, item.line_end - lines_in(source) + 1);
}

// Of the places where a text has the source the line of that nearest to `wanted`; 0 where it has none.
std::int64_t nearest_line(std::string_view text, std::string_view source, std::int64_t wanted) {
  std::int64_t nearest = 0;
  std::int64_t line = 1;
  std::size_t counted = 0;
  for (std::size_t place = text.find(source); place != std::string_view::npos; place = text.find(source, place + 1)) {
    line += std::ranges::count(text.substr(counted, place - counted), '\n');
    counted = place;
    if (nearest == 0 || std::abs(line - wanted) < std::abs(nearest - wanted)) nearest = line;
    if (line >= wanted) break;  // others are farther
  }
  return nearest;
}

// Nothing where the file is gone, or has the item no more.
std::optional<CurrentFile> current_file(const CodebaseIndex& index, const IndexedItem& item, const std::string& source) {
  if (index.folder().empty() || item.line_number == 0) return std::nullopt;
  const fs::path path = index.folder() / item.file_path;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) return std::nullopt;
  CurrentFile file{.content = std::move(text).str()};
  if (item.kind == ItemKind::file) {
    file.first_line = item.line_number;
    return has_piece(file.content, item, source) ? std::optional(std::move(file)) : std::nullopt;
  }
  file.first_line = nearest_line(file.content, source, first_line_of(item, source));
  return file.first_line > 0 ? std::optional(std::move(file)) : std::nullopt;
}

// An item's source: its first lines, or with --context all of them with the lines of its file around.
std::string show_item(const CodebaseIndex& index, std::size_t row, const SearchOptions& options) {
  const IndexedItem& item = index.item(row);
  const std::string source = index.source_code(row);
  const std::int64_t length = lines_in(source);
  SourceView view{.source = source, .language = item.language, .file_name = item.file_path, .colours = has_colours()};
  if (options.context > 0) {
    if (const auto file = current_file(index, item, source)) {
      view.source = file->content;
      view.begin = std::max<std::int64_t>(1, file->first_line - options.context);
      view.end = file->first_line + length - 1 + options.context;
      return show_source(view);
    }
    warn(fmt::format("{} has changed since it was indexed: no lines around", item.file_path));
  }
  if (options.lines == 0) return {};
  view.first_line = first_line_of(item, source);
  view.begin = view.first_line;
  view.most_lines = options.context > 0 ? length : options.lines;
  view.end = view.first_line + length - 1;
  return show_source(view);
}

void show(const CodebaseIndex& index, const std::vector<CodeMatch>& matches, const SearchOptions& options) {
  std::string text;
  const bool colours = has_colours();
  const auto strong = [colours](const std::string& words) { return colours ? fmt::format("\033[1m{}\033[0m", words) : words; };
  for (const auto& [row, score] : matches) {
    const IndexedItem& item = index.item(row);
    if (item.line_end == 0) {  // a row of any set
      text += fmt::format("{}  {:.3f}  {}\n", place(item, row), score, first_line(index.source_code(row)));
      continue;
    }
    const std::string title =
        item.kind == ItemKind::file ? std::string() : first_line(item.signature.empty() ? item.name : item.signature, 140);
    text += fmt::format("{}{}  {:.3f}{}{}\n", text.empty() || options.lines == 0 ? "" : "\n", strong(place(item, row)), score,
                        title.empty() ? "" : "  ", title);
    if (!item.docstring.empty()) text += fmt::format("  {}\n", first_line(item.docstring, 140));
    text += show_item(index, row, options);
  }
  write_output(text);
}

int run_search(const SearchOptions& options) {
  if (options.query.empty() == options.code.empty()) throw UsageError("give either a question or --code FILE:LINE");
  static_cast<void>(parse_query_type(options.type));
  const CodebaseIndex index(options.index);
  const std::vector<CodeMatch> matches = find(options, index);
  if (!options.json) {
    show(index, matches, options);
    if (matches.empty())
      tell(index.size() == 0 ? "the index is empty" : "no matches: no item passes --path, --lang, --kind and --min-score");
    return exit_code::ok;
  }
  nlohmann::ordered_json object = {{"set", options.index}};
  if (options.code.empty()) {
    object["query"] = options.query;
    object["type"] = options.type;
  } else {
    object["code"] = options.code;
  }
  object["matches"] = nlohmann::ordered_json::array();
  for (const CodeMatch& match : matches) {
    nlohmann::ordered_json found = to_json(index, match.item);
    found["score"] = match.score;
    object["matches"].push_back(std::move(found));
  }
  write_output(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  return exit_code::ok;
}

}  // namespace

Command add_search(CLI::App& application) {
  auto options = std::make_shared<SearchOptions>();
  CLI::App* command = application.add_subcommand("search", "Find the items of an index, or of a set, that are nearest to a question");
  command->add_option("index", options->index, "What inlay index, or inlay embed, wrote")->required()->type_name("INDEX");
  command->add_option("query", options->query, "The question")->type_name("QUERY");
  command->add_option("--code", options->code, "Instead of a question: find what is similar to the function or class at this place")
      ->type_name("FILE:LINE");
  command->add_option("-k,--top-k", options->count, "How many to show at most")->check(at_least(1))->capture_default_str();
  command->add_option("--type", options->type, "general, code_search, error_analysis or documentation")->capture_default_str();
  command->add_option("--min-score", options->min_score, "Leave out what has a lower score; of normalised vectors from -1 to 1")
      ->type_name("SCORE");
  options->items.add(*command);
  command->add_option("--lines", options->lines, "Lines of source to show of each at most; 0: none")
      ->check(at_least(0))
      ->capture_default_str();
  command->add_option("--context", options->context, "Show all of each, and so many lines of its file before and behind")
      ->check(at_least(0))
      ->type_name("N");
  command->add_option("--effort", options->effort, "How much an hnsw or ivf_pq index looks at (default: as it was made)")
      ->check(at_least(1));
  command
      ->add_option("-m,--model,--model-path", options->model.model,
                   "The model that made the set: its folder or its name (default: where it was then)")
      ->type_name("MODEL");
  options->model.add_hub(*command);
  command->add_option("-d,--device", options->model.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  command->add_option("--threads", options->model.threads, "Threads to compute with (default: one per processor)")->check(at_least(1));
  command->add_flag("--json", options->json, "Print one JSON object");
  return {command, [options] { return run_search(*options); }};
}

}  // namespace inlay::cli
