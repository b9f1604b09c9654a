#include "inlay/vector_cache.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"

namespace inlay {
namespace {

constexpr std::size_t entries_at_a_time = 1000;
constexpr std::size_t bytes_at_a_time = std::size_t{16} << 20;

// A JSON file is of one model.
void check_models(const VectorCache& from, const CacheStatistics& to, std::string_view fingerprint) {
  if (to.kind != CacheKind::json) return;
  std::vector<CacheModel> models;
  for (const CacheModelCount& count : to.models) models.push_back(count.model);
  for (const CacheModelCount& count : from.statistics().models) {
    if (fingerprint.empty() || count.model.fingerprint == fingerprint) models.push_back(count.model);
  }
  for (const CacheModel& model : models) {
    if (model.fingerprint == models.front().fingerprint && model.dimension == models.front().dimension) continue;
    throw Error(Status::invalid_argument,
                fmt::format("the vector cache {} can hold one model's vectors, not those of {} (fingerprint {}) and {} (fingerprint {})",
                            to.path.string(), models.front().name, models.front().fingerprint, model.name, model.fingerprint));
  }
}

// Collects entries of one model, to be inserted together.
class Batch {
 public:
  explicit Batch(VectorCache& cache) : cache_(cache) {}

  void add(const CacheModel& model, const CacheEntry& entry) {
    if (model != model_) hand_over();
    model_ = model;
    bytes_ += entry.vector.size() * sizeof(float);
    entries_.push_back(entry);
    if (entries_.size() == entries_at_a_time || bytes_ >= bytes_at_a_time) hand_over();
  }
  void hand_over() {
    if (!entries_.empty()) cache_.insert(model_, entries_);
    count_ += entries_.size();
    entries_.clear();
    bytes_ = 0;
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

 private:
  VectorCache& cache_;
  CacheModel model_;
  std::vector<CacheEntry> entries_;
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

VectorCache::~VectorCache() = default;

CacheModel cache_model(const ModelInfo& model, const LongTextOptions& long_text) {
  CacheModel known{model.name, model.fingerprint, model.dimension};
  if (long_text.policy == LongText::average) {
    const std::size_t most = model.max_sequence_length;
    const std::size_t chunk_size = long_text.chunk_size == 0 ? most : std::min(long_text.chunk_size, most);
    known.fingerprint += fmt::format("+average({},{})", chunk_size, long_text.chunk_overlap);
  }
  if (long_text.policy == LongText::error) known.fingerprint += "+whole";
  return known;
}

std::string_view to_string(CacheKind kind) noexcept {
  switch (kind) {
    case CacheKind::memory: return "memory";
    case CacheKind::sqlite: return "sqlite";
    case CacheKind::json: return "json";
    case CacheKind::other: break;
  }
  return "other";
}

std::size_t copy_cache(const VectorCache& from, VectorCache& to, std::string_view fingerprint) {
  const CacheStatistics target = to.statistics();
  if (&from == &to || (!target.path.empty() && target.path == from.statistics().path)) {
    throw Error(Status::invalid_argument, fmt::format("a vector cache cannot be copied into itself ({})", target.path.string()));
  }
  check_models(from, target, fingerprint);
  Batch batch(to);
  from.for_each([&](const CacheModel& model, const CacheEntry& entry) {
    if (fingerprint.empty() || model.fingerprint == fingerprint) batch.add(model, entry);
  });
  batch.hand_over();
  to.flush();
  if (!target.path.empty() && !to.statistics().persistent) {
    throw Error(Status::io_error, fmt::format("the vector cache {} could not be written", target.path.string()));
  }
  return batch.count();
}

}  // namespace inlay
