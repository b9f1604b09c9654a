#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"
#include "inlay/vector_cache.hpp"
#include "platform/files.hpp"
#include "platform/log.hpp"
#include "store/document_json.hpp"
#include "store/faiss_file.hpp"
#include "store/model_info_json.hpp"
#include "store/npy.hpp"
#include "store/set_files.hpp"
#include "store/timestamp.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

std::string now() { return store::to_rfc3339(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())); }

std::string_view bytes_of(std::span<const float> vector) { return {reinterpret_cast<const char*>(vector.data()), vector.size_bytes()}; }

// A set's folder before it has its name. Its vectors are locked, which tells a writer at work from one that was killed.
struct UnfinishedSet {
  explicit UnfinishedSet(const fs::path& target)
      : folder(target),
        vectors(folder.path() / store::vectors_file),
        rows(folder.path() / store::rows_file),
        lock(platform::FileLock::try_acquire(folder.path() / store::vectors_file)) {}

  platform::ReplacementFolder folder;
  platform::BufferedFile vectors;
  platform::BufferedFile rows;
  std::optional<platform::FileLock> lock;
};

std::unique_ptr<UnfinishedSet> begin_set(const fs::path& target) {
  constexpr int attempts = 3;  // another writer may take this folder for an abandoned one in the moment before it is locked
  for (int attempt = 1;; ++attempt) {
    try {
      auto set = std::make_unique<UnfinishedSet>(target);
      if (!set->lock) throw Error(Status::io_error, fmt::format("another process took {} away", set->folder.path().string()));
      set->vectors.check_untouched();
      return set;
    } catch (const Error&) {
      if (attempt == attempts) throw;
    }
  }
}

// Whether a folder holds files of a set and nothing else; perhaps not all of them: its writer, or who cleared up behind it, was killed.
bool holds_only_set_files(const fs::path& folder) {
  return std::all_of(fs::directory_iterator(folder), fs::directory_iterator(), [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().native();
    return store::is_set_file(name) || platform::is_temporary_name(name, store::vector_index_file);
  });
}

// Folders that killed writers of this set left behind. Where the file system cannot exchange two folders the old set is for a moment under
// such a name and ".old": it is put back where it is missing.
void remove_abandoned(const fs::path& target) {
  constexpr std::string_view aside = ".old";
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    const bool is_old_set = name.ends_with(aside);
    if (is_old_set) name.resize(name.size() - aside.size());
    if (!platform::is_temporary_name(name, target.filename().string())) continue;
    try {
      if (!entry->is_directory() || !holds_only_set_files(entry->path())) continue;
      const auto lock = platform::FileLock::try_acquire(entry->path() / store::vectors_file);
      if (!lock || !lock->excludes()) continue;
      if (is_old_set && !fs::exists(target) && is_embedding_set(entry->path())) {
        fs::rename(entry->path(), target);
      } else {
        fs::remove_all(entry->path());
      }
    } catch (const std::exception& failure) {  // it can be removed next time, or by hand
      platform::log(LogLevel::debug, fmt::format("cannot clear up {}: {}", entry->path().string(), failure.what()));
    }
  }
}

}  // namespace

class EmbeddingSetWriter::Implementation {
 public:
  Implementation(fs::path place, ModelInfo model, const LongTextOptions& long_text)
      : place_(std::move(place)), model_(std::move(model)), long_text_(long_text), folder_(store::set_place(place_)) {
    guarded([&] {
      remove_abandoned(folder_);
      set_ = begin_set(folder_);
      set_->vectors.append(store::npy_header(0, model_.dimension));
      set_->rows.append("[");
    });
  }

  void append(const Document& document, std::string_view key, std::span<const float> vector) {
    check_open();
    if (vector.size() != model_.dimension) {
      throw Error(Status::invalid_argument, fmt::format("row {} of the embedding set has {} components, where the model makes {}", rows_,
                                                        vector.size(), model_.dimension));
    }
    if (!std::ranges::all_of(vector, [](float value) { return std::isfinite(value); })) {
      throw Error(Status::invalid_argument, fmt::format("row {} of the embedding set is not a vector of finite numbers", rows_));
    }
    if (rows_ > 0 && key.empty() == keyed_) {
      throw Error(Status::invalid_argument, fmt::format("row {} of the embedding set has {} key, where those before have {}", rows_,
                                                        keyed_ ? "no" : "a", keyed_ ? "one" : "none"));
    }
    row_.assign(rows_ == 0 ? "\n" : ",\n");
    try {
      store::append_row(row_, document, key);
    } catch (const Error& error) {
      throw Error(error.status(), fmt::format("document {}: {}", rows_, error.what()));
    }
    guarded([&] {
      set_->rows.append(row_);
      set_->vectors.append(bytes_of(vector));
    });
    keyed_ = !key.empty();
    ++rows_;
  }

  void add_index(VectorIndexOptions options, std::string folder) {
    check_open();
    index_ = {std::move(options), std::move(folder)};
  }

  bool commit(std::string_view created, bool if_changed) {
    check_open();
    static_cast<void>(store::set_place(folder_));
    bool replaced = true;
    guarded([&] {
      set_->rows.append("\n]\n");
      set_->rows.write_out();
      set_->vectors.overwrite(0, store::npy_header(rows_, model_.dimension));
      replaced = !if_changed || !stands_already();
      if (!replaced) return;
      set_->rows.finish();
      set_->vectors.finish();
      if (index_) write_index();
      platform::write_file(set_->folder.path() / store::model_file,
                           store::write_model_record({model_, long_text_, created.empty() ? now() : std::string(created)}));
      static_cast<void>(store::set_place(folder_));  // all that took its time: something else may have been put there
      set_->folder.commit();
    });
    set_.reset();
    committed_ = true;
    return replaced;
  }

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

 private:
  void check_open() const {
    if (committed_) throw Error(Status::invalid_argument, fmt::format("the embedding set {} is committed already", place_.string()));
    if (set_ == nullptr) throw Error(Status::io_error, fmt::format("cannot save {}: it could not be written before", place_.string()));
  }

  [[nodiscard]] store::IndexRecord index_record() const {
    const VectorIndexOptions& options = index_->options;
    const IndexKind kind = index_kind(rows_, options);
    std::string text;
    if (kind == IndexKind::hnsw) {
      text = fmt::format("neighbors {}, ef_construction {}, ef_search {}", options.hnsw_neighbors, options.hnsw_ef_construction,
                         options.hnsw_ef_search);
    } else if (kind == IndexKind::ivf_pq) {
      text = fmt::format("lists {}, probes {}, pq_bytes {} (0: by the rows and the dimension)", options.ivf_lists, options.ivf_probes,
                         options.pq_bytes);
    }
    return {.kind = kind, .rows = rows_, .dimension = model_.dimension, .options = text, .folder = index_->folder};
  }

  void write_index() const {
    const fs::path folder = set_->folder.path();
    const platform::MappedFile vectors(folder / store::vectors_file);
    const auto* const first = reinterpret_cast<const float*>(vectors.bytes().data() + store::npy_header_bytes);
    save_index(folder / store::vector_index_file, {first, rows_ * model_.dimension}, model_.dimension, index_->options);
    platform::write_file(folder / store::vector_index_record_file, store::write_index_record(index_record()));
  }

  // An index that was not asked for does no harm. Throws where there is none, or a damaged one.
  [[nodiscard]] bool index_stands_already() const {
    if (!index_) return true;
    const store::IndexRecord wanted = index_record();
    if (platform::read_file(folder_ / store::vector_index_record_file) != store::write_index_record(wanted)) return false;
    const platform::MappedFile index(folder_ / store::vector_index_file);
    const store::FaissFile found = store::check_faiss_file(index.bytes(), folder_ / store::vector_index_file);
    return found.kind == wanted.kind && found.rows == wanted.rows && found.dimension == wanted.dimension;
  }

  // Whether the set that stands there has the same rows, made alike.
  [[nodiscard]] bool stands_already() const {
    if (!is_embedding_set(folder_)) return false;
    try {
      const store::ModelRecord record = store::read_model_record(platform::read_file(folder_ / store::model_file), folder_.string());
      return cache_model(record.model, record.long_text) == cache_model(model_, long_text_) && index_stands_already() &&
             platform::have_equal_bytes(folder_ / store::rows_file, set_->folder.path() / store::rows_file) &&
             platform::have_equal_bytes(folder_ / store::vectors_file, set_->folder.path() / store::vectors_file);
    } catch (const Error& error) {  // a damaged one is replaced
      platform::log(LogLevel::debug, error.what());
      return false;
    }
  }

  // A set that cannot be written is given up at once: its room on the disk may be what is lacking.
  template <class Work>
  void guarded(Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      set_.reset();
      throw Error(error.status(), fmt::format("cannot save {}: {}", place_.string(), error.what()));
    } catch (...) {
      set_.reset();
      throw;
    }
  }

  struct Index {
    VectorIndexOptions options;
    std::string folder;
  };

  fs::path place_;
  ModelInfo model_;
  LongTextOptions long_text_;
  std::optional<Index> index_;
  fs::path folder_;
  std::unique_ptr<UnfinishedSet> set_;
  std::string row_;
  std::size_t rows_ = 0;
  bool keyed_ = false;
  bool committed_ = false;
};

EmbeddingSetWriter::EmbeddingSetWriter(const fs::path& folder, ModelInfo model, const LongTextOptions& long_text)
    : implementation_(std::make_unique<Implementation>(folder, std::move(model), long_text)) {}

EmbeddingSetWriter::~EmbeddingSetWriter() = default;
EmbeddingSetWriter::EmbeddingSetWriter(EmbeddingSetWriter&&) noexcept = default;
EmbeddingSetWriter& EmbeddingSetWriter::operator=(EmbeddingSetWriter&&) noexcept = default;

void EmbeddingSetWriter::append(const Document& document, std::string_view key, std::span<const float> vector) {
  implementation_->append(document, key, vector);
}

std::size_t EmbeddingSetWriter::rows() const noexcept { return implementation_->rows(); }

void EmbeddingSetWriter::add_index(VectorIndexOptions options, std::string folder) {
  implementation_->add_index(std::move(options), std::move(folder));
}

void EmbeddingSetWriter::commit(std::string_view created) { implementation_->commit(created, false); }

bool EmbeddingSetWriter::commit_if_changed(std::string_view created) { return implementation_->commit(created, true); }

}  // namespace inlay
