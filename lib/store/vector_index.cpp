#include "inlay/vector_index.hpp"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/impl/FaissException.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <faiss/invlists/OnDiskInvertedLists.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "inlay/error.hpp"
#include "platform/files.hpp"
#include "store/exact_search.hpp"
#include "store/faiss_file.hpp"
#include "store/openmp_threads.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

using Id = decltype(faiss::Index::ntotal);

constexpr std::size_t most_flat_rows = 200'000;
constexpr std::size_t most_hnsw_rows = 2'000'000;
constexpr std::size_t least_clustered_rows = 1'000;
constexpr std::size_t rows_at_once = 4096;
constexpr std::size_t code_bits = 8;
constexpr std::size_t code_values = std::size_t{1} << code_bits;

// What FAISS throws, as an Error that names the file.
template <class Work>
auto guarded(const fs::path& file, std::string_view what, const Work& work) {
  try {
    return work();
  } catch (const faiss::FaissException& error) {
    throw Error(Status::internal, fmt::format("{} {}: {}", what, file.string(), error.what()));
  }
}

// Rows that stand one after the other in the caller's memory.
struct Rows {
  std::span<const float> values;
  std::size_t dimension = 0;

  [[nodiscard]] std::size_t count() const noexcept { return values.size() / dimension; }
  [[nodiscard]] const float* row(std::size_t index) const noexcept { return values.data() + index * dimension; }
};

Rows checked_rows(std::span<const float> vectors, std::size_t dimension) {
  if (dimension == 0 || dimension > std::numeric_limits<std::int32_t>::max() || vectors.size() % dimension != 0) {
    throw Error(Status::invalid_argument, fmt::format("{} components are no rows of {}", vectors.size(), dimension));
  }
  const auto bad = std::ranges::find_if_not(vectors, [](float value) { return std::isfinite(value); });
  if (bad != vectors.end()) {
    throw Error(Status::invalid_argument,
                fmt::format("row {} is not a vector of finite numbers", static_cast<std::size_t>(bad - vectors.begin()) / dimension));
  }
  if (vectors.size() / dimension > std::numeric_limits<std::int32_t>::max()) {
    throw Error(Status::invalid_argument, fmt::format("{} rows are too many for one index", vectors.size() / dimension));
  }
  return {vectors, dimension};
}

/// The largest count of parts that leaves each 4 components or more; 1 where none divides the dimension.
std::size_t default_parts(std::size_t dimension) {
  std::size_t parts = std::max<std::size_t>(1, dimension / 4);
  while (dimension % parts != 0) --parts;
  return parts;
}

struct IvfShape {
  std::size_t lists = 0;
  std::size_t probes = 0;
  std::size_t parts = 0;
};

IvfShape ivf_shape(const Rows& rows, const VectorIndexOptions& options) {
  IvfShape shape;
  const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(rows.count())));
  shape.lists = options.ivf_lists != 0 ? options.ivf_lists : 4 * root;
  shape.probes = options.ivf_probes != 0 ? options.ivf_probes : std::min(shape.lists, std::max<std::size_t>(8, shape.lists / 8));
  shape.parts = options.pq_bytes != 0 ? options.pq_bytes : default_parts(rows.dimension);
  if (shape.lists > rows.count())
    throw Error(Status::invalid_argument, fmt::format("ivf_lists is {}, more than the {} rows", shape.lists, rows.count()));
  if (shape.probes > shape.lists)
    throw Error(Status::invalid_argument, fmt::format("ivf_probes is {}, more than the {} lists", shape.probes, shape.lists));
  if (rows.dimension % shape.parts != 0) {
    throw Error(Status::invalid_argument,
                fmt::format("pq_bytes is {}, which does not divide the dimension {}", shape.parts, rows.dimension));
  }
  if (rows.count() < code_values)
    throw Error(Status::invalid_argument, fmt::format("an ivf_pq index needs {} rows or more, not {}", code_values, rows.count()));
  return shape;
}

void check(const VectorIndexOptions& options) {
  if (options.hnsw_neighbors < 2 || options.hnsw_neighbors > 256)
    throw Error(Status::invalid_argument, fmt::format("hnsw_neighbors is {}, not 2 to 256", options.hnsw_neighbors));
  constexpr std::size_t most = 1 << 20;
  if (options.hnsw_ef_construction == 0 || options.hnsw_ef_construction > most || options.hnsw_ef_search == 0 ||
      options.hnsw_ef_search > most) {
    throw Error(Status::invalid_argument, "hnsw_ef_construction and hnsw_ef_search are from 1 to 1,048,576");
  }
}

class Builder {
 public:
  Builder(const Rows& rows, const VectorIndexOptions& options) : rows_(rows), options_(options) {}

  [[nodiscard]] std::unique_ptr<faiss::Index> hnsw() const {
    auto index = std::make_unique<faiss::IndexHNSWFlat>(static_cast<int>(rows_.dimension), static_cast<int>(options_.hnsw_neighbors),
                                                        faiss::METRIC_INNER_PRODUCT);
    index->hnsw.efConstruction = static_cast<int>(options_.hnsw_ef_construction);
    index->hnsw.efSearch = static_cast<int>(options_.hnsw_ef_search);
    add_rows(*index);
    return index;
  }

  [[nodiscard]] std::unique_ptr<faiss::Index> ivf_pq() const {
    const IvfShape shape = ivf_shape(rows_, options_);
    auto quantizer = std::make_unique<faiss::IndexFlatIP>(static_cast<Id>(rows_.dimension));
    auto index = std::make_unique<faiss::IndexIVFPQ>(quantizer.get(), rows_.dimension, shape.lists, shape.parts, code_bits,
                                                     faiss::METRIC_INNER_PRODUCT);
    quantizer.release();  // NOLINT(bugprone-unused-return-value): the index owns it from here on
    index->own_fields = true;
    index->nprobe = shape.probes;
    index->cp.min_points_per_centroid = 1;  // fewer than FAISS likes are no reason to print
    index->pq.cp.min_points_per_centroid = 1;
    train(*index, shape);
    add_rows(*index);
    return index;
  }

 private:
  // A small training consists of short loops, whose threads would wait for one another most of the time: five times as long where others
  // use the processors, too.
  void train(faiss::Index& index, const IvfShape& shape) const {
    constexpr double least_multiplications = 1e11;  // of one of some 25 rounds
    const double multiplications = static_cast<double>(rows_.values.size()) * static_cast<double>(shape.lists + code_values);
    const store::OpenMpThreads threads(multiplications < least_multiplications ? 1 : 0);
    index.train(static_cast<Id>(rows_.count()), rows_.values.data());
  }

  void add_rows(faiss::Index& index) const {
    for (std::size_t done = 0; done < rows_.count();) {
      if (options_.stop.stop_requested()) throw Error(Status::cancelled, "building the index was stopped");
      const std::size_t count = std::min(rows_at_once, rows_.count() - done);
      index.add(static_cast<Id>(count), rows_.row(done));
      done += count;
      if (options_.on_progress) options_.on_progress(done, rows_.count());
    }
  }

  const Rows& rows_;
  const VectorIndexOptions& options_;
};

// FAISS's own writer prints where a file cannot be closed, and does not see a disk that is full until then.
class FileWriter final : public faiss::IOWriter {
 public:
  explicit FileWriter(const fs::path& path) : file_(path) {}

  std::size_t operator()(const void* data, std::size_t size, std::size_t count) override {
    file_.append({static_cast<const char*>(data), size * count});
    return count;
  }
  void finish() { file_.flush_to_disk(); }

 private:
  platform::AppendedFile file_;
};

class BytesReader final : public faiss::IOReader {
 public:
  explicit BytesReader(std::string_view bytes) : rest_(bytes) {}

  std::size_t operator()(void* data, std::size_t size, std::size_t count) override {
    const std::size_t whole = size == 0 ? 0 : std::min(count, rest_.size() / size);
    if (whole > 0) std::memcpy(data, rest_.data(), whole * size);
    rest_.remove_prefix(whole * size);
    return whole;
  }

 private:
  std::string_view rest_;
};

void write(const fs::path& file, const Rows& rows, const VectorIndexOptions& options) {
  FileWriter writer(file);
  if (index_kind(rows.count(), options) == IndexKind::flat) {
    const std::string header = store::flat_index_header(rows.count(), rows.dimension);
    writer(header.data(), 1, header.size());
    writer(rows.values.data(), sizeof(float), rows.values.size());
  } else {
    const Builder builder(rows, options);
    const bool graph = index_kind(rows.count(), options) == IndexKind::hnsw;
    const std::unique_ptr<faiss::Index> index = graph ? builder.hnsw() : builder.ivf_pq();
    faiss::write_index(index.get(), &writer);
  }
  writer.finish();
}

// FAISS's order among equal scores is no order.
void sort_matches(std::vector<Match>& matches) {
  std::ranges::sort(matches, [](const Match& a, const Match& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; });
}

}  // namespace

std::string_view to_string(IndexKind kind) noexcept {
  switch (kind) {
    case IndexKind::automatic: return "auto";
    case IndexKind::flat: return "flat";
    case IndexKind::hnsw: return "hnsw";
    case IndexKind::ivf_pq: return "ivf_pq";
  }
  return "unknown";
}

IndexKind parse_index_kind(std::string_view name) {
  for (const IndexKind kind : {IndexKind::automatic, IndexKind::flat, IndexKind::hnsw, IndexKind::ivf_pq}) {
    if (to_string(kind) == name) return kind;
  }
  if (name == "ivfpq") return IndexKind::ivf_pq;
  throw Error(Status::invalid_argument, fmt::format("unknown index kind \"{}\"; known: auto, flat, hnsw, ivf_pq", name));
}

IndexKind index_kind(std::size_t rows, const VectorIndexOptions& options) noexcept {
  if (options.kind == IndexKind::ivf_pq) return rows < least_clustered_rows ? IndexKind::flat : IndexKind::ivf_pq;
  if (options.kind != IndexKind::automatic) return options.kind;
  if (rows <= most_flat_rows) return IndexKind::flat;
  return rows <= most_hnsw_rows ? IndexKind::hnsw : IndexKind::ivf_pq;
}

void save_index(const fs::path& file, std::span<const float> vectors, std::size_t dimension, const VectorIndexOptions& options) {
  check(options);
  const Rows rows = checked_rows(vectors, dimension);
  platform::ReplacementFile replacement(file);
  guarded(file, "cannot build the index", [&] { write(replacement.path(), rows, options); });
  replacement.commit();
}

void save_index(const fs::path& file, const Matrix& vectors, const VectorIndexOptions& options) {
  save_index(file, {vectors.data(), vectors.size()}, vectors.shape(1), options);
}

class VectorIndex::Implementation {
 public:
  explicit Implementation(const fs::path& path) : path_(path), mapped_(std::in_place, path) {
    file_ = store::check_faiss_file(mapped_->bytes(), path);
    if (file_.kind == IndexKind::flat) return;
    index_ = guarded(path, "cannot read the index", [&] { return read(); });
    mapped_.reset();  // an ivf_pq index has a mapping of its own
  }

  [[nodiscard]] std::vector<Match> search(std::span<const float> query, std::size_t k, std::size_t effort) const {
    if (query.size() != file_.dimension) {
      throw Error(Status::invalid_argument,
                  fmt::format("the query has {} components, the index {} has {}", query.size(), path_.string(), file_.dimension));
    }
    if (!std::ranges::all_of(query, [](float value) { return std::isfinite(value); }))
      throw Error(Status::invalid_argument, "the query is not a vector of finite numbers");
    k = std::min(k, file_.rows);
    if (k == 0) return {};
    if (file_.kind == IndexKind::flat) {  // FAISS would want its vectors aligned, and in its own memory
      return store::nearest_rows({row_bytes().data(), file_.rows, file_.dimension}, query, k);
    }
    return guarded(path_, "cannot search the index",
                   [&] { return file_.kind == IndexKind::hnsw ? search_graph(query, k, effort) : search_lists(query, k, effort); });
  }

  [[nodiscard]] const store::FaissFile& file() const noexcept { return file_; }
  [[nodiscard]] std::string_view row_bytes() const noexcept {
    return file_.kind == IndexKind::flat ? mapped_->bytes().substr(file_.vectors_offset) : std::string_view();
  }

 private:
  [[nodiscard]] std::unique_ptr<faiss::Index> read() const {
    if (file_.kind == IndexKind::ivf_pq) return read_lists();
    BytesReader reader(mapped_->bytes());
    return std::unique_ptr<faiss::Index>(faiss::read_index(&reader));
  }

  // FAISS opens the file again, to map it: it must be the one that was checked.
  [[nodiscard]] std::unique_ptr<faiss::Index> read_lists() const {
    std::unique_ptr<faiss::Index> index(faiss::read_index(path_.c_str(), faiss::IO_FLAG_MMAP | faiss::IO_FLAG_READ_ONLY));
    auto* const ivf = dynamic_cast<faiss::IndexIVF*>(index.get());
    if (ivf == nullptr || platform::file_identity(path_) != mapped_->identity())
      throw Error(Status::io_error, fmt::format("{} was replaced while it was opened", path_.string()));
    // Threads for each query would cost more than they bring, and queries would wait for one another.
    if (auto* const lists = dynamic_cast<faiss::OnDiskInvertedLists*>(ivf->invlists)) lists->prefetch_nthread = 0;
    return index;
  }

  // FAISS keeps as many candidates as the file says, or as many as are wanted where these are more.
  [[nodiscard]] std::vector<Match> search_graph(std::span<const float> query, std::size_t k, std::size_t effort) const {
    const auto& graph = dynamic_cast<const faiss::IndexHNSW&>(*index_);
    faiss::SearchParametersHNSW parameters;
    const std::size_t wanted = std::min(file_.rows, std::max(k, effort));
    parameters.efSearch = static_cast<int>(effort > 0 ? wanted : std::max(wanted, static_cast<std::size_t>(graph.hnsw.efSearch)));
    std::vector<Match> matches = search_index(query, wanted, parameters);
    matches.resize(std::min(matches.size(), k));
    return matches;
  }

  // Lists that were looked into may have fewer than k rows: then more are.
  [[nodiscard]] std::vector<Match> search_lists(std::span<const float> query, std::size_t k, std::size_t effort) const {
    const auto& ivf = dynamic_cast<const faiss::IndexIVF&>(*index_);
    faiss::SearchParametersIVF parameters;
    parameters.nprobe = std::min(ivf.nlist, effort > 0 ? effort : std::max<std::size_t>(1, ivf.nprobe));
    while (true) {
      std::vector<Match> matches = search_index(query, k, parameters);
      if (matches.size() == k || parameters.nprobe == ivf.nlist) return matches;
      parameters.nprobe = std::min(ivf.nlist, 2 * parameters.nprobe);
    }
  }

  [[nodiscard]] std::vector<Match> search_index(std::span<const float> query, std::size_t k,
                                                const faiss::SearchParameters& parameters) const {
    const store::OpenMpThreads threads(1);  // one query is one piece of work
    std::vector<float> scores(k);
    std::vector<Id> ids(k, -1);
    index_->search(1, query.data(), static_cast<Id>(k), scores.data(), ids.data(), &parameters);
    std::vector<Match> matches;
    matches.reserve(k);
    for (std::size_t i = 0; i < k; ++i) {
      if (ids[i] >= 0 && std::isfinite(scores[i])) matches.push_back({static_cast<std::size_t>(ids[i]), scores[i]});
    }
    sort_matches(matches);
    return matches;
  }

  fs::path path_;
  std::optional<platform::MappedFile> mapped_;
  store::FaissFile file_;
  std::unique_ptr<faiss::Index> index_;
};

VectorIndex::VectorIndex(const fs::path& file) : implementation_(std::make_unique<const Implementation>(file)) {}
VectorIndex::~VectorIndex() = default;
VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex& VectorIndex::operator=(VectorIndex&&) noexcept = default;

std::vector<Match> VectorIndex::search(std::span<const float> query, std::size_t k, std::size_t effort) const {
  return implementation_->search(query, k, effort);
}

std::vector<Match> VectorIndex::search(const Vector& query, std::size_t k, std::size_t effort) const {
  return search(std::span<const float>(query.data(), query.size()), k, effort);
}

IndexKind VectorIndex::kind() const noexcept { return implementation_->file().kind; }
std::size_t VectorIndex::size() const noexcept { return implementation_->file().rows; }
std::size_t VectorIndex::dimension() const noexcept { return implementation_->file().dimension; }

std::string_view VectorIndex::row_bytes() const noexcept { return implementation_->row_bytes(); }

}  // namespace inlay
