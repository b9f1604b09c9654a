#include "inlay/embedding_set.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>

#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/document_json.hpp"
#include "store/model_info_json.hpp"
#include "store/npy.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view vectors_file = "embeddings.npy";
constexpr std::string_view rows_file = "metadata.json";
constexpr std::string_view model_file = "model_info.json";

// An EmbeddingSet, or an EmbedResult with its documents, without copying either.
struct SetView {
  const Matrix& vectors;
  std::span<const Document> documents;
  std::span<const std::string> keys;
  const ModelInfo& model;
  std::string_view created;
};

std::string now() {
  const auto time = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()), unsigned(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

void check(const SetView& set) {
  const std::size_t rows = set.vectors.shape(0);
  const std::size_t columns = set.vectors.shape(1);
  if (set.documents.size() != rows) {
    throw Error(Status::invalid_argument, fmt::format("an embedding set of {} vectors and {} documents", rows, set.documents.size()));
  }
  if (!set.keys.empty() && set.keys.size() != rows) {
    throw Error(Status::invalid_argument, fmt::format("an embedding set of {} vectors and {} keys", rows, set.keys.size()));
  }
  if (columns != set.model.dimension && rows != 0) {
    throw Error(Status::invalid_argument,
                fmt::format("an embedding set of vectors of {} components, where the model makes {}", columns, set.model.dimension));
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const std::span<const float> vector(set.vectors.data() + row * columns, columns);
    if (!std::ranges::all_of(vector, [](float value) { return std::isfinite(value); })) {
      throw Error(Status::invalid_argument, fmt::format("row {} of the embedding set is not a vector of finite numbers", row));
    }
  }
}

std::string rows_json(const SetView& set) {
  std::string json = "[";
  for (std::size_t row = 0; row < set.documents.size(); ++row) {
    json += row == 0 ? "\n" : ",\n";
    try {
      store::append_row(json, set.documents[row], set.keys.empty() ? std::string_view() : set.keys[row]);
    } catch (const Error& error) {
      throw Error(error.status(), fmt::format("document {}: {}", row, error.what()));
    }
  }
  json += "\n]\n";
  return json;
}

// A link is followed: what it points to is replaced, and it stays.
fs::path resolved(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_symlink(folder, error)) return folder;
  fs::path target = fs::canonical(folder, error);
  if (error) throw Error(Status::io_error, fmt::format("cannot write {}: it is a link to nothing", folder.string()));
  return target;
}

void check_place(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status)) return;
  if (fs::is_directory(status) && (fs::is_empty(folder, error) || is_embedding_set(folder))) return;
  throw Error(Status::invalid_argument, fmt::format("{} is there and is not an embedding set: it is left as it is", folder.string()));
}

void save(const fs::path& place, const SetView& set) {
  if (place.empty()) throw Error(Status::invalid_argument, "an embedding set needs a path");
  check(set);
  const fs::path folder = resolved(place);
  check_place(folder);
  const std::string rows = rows_json(set);
  try {
    platform::ReplacementFolder replacement(folder);
    const bool empty = set.vectors.shape(0) == 0;  // which may lack its width
    store::write_npy(replacement.path() / vectors_file, empty ? Matrix::from_shape({0, set.model.dimension}) : set.vectors);
    platform::write_file(replacement.path() / rows_file, rows);
    platform::write_file(replacement.path() / model_file, store::write_model_record(set.model, set.created.empty() ? now() : set.created));
    replacement.commit();
  } catch (const Error& error) {
    throw Error(error.status(), fmt::format("cannot save {}: {}", place.string(), error.what()));
  }
}

// The set's files as they are at one moment, though another process may put a new set in the folder's place while we read.
EmbeddingSet load_once(const fs::path& folder, bool& replaced) {
  const platform::MappedFile model(folder / model_file);
  EmbeddingSet set;
  store::ModelRecord record = store::read_model_record(model.bytes(), (folder / model_file).string());
  set.model = std::move(record.model);
  set.created = std::move(record.created);
  set.vectors = store::read_npy(folder / vectors_file);
  const platform::MappedFile rows(folder / rows_file);
  // The same file before and after, and held all the while: it was in the same folder as the others.
  replaced = platform::MappedFile(folder / model_file).identity() != model.identity();
  if (replaced) return set;

  const std::string label = (folder / rows_file).string();
  set.documents.reserve(set.vectors.shape(0));
  store::for_each_json_item(rows.bytes(), label, [&](store::JsonItem item) {
    const std::string row_label = fmt::format("{}, row {}", label, set.documents.size());
    auto* fields = std::get_if<store::JsonFields>(&item.value);
    if (fields == nullptr || !item.name.empty()) throw Error(Status::invalid_data, fmt::format("{} is not an object", row_label));
    store::Row row = store::read_row(std::move(*fields), row_label);
    set.documents.push_back(std::move(row.document));
    if (!row.key.empty()) set.keys.push_back(std::move(row.key));
  });
  return set;
}

}  // namespace

std::string content_key(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

bool is_embedding_set(const fs::path& folder) {
  std::error_code error;
  std::size_t found = 0;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name != vectors_file && name != rows_file && name != model_file) return false;
    ++found;
  }
  return !error && found == 3;
}

void save_embeddings(const fs::path& folder, const EmbeddingSet& set) {
  save(folder, {set.vectors, set.documents, set.keys, set.model, set.created});
}

void save_embeddings(const fs::path& folder, const EmbedResult& result, std::span<const Document> documents, const ModelInfo& model) {
  for (std::size_t item = 0; item < result.items.size(); ++item) {
    const ItemReport& report = result.items[item];
    if (report.status == Status::ok) continue;
    throw Error(Status::invalid_argument, fmt::format("item {} has no vector to save: {} ({})", item,
                                                      report.message.empty() ? "it failed" : report.message, to_string(report.status)));
  }
  save(folder, {result.vectors, documents, {}, model, {}});
}

EmbeddingSet load_embeddings(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Error(Status::not_found, fmt::format("no embedding set {}", folder.string()));
  EmbeddingSet set;
  bool replaced = true;
  for (int attempt = 0; replaced; ++attempt) {
    if (attempt == 10) throw Error(Status::io_error, fmt::format("{} is replaced again and again while it is read", folder.string()));
    set = load_once(folder, replaced);
  }
  const std::size_t rows = set.vectors.shape(0);
  const auto fail = [&](std::string_view reason) {
    throw Error(Status::invalid_data, fmt::format("the embedding set {} contradicts itself: {}", folder.string(), reason));
  };
  if (set.documents.size() != rows) fail(fmt::format("{} has {} rows, {} has {}", vectors_file, rows, rows_file, set.documents.size()));
  if (!set.keys.empty() && set.keys.size() != rows)
    fail(fmt::format("only {} of {} rows in {} have a key", set.keys.size(), rows, rows_file));
  if (set.vectors.shape(1) != set.model.dimension) {
    fail(fmt::format("{} has {} components a row, {} says {}", vectors_file, set.vectors.shape(1), model_file, set.model.dimension));
  }
  return set;
}

}  // namespace inlay
