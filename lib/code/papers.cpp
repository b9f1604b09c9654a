#include "inlay/papers.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "code/parse_named.hpp"
#include "code/strict_json.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/cache/json_splitter.hpp"

namespace inlay {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::array<std::string_view, 4> list_names = {"\"papers\"", "\"data\"", "\"results\"", "\"items\""};

// What makes a record no paper, repository or code file.
struct BadRecord {
  std::string message;
};

// The first field of several names that is there and not null.
std::optional<element> field(object record, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    element value;
    if (!record.at_key(name).get(value) && !value.is_null()) return value;
  }
  return std::nullopt;
}

std::string text_field(object record, std::initializer_list<std::string_view> names) {
  const auto value = field(record, names);
  if (!value) return {};
  std::string_view text;
  if (!value->get(text)) return std::string(text);
  std::int64_t number = 0;
  if (!value->get(number)) return std::to_string(number);
  if (value->is_number()) return simdjson::minify(*value);
  throw BadRecord{fmt::format("its {} is not a string", *names.begin())};
}

class PaperParser {
 public:
  explicit PaperParser(std::function<void(std::string_view)> on_bad) : on_bad_(std::move(on_bad)) {}

  Paper parse(object record) const {
    Paper paper{.id = text_field(record, {"id", "paper_id", "arxiv_id"}),
                .title = text_field(record, {"title", "paper_title"}),
                .abstract = text_field(record, {"abstract", "paper_abstract", "summary"}),
                .url = text_field(record, {"url", "paper_url", "url_abs"})};
    if (const auto repositories = field(record, {"repositories", "repos", "repository", "repo"})) {
      each_object(*repositories, "repository", [&](object repository) { paper.repositories.push_back(parse_repository(repository)); });
    }
    add_own_files(record, paper);
    return paper;
  }

 private:
  PaperRepository parse_repository(object record) const {
    PaperRepository repository{.name = text_field(record, {"name", "repo_name", "full_name"}),
                               .url = text_field(record, {"url", "repo_url", "html_url"})};
    if (const auto files = field(record, {"code_files", "files"})) {
      each_file(*files, [&](CodeFile file, const PaperRepository&) { repository.code_files.push_back(std::move(file)); });
    }
    return repository;
  }

  // Files that stand under the paper itself.
  void add_own_files(object record, Paper& paper) const {
    const auto files = field(record, {"code_files", "files"});
    if (paper.repositories.empty()) {
      PaperRepository own{.name = text_field(record, {"repo_name"}), .url = text_field(record, {"repo_url"})};
      if (!files && own.name.empty() && own.url.empty()) return;
      paper.repositories.push_back(std::move(own));
    }
    if (!files) return;
    Repositories repositories(paper);
    each_file(*files, [&](CodeFile file, const PaperRepository& named) { repositories.find(named).code_files.push_back(std::move(file)); });
  }

  // The repositories of a paper, by what its files may call them.
  class Repositories {
   public:
    explicit Repositories(Paper& paper) : list_(paper.repositories) {
      for (std::size_t number = 0; number < list_.size(); ++number) add(number);
    }

    /// The one that a file says it is of; a new one where none is called so.
    PaperRepository& find(const PaperRepository& named) {
      if (named.name.empty() && named.url.empty()) return list_.front();
      for (const auto& [known, text] : {std::pair(&by_name_, &named.name), std::pair(&by_url_, &named.url)}) {
        if (const auto found = known->find(*text); found != known->end()) return list_[found->second];
      }
      const PaperRepository& first = list_.front();
      const bool is_nameless = first.name.empty() && first.url.empty() && first.code_files.empty();
      if (is_nameless) {
        list_.front() = named;
      } else {
        list_.push_back(named);
      }
      const std::size_t number = is_nameless ? 0 : list_.size() - 1;
      add(number);
      return list_[number];
    }

   private:
    void add(std::size_t number) {  // the first of a name counts
      if (const std::string& name = list_[number].name; !name.empty()) by_name_.emplace(name, number);
      if (const std::string& url = list_[number].url; !url.empty()) by_url_.emplace(url, number);
    }

    std::vector<PaperRepository>& list_;
    std::unordered_map<std::string, std::size_t> by_name_;
    std::unordered_map<std::string, std::size_t> by_url_;
  };

  // Calls visit with each file, and with the repository that it names itself.
  void each_file(element files, const std::function<void(CodeFile, const PaperRepository&)>& visit) const {
    object by_path;
    if (!files.get(by_path)) {
      for (const auto [path, value] : by_path) {
        std::string_view content;
        if (value.get(content)) {
          bad(fmt::format("its code file {} is not a string", path));
        } else {
          visit(CodeFile{std::string(path), std::string(content)}, PaperRepository{});
        }
      }
      return;
    }
    each_object(files, "code file", [&](object file) {
      CodeFile code{text_field(file, {"path", "file_path", "filename", "name"}), text_field(file, {"content", "code", "source", "text"})};
      if (code.path.empty()) throw BadRecord{"a code file has no path"};
      visit(std::move(code), PaperRepository{text_field(file, {"repo_name"}), text_field(file, {"repo_url"}), {}});
    });
  }

  // One object, or an array of them.
  void each_object(element value, std::string_view noun, const std::function<void(object)>& visit) const {
    const auto one = [&](element item) {
      object record;
      if (item.get(record)) return bad(fmt::format("a {} is not an object", noun));
      try {
        visit(record);
      } catch (const BadRecord& error) {
        bad(error.message);
      }
    };
    array items;
    if (value.get(items)) return one(value);
    for (const element item : items) one(item);
  }

  void bad(std::string_view message) const { on_bad_(message); }

  std::function<void(std::string_view)> on_bad_;
};

}  // namespace

class PaperReader::Implementation {
 public:
  Implementation(const std::filesystem::path& path, PaperReaderOptions options)
      : name_(path.string()),
        options_(std::move(options)),
        file_(path),
        splitter_([this](std::uint64_t offset, std::span<char> buffer) { return file_.read(offset, buffer); }, options_.max_paper_bytes) {
    std::error_code error;
    if (const auto size = std::filesystem::file_size(path, error); !error) size_ = size;
    try {
      enter_list();
    } catch (const Error& failure) {
      throw Error(failure.status(), fmt::format("{}: {}", name_, failure.what()));
    }
  }

  std::optional<Paper> next() {
    while (!ended_) {
      const std::optional<std::string_view> text = next_text();
      if (!text) break;
      ++number_;
      try {
        object record;
        const element value = parse(*text);
        if (value.get(record)) throw BadRecord{"it is not an object"};
        return parser_.parse(record);
      } catch (const BadRecord& bad) {
        report(bad.message);
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] double fraction() const noexcept {
    return size_ == 0 || ended_ ? 1 : static_cast<double>(splitter_.position()) / static_cast<double>(size_);
  }

 private:
  void enter_list() {
    const std::optional<char> kind = splitter_.next_kind();
    is_whole_list_ = kind == '[';
    if (is_whole_list_) return splitter_.enter_array();
    if (kind != '{') throw Error(Status::invalid_data, "neither a JSON list of papers nor an object that has one");
    splitter_.enter();
    if (!enter_next_list()) {
      throw Error(Status::invalid_data, "the object has no list of papers as \"papers\", \"data\", \"results\" or \"items\"");
    }
  }

  // The next list of papers in the object that the file is.
  bool enter_next_list() {
    while (const auto name = splitter_.name()) {
      const bool is_list = std::find(list_names.begin(), list_names.end(), *name) != list_names.end();
      if (is_list && splitter_.next_kind() == '[') {
        splitter_.enter_array();
        return true;
      }
      static_cast<void>(splitter_.value());
    }
    return false;
  }

  std::optional<std::string_view> next_text() {
    try {
      for (;;) {
        if (const auto text = splitter_.element()) return text;
        if (is_whole_list_ || !enter_next_list()) break;
      }
      ended_ = true;
      splitter_.finish();
      return std::nullopt;
    } catch (const Error& error) {
      ended_ = true;
      throw Error(error.status(), fmt::format("{}, behind paper {}: {}", name_, number_, error.what()));
    }
  }

  element parse(std::string_view text) {
    element value;
    const auto error = json_.parse(text.data(), text.size()).get(value);
    if (!error || !json_.parse(code::strict_json(text)).get(value)) return value;
    throw BadRecord{simdjson::error_message(error)};
  }

  void report(std::string_view message) {
    const std::string whole = fmt::format("{}, paper {}: {}", name_, number_, message);
    if (!options_.on_bad_record) throw Error(Status::invalid_data, whole);
    options_.on_bad_record(whole);
  }

  std::string name_;
  PaperReaderOptions options_;
  platform::ReadableFile file_;
  store::JsonSplitter splitter_;
  simdjson::dom::parser json_;
  PaperParser parser_{[this](std::string_view message) { report(message); }};
  std::uintmax_t size_ = 0;
  std::size_t number_ = 0;
  bool is_whole_list_ = false;  // else other members may follow
  bool ended_ = false;
};

PaperReader::PaperReader(const std::filesystem::path& path, PaperReaderOptions options)
    : implementation_(std::make_unique<Implementation>(path, std::move(options))) {}
PaperReader::~PaperReader() = default;
PaperReader::PaperReader(PaperReader&&) noexcept = default;
PaperReader& PaperReader::operator=(PaperReader&&) noexcept = default;

std::optional<Paper> PaperReader::next() { return implementation_->next(); }

double PaperReader::fraction() const noexcept { return implementation_->fraction(); }

std::vector<Snippet> extract_snippets(const Paper& paper, const CodeParser& parser, const SnippetOptions& options) {
  std::vector<Snippet> snippets;
  for (const PaperRepository& repository : paper.repositories) {
    for (const CodeFile& source : repository.code_files) {
      ParsedFile file = code::parse_named(parser, source.content, source.path);
      if (!file.skipped.empty() && options.on_skip) options.on_skip(source.path, file.skipped);
      for (Function& function : file.functions) {
        Snippet snippet{.paper_id = paper.id,
                        .paper_title = paper.title,
                        .paper_abstract = paper.abstract,
                        .paper_url = paper.url,
                        .repo_name = repository.name,
                        .repo_url = repository.url,
                        .file_path = source.path,
                        .function_name = std::move(function.name),
                        .code_text = std::move(function.source_code),
                        .line_begin = function.range.line_begin,
                        .line_end = function.range.line_end,
                        .has_docstring = !function.docstring.empty()};
        if (snippet.num_lines() < options.min_lines || (options.require_docstring && !snippet.has_docstring)) continue;
        snippets.push_back(std::move(snippet));
      }
    }
  }
  return snippets;
}

std::string to_json(const Snippet& snippet) {
  const nlohmann::ordered_json object = {{"paper_id", snippet.paper_id},
                                         {"paper_title", snippet.paper_title},
                                         {"paper_abstract", snippet.paper_abstract},
                                         {"paper_url", snippet.paper_url},
                                         {"repo_name", snippet.repo_name},
                                         {"repo_url", snippet.repo_url},
                                         {"file_path", snippet.file_path},
                                         {"function_name", snippet.function_name},
                                         {"code_text", snippet.code_text},
                                         {"line_numbers", {snippet.line_begin, snippet.line_end}},
                                         {"has_docstring", snippet.has_docstring},
                                         {"num_lines", snippet.num_lines()}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace inlay
