#include "inlay/embedding_set.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <string_view>

#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/document_json.hpp"
#include "store/model_info_json.hpp"
#include "store/npy.hpp"
#include "store/set_files.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

using store::model_file;
using store::rows_file;
using store::vectors_file;

// An EmbeddingSet, or an EmbedResult with its documents, without copying either.
struct SetView {
  const Matrix& vectors;
  std::span<const Document> documents;
  std::span<const std::string> keys;
  const ModelInfo& model;
  const LongTextOptions& long_text;
  std::string_view created;
};

void save(const fs::path& folder, const SetView& set) {
  const std::size_t rows = set.vectors.shape(0);
  const std::size_t columns = set.vectors.shape(1);
  if (set.documents.size() != rows) {
    throw Error(Status::invalid_argument, fmt::format("an embedding set of {} vectors and {} documents", rows, set.documents.size()));
  }
  if (!set.keys.empty() && set.keys.size() != rows) {
    throw Error(Status::invalid_argument, fmt::format("an embedding set of {} vectors and {} keys", rows, set.keys.size()));
  }
  EmbeddingSetWriter writer(folder, set.model, set.long_text);
  for (std::size_t row = 0; row < rows; ++row) {
    writer.append(set.documents[row], set.keys.empty() ? std::string_view() : set.keys[row], {set.vectors.data() + row * columns, columns});
  }
  writer.commit(set.created);
}

// The set's files as they are at one moment, though another process may put a new set in the folder's place while we read.
EmbeddingSet load_once(const fs::path& folder, bool& replaced) {
  const platform::MappedFile model(folder / model_file);
  EmbeddingSet set;
  store::ModelRecord record = store::read_model_record(model.bytes(), (folder / model_file).string());
  set.model = std::move(record.model);
  set.long_text = record.long_text;
  set.created = std::move(record.created);
  set.vectors = store::read_npy(folder / vectors_file);
  const platform::MappedFile rows(folder / rows_file);
  // The same file before and after, and held all the while: it was in the same folder as the others.
  replaced = platform::MappedFile(folder / model_file).identity() != model.identity();
  if (replaced) return set;

  store::for_each_row(rows, (folder / rows_file).string(), [&](store::Row row, std::string_view) {
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
    const std::string name = entry->path().filename().native();
    if (!store::is_set_file(name)) return false;
    found += name == store::vector_index_file || name == store::vector_index_record_file ? 0 : 1;  // an index can be made again
  }
  return !error && found == 3;
}

bool store::is_set_file(std::string_view name) noexcept {
  return name == vectors_file || name == rows_file || name == model_file || name == vector_index_file || name == vector_index_record_file;
}

fs::path store::set_place(const fs::path& folder) {
  if (folder.empty()) throw Error(Status::invalid_argument, "an embedding set needs a path");
  std::error_code error;
  fs::path place = folder.has_filename() ? folder : folder.parent_path();  // "x.set/" is "x.set"
  if (fs::is_symlink(place, error)) {
    place = fs::canonical(place, error);
    if (error) throw Error(Status::io_error, fmt::format("cannot write {}: it is a link to nothing", folder.string()));
  }
  if (is_embedding_set(place.has_parent_path() ? place.parent_path() : fs::path(".")))
    throw Error(Status::invalid_argument, fmt::format("{} would lie in an embedding set", folder.string()));
  const fs::file_status status = fs::status(place, error);
  if (!fs::exists(status) || (fs::is_directory(status) && (fs::is_empty(place, error) || is_embedding_set(place)))) return place;
  throw Error(Status::invalid_argument, fmt::format("{} is there and is not an embedding set: it is left as it is", folder.string()));
}

void store::check_shape(const SetShape& shape, const fs::path& folder) {
  const auto fail = [&](std::string_view reason) {
    throw Error(Status::invalid_data, fmt::format("the embedding set {} contradicts itself: {}", folder.string(), reason));
  };
  if (shape.documents != shape.vectors) {
    fail(fmt::format("{} has {} rows, {} has {}", vectors_file, shape.vectors, rows_file, shape.documents));
  }
  if (shape.keys != 0 && shape.keys != shape.vectors)
    fail(fmt::format("only {} of {} rows in {} have a key", shape.keys, shape.vectors, rows_file));
  if (shape.components != shape.dimension) {
    fail(fmt::format("{} has {} components a row, {} says {}", vectors_file, shape.components, model_file, shape.dimension));
  }
}

void save_embeddings(const fs::path& folder, const EmbeddingSet& set) {
  save(folder, {set.vectors, set.documents, set.keys, set.model, set.long_text, set.created});
}

void save_embeddings(const fs::path& folder, const EmbedResult& result, std::span<const Document> documents, const ModelInfo& model) {
  for (std::size_t item = 0; item < result.items.size(); ++item) {
    const ItemReport& report = result.items[item];
    if (report.status == Status::ok) continue;
    throw Error(Status::invalid_argument, fmt::format("item {} has no vector to save: {} ({})", item,
                                                      report.message.empty() ? "it failed" : report.message, to_string(report.status)));
  }
  save(folder, {result.vectors, documents, {}, model, {}, {}});
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
  store::check_shape({set.vectors.shape(0), set.vectors.shape(1), set.documents.size(), set.keys.size(), set.model.dimension}, folder);
  return set;
}

}  // namespace inlay
