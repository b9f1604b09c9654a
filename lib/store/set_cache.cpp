#include "store/set_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "inlay/error.hpp"
#include "platform/log.hpp"
#include "store/cache/cache_file.hpp"
#include "store/cache_arguments.hpp"
#include "store/document_json.hpp"
#include "store/labels.hpp"
#include "store/model_info_json.hpp"
#include "store/npy.hpp"
#include "store/set_files.hpp"

namespace inlay::store {
namespace {

namespace fs = std::filesystem;

}  // namespace

// The files of one set, though another may take its place.
struct SetCache::Files {
  explicit Files(const fs::path& folder)
      : model(folder / model_file),
        vectors(folder / vectors_file),
        rows(folder / rows_file),
        record(read_model_record(model.bytes(), (folder / model_file).string())) {
    const platform::MappedFile mapped(folder / vectors_file);
    layout = npy_layout(mapped.bytes(), folder / vectors_file);
    const auto now = platform::file_identity(folder / model_file);
    // The same file before and after, and held all the while: it was in the same folder as the others.
    replaced = now != model.identity() || mapped.identity() != vectors.identity();
  }

  platform::MappedFile model;
  platform::ReadableFile vectors;
  platform::MappedFile rows;
  ModelRecord record;
  NpyLayout layout;
  bool replaced = false;
};

std::unique_ptr<SetCache> SetCache::open(const fs::path& folder) {
  constexpr int most_attempts = 10;
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Error(Status::not_found, fmt::format("no embedding set {}", folder.string()));
  auto files = std::make_unique<const Files>(folder);
  for (int attempt = 1; files->replaced; ++attempt) {
    if (attempt == most_attempts) {
      throw Error(Status::io_error, fmt::format("{} is replaced again and again while it is read", folder.string()));
    }
    files = std::make_unique<const Files>(folder);
  }
  std::unique_ptr<SetCache> cache(new SetCache(fs::absolute(folder), std::move(files)));
  cache->read_index();
  return cache;
}

SetCache::SetCache(fs::path folder, std::unique_ptr<const Files> files)
    : folder_(std::move(folder)), files_(std::move(files)), model_(cache_model(files_->record.model, files_->record.long_text)) {}

SetCache::~SetCache() = default;

void SetCache::read_index() {
  std::size_t keys = 0;
  for_each_row(files_->rows, (folder_ / rows_file).string(), [&](const Row& row, std::string_view) {
    if (row.key.empty()) return index_.skip();
    index_.add(pack_key(row.key));
    ++keys;
  });
  check_shape({files_->layout.rows, files_->layout.columns, index_.numbers(), keys, model_.dimension}, folder_);
}

bool SetCache::read(std::size_t row, std::span<float> vector) const {
  try {
    const auto bytes = std::span(reinterpret_cast<char*>(vector.data()), vector.size_bytes());
    if (files_->vectors.read(files_->layout.offset + std::uint64_t{row} * bytes.size(), bytes) == bytes.size()) return true;
    if (!told_.exchange(true)) {
      platform::log(LogLevel::warning,
                    fmt::format("{} was cut short meanwhile: what is missing is left out", (folder_ / vectors_file).string()));
    }
  } catch (const Error& error) {
    if (!told_.exchange(true)) platform::log(LogLevel::warning, fmt::format("{}; what cannot be read is left out", error.what()));
  }
  return false;
}

std::vector<bool> SetCache::find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) {
  check_find(model, keys, vectors);
  std::vector<bool> known(keys.size());
  std::size_t hits = 0;
  if (model.fingerprint == model_.fingerprint && model.dimension == model_.dimension) {
    std::vector<float> vector(model.dimension);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto row = index_.find(pack_key(keys[i]));
      if (!row || !read(*row, vector)) continue;
      std::ranges::copy(vector, vectors.begin() + static_cast<std::ptrdiff_t>(i * model.dimension));
      known[i] = true;
      ++hits;
    }
  }
  hits_ += hits;
  misses_ += keys.size() - hits;
  return known;
}

void SetCache::insert(const CacheModel& model, std::span<const CacheEntry> entries) { check_insert(model, entries); }

CacheStatistics SetCache::statistics() const {
  CacheStatistics statistics{.kind = CacheKind::other, .path = folder_, .entries = index_.size()};
  if (index_.size() > 0) statistics.models.push_back({model_, index_.size()});
  statistics.file_bytes = files_->vectors.identity().size + files_->rows.identity().size + files_->model.identity().size;
  statistics.hits = hits_;
  statistics.misses = misses_;
  return statistics;
}

CacheCheck SetCache::verify() {
  CacheCheck check;
  std::vector<float> vector(files_->layout.columns);
  for (std::size_t row = 0; row < files_->layout.rows; ++row) {
    if (!read(row, vector)) {
      add_problem(check, {{}, {}, fmt::format("row {} cannot be read", row)});
    } else if (!std::ranges::all_of(vector, [](float value) { return std::isfinite(value); })) {
      add_problem(check, {{}, {}, fmt::format("row {} is not a vector of finite numbers", row)});
    } else {
      ++check.entries;
    }
  }
  return check;
}

PruneResult SetCache::prune(const PruneOptions&) {
  throw Error(Status::unsupported, fmt::format("the embedding set {} is only read", folder_.string()));
}

void SetCache::for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const {
  std::size_t number = 0;
  CacheEntry entry;
  entry.vector.resize(model_.dimension);
  for_each_row(files_->rows, (folder_ / rows_file).string(), [&](Row row, std::string_view) {
    const std::size_t current = number++;
    if (row.key.empty() || index_.find(pack_key(row.key)) != current || !read(current, entry.vector)) return;
    entry.label = label_of(row.document.metadata);
    entry.name = name_of(row.document.metadata);
    entry.key = std::move(row.key);
    visit(model_, entry);
  });
}

}  // namespace inlay::store
