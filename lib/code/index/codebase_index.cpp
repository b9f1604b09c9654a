// CodebaseIndex: opening and searching.
#include "inlay/codebase_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "code/ignore_rules.hpp"
#include "code/index/code_documents.hpp"
#include "code/index/item_filter.hpp"
#include "code/index/near_duplicates.hpp"
#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/document_json.hpp"
#include "store/exact_search.hpp"
#include "store/model_info_json.hpp"
#include "store/npy.hpp"
#include "store/set_files.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t candidates_a_match = 5;  // of an approximate search, for each that is wanted: their exact scores decide

// The files of an index at one moment, though another may take its place. They stay readable then.
struct Files {
  explicit Files(const fs::path& folder)
      : model(folder / store::model_file), vectors(folder / store::vectors_file), rows(folder / store::rows_file) {
    const fs::path record_file = folder / store::vector_index_record_file;
    std::error_code error;
    if (fs::exists(record_file, error)) {
      record = store::read_index_record(platform::read_file(record_file), record_file.string());
      if (record->kind != IndexKind::flat) index.emplace(folder / store::vector_index_file);
    }
    replaced = platform::file_identity(folder / store::model_file) != model.identity();
  }

  platform::MappedFile model;
  platform::MappedFile vectors;
  platform::MappedFile rows;
  std::optional<store::IndexRecord> record;
  std::optional<VectorIndex> index;  // a flat one holds what the vectors are
  bool replaced = false;
};

std::unique_ptr<const Files> open_files(const fs::path& folder) {
  constexpr int most_attempts = 10;
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Error(Status::not_found, fmt::format("no index {}", folder.string()));
  if (!fs::exists(folder / store::model_file, error))
    throw Error(Status::invalid_data,
                fmt::format("{} is neither an index nor an embedding set: it has no {}", folder.string(), store::model_file));
  for (int attempt = 1; attempt <= most_attempts; ++attempt) {
    const auto before = platform::file_identity(folder / store::model_file);
    try {
      auto files = std::make_unique<const Files>(folder);
      if (!files->replaced) return files;
    } catch (const Error& failure) {  // in the moment when the folder is exchanged a file may be missing, or belong to the other one
      const bool was_exchanged = before != platform::file_identity(folder / store::model_file);
      if (attempt == most_attempts || (failure.status() != Status::not_found && !was_exchanged)) throw;
    }
  }
  throw Error(Status::io_error, fmt::format("{} is replaced again and again while it is read", folder.string()));
}

// Of items whose places are not known none does.
bool lies_in(const IndexedItem& inner, const IndexedItem& outer) {
  return !inner.file_path.empty() && inner.line_end > 0 && outer.line_end > 0 && inner.file_path == outer.file_path &&
         inner.line_number >= outer.line_number && inner.line_end <= outer.line_end;
}

}  // namespace

class CodebaseIndex::Implementation {
 public:
  explicit Implementation(const fs::path& path) : path_(path), files_(open_files(path)) {
    store::ModelRecord record = store::read_model_record(files_->model.bytes(), (path / store::model_file).string());
    model_ = std::move(record.model);
    long_text_ = record.long_text;
    if (files_->record) folder_ = files_->record->folder;
    const store::NpyLayout layout = store::npy_layout(files_->vectors.bytes(), path / store::vectors_file);
    vectors_ = {files_->vectors.bytes().data() + layout.offset, layout.rows, layout.columns};
    read_items();
    check_shape(layout);
  }

  [[nodiscard]] std::vector<CodeMatch> search(std::span<const float> query, const CodeSearchOptions& options,
                                              const std::function<bool(std::size_t)>& wanted = {}) const {
    if (query.size() != vectors_.dimension) {
      throw Error(Status::invalid_argument,
                  fmt::format("the query has {} components, the index {} has {}", query.size(), path_.string(), vectors_.dimension));
    }
    if (!std::ranges::all_of(query, [](float value) { return std::isfinite(value); }))
      throw Error(Status::invalid_argument, "the query is not a vector of finite numbers");
    if (std::isnan(options.min_score)) throw Error(Status::invalid_argument, "min_score is not a number");
    const code::FilterMatcher filter(options.filter);
    std::vector<Match> matches;
    if (files_->index && !filter.filters() && !wanted && options.k < items_.size() / candidates_a_match) {
      matches = approximate(query, options);
    } else {
      const auto passes = [&](std::size_t row) { return (!wanted || wanted(row)) && filter.matches(items_[row]); };
      matches = store::nearest_rows(vectors_, query, options.k, filter.filters() || wanted ? passes : std::function<bool(std::size_t)>(),
                                    options.min_score);
    }
    std::vector<CodeMatch> found;
    found.reserve(matches.size());
    for (const Match& match : matches) found.push_back({match.row, match.score});
    return found;
  }

  [[nodiscard]] std::vector<CodeMatch> similar(std::size_t item, const CodeSearchOptions& options) const {
    const Vector query = vector(item);
    const IndexedItem& self = items_[item];
    const auto is_another = [&](std::size_t row) { return row != item && !lies_in(items_[row], self) && !lies_in(self, items_[row]); };
    return search({query.data(), query.size()}, options, is_another);
  }

  [[nodiscard]] std::optional<std::size_t> item_at(std::string_view file_path, std::int64_t line) const {
    std::optional<std::size_t> best;
    for (std::size_t row = 0; row < items_.size(); ++row) {
      const IndexedItem& item = items_[row];
      if (item.file_path != file_path || line < item.line_number || line > item.line_end) continue;
      if (!best || is_better(item, items_[*best])) best = row;
    }
    return best;
  }

  [[nodiscard]] std::vector<DuplicateGroup> near_duplicates(const DuplicateOptions& options) const {
    const code::FilterMatcher filter(options.filter);
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < items_.size(); ++row) {
      const IndexedItem& item = items_[row];
      const bool is_short = item.line_end > 0 && item.line_end - item.line_number + 1 < options.min_lines;
      if (!is_short && filter.matches(item)) rows.push_back(row);
    }
    const auto may_pair = [this](std::size_t a, std::size_t b) { return !lies_in(items_[a], items_[b]) && !lies_in(items_[b], items_[a]); };
    return code::find_near_duplicates(vectors_, rows, may_pair, options);
  }

  void check_item(std::size_t item) const {
    if (item >= items_.size()) throw Error(Status::invalid_argument, fmt::format("item {} of an index with {}", item, items_.size()));
  }

  [[nodiscard]] std::string source_code(std::size_t item) const {
    const std::string label = fmt::format("{}, row {}", (path_ / store::rows_file).string(), item);
    store::JsonItem row = store::read_json_value(row_texts_[item], label);
    auto* const fields = std::get_if<store::JsonFields>(&row.value);
    if (fields == nullptr) throw Error(Status::invalid_data, fmt::format("{} is not an object", label));
    return store::read_row(std::move(*fields), label).document.content;
  }

  [[nodiscard]] Vector vector(std::size_t item) const {
    Vector vector = Vector::from_shape({vectors_.dimension});
    std::memcpy(vector.data(), vectors_.row(item), vectors_.dimension * sizeof(float));
    return vector;
  }

  [[nodiscard]] const std::vector<IndexedItem>& items() const noexcept { return items_; }
  [[nodiscard]] std::size_t dimension() const noexcept { return vectors_.dimension; }
  [[nodiscard]] IndexKind kind() const noexcept { return files_->record ? files_->record->kind : IndexKind::flat; }
  [[nodiscard]] const ModelInfo& model() const noexcept { return model_; }
  [[nodiscard]] const LongTextOptions& long_text() const noexcept { return long_text_; }
  [[nodiscard]] const fs::path& folder() const noexcept { return folder_; }

 private:
  void read_items() {
    store::for_each_row(files_->rows, (path_ / store::rows_file).string(), [this](const store::Row& row, std::string_view text) {
      items_.push_back(code::to_indexed_item(row.document));
      row_texts_.push_back(text);
    });
  }

  void check_shape(const store::NpyLayout& layout) const {
    store::check_shape({.vectors = layout.rows, .components = layout.columns, .documents = items_.size(), .dimension = model_.dimension},
                       path_);
    const auto agree = [&](std::string_view file, std::size_t rows, std::size_t dimension) {
      if (rows == layout.rows && dimension == layout.columns) return;
      throw Error(Status::invalid_data,
                  fmt::format("the index {} contradicts itself: {} has {} rows of {}, {} has {} of {}", path_.string(), store::vectors_file,
                              layout.rows, layout.columns, file, rows, dimension));
    };
    if (files_->record) agree(store::vector_index_record_file, files_->record->rows, files_->record->dimension);
    if (files_->index) agree(store::vector_index_file, files_->index->size(), files_->index->dimension());
  }

  [[nodiscard]] std::vector<Match> approximate(std::span<const float> query, const CodeSearchOptions& options) const {
    std::vector<Match> matches = files_->index->search(query, options.k * candidates_a_match, options.effort);
    for (Match& match : matches) match.score = store::inner_product(query, vectors_.row(match.row));
    std::erase_if(matches, [&](const Match& match) { return !(match.score >= options.min_score); });
    std::ranges::sort(matches, [](const Match& a, const Match& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; });
    matches.resize(std::min(matches.size(), options.k));
    return matches;
  }

  // For the item of a line: a function before a class before a piece, and the shorter one of two.
  static bool is_better(const IndexedItem& one, const IndexedItem& other) {
    if (one.kind != other.kind) return one.kind < other.kind;
    return one.line_end - one.line_number < other.line_end - other.line_number;
  }

  fs::path path_;
  std::unique_ptr<const Files> files_;
  ModelInfo model_;
  LongTextOptions long_text_;
  fs::path folder_;
  store::MappedRows vectors_;
  std::vector<IndexedItem> items_;
  std::vector<std::string_view> row_texts_;  // in the mapping
};

CodebaseIndex::CodebaseIndex(const fs::path& index) : implementation_(std::make_unique<const Implementation>(index)) {}
CodebaseIndex::~CodebaseIndex() = default;
CodebaseIndex::CodebaseIndex(CodebaseIndex&&) noexcept = default;
CodebaseIndex& CodebaseIndex::operator=(CodebaseIndex&&) noexcept = default;

std::vector<CodeMatch> CodebaseIndex::search(const Vector& query, const CodeSearchOptions& options) const {
  return implementation_->search({query.data(), query.size()}, options);
}

std::vector<CodeMatch> CodebaseIndex::similar(std::size_t item, const CodeSearchOptions& options) const {
  implementation_->check_item(item);
  return implementation_->similar(item, options);
}

std::optional<std::size_t> CodebaseIndex::item_at(std::string_view file_path, std::int64_t line) const {
  return implementation_->item_at(file_path, line);
}

std::vector<DuplicateGroup> CodebaseIndex::near_duplicates(const DuplicateOptions& options) const {
  return implementation_->near_duplicates(options);
}

std::size_t CodebaseIndex::size() const noexcept { return implementation_->items().size(); }
std::size_t CodebaseIndex::dimension() const noexcept { return implementation_->dimension(); }
IndexKind CodebaseIndex::kind() const noexcept { return implementation_->kind(); }

const IndexedItem& CodebaseIndex::item(std::size_t item) const {
  implementation_->check_item(item);
  return implementation_->items()[item];
}

std::string CodebaseIndex::source_code(std::size_t item) const {
  implementation_->check_item(item);
  return implementation_->source_code(item);
}

Vector CodebaseIndex::vector(std::size_t item) const {
  implementation_->check_item(item);
  return implementation_->vector(item);
}

const ModelInfo& CodebaseIndex::model() const noexcept { return implementation_->model(); }
const LongTextOptions& CodebaseIndex::long_text() const noexcept { return implementation_->long_text(); }
const fs::path& CodebaseIndex::folder() const noexcept { return implementation_->folder(); }

EmbeddingGenerator load_generator(const CodebaseIndex& index, const fs::path& model, GeneratorOptions options) {
  EmbeddingSet set;
  set.model = index.model();
  return load_generator(set, model, std::move(options));
}

}  // namespace inlay
