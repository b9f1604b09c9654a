#include "store/cache/layered_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "platform/log.hpp"
#include "store/cache/limits.hpp"
#include "store/cache_arguments.hpp"
#include "text/utf8.hpp"

namespace inlay::store {
namespace {

constexpr std::size_t entry_bytes = 1024;      // beside the vector, generously
constexpr std::chrono::seconds read_again(1);  // after trouble
constexpr std::chrono::seconds write_again(10);
constexpr std::chrono::milliseconds longest_patience = std::chrono::hours(24);
constexpr std::chrono::milliseconds short_patience(100);  // with a file that was busy for the whole of the time before

// A label as it can be kept; empty where it is fine as it is.
std::string repaired(std::string_view label) {
  if (label.size() <= most_label_bytes && text::is_valid_utf8(label)) return {};
  std::string text = text::repair_utf8(label.substr(0, most_label_bytes + 4)).text;  // 4: a character that is cut here is cut below
  if (text.size() <= most_label_bytes) return text;
  std::size_t end = most_label_bytes;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

bool is_finite(std::span<const float> vector) {
  return std::ranges::all_of(vector, [](float value) { return std::isfinite(value); });
}

}  // namespace

LayeredCache::LayeredCache(const CacheOptions& options, const MakeFile& make_file)
    : options_{options.memory_bytes, std::clamp(options.busy_timeout, std::chrono::milliseconds(0), longest_patience)},
      memory_(options.memory_bytes),
      file_(make_file ? make_file(warnings_) : nullptr),
      persistent_(file_ != nullptr) {}

LayeredCache::~LayeredCache() {
  try {
    flush();
    if (const std::size_t lost = memory_.waiting_entries(); lost > 0) {
      platform::log(LogLevel::warning,
                    fmt::format("the vector cache {} could not be written: {} vectors are lost", file_->path().string(), lost));
    }
  } catch (const std::exception&) {  // want of memory; a cache need not be whole
  }
}

void LayeredCache::tell(const Error& error) const {
  const auto* failure = dynamic_cast<const CacheFailure*>(&error);
  if (failure != nullptr && failure->trouble() == Trouble::busy) {
    platform::log(LogLevel::debug, error.what());
  } else {
    warnings_.once(error.what(), fmt::format("{}; going on in memory", error.what()));
  }
}

std::vector<bool> LayeredCache::find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) {
  check_find(model, keys, vectors);
  std::vector<bool> known(keys.size());
  memory_.find(model, keys, vectors, known);
  if (file_ != nullptr && std::ranges::find(known, false) != known.end()) find_in_file(model, keys, vectors, known);
  const auto hits = static_cast<std::uint64_t>(std::ranges::count(known, true));
  hits_ += hits;
  misses_ += known.size() - hits;
  return known;
}

void LayeredCache::find_in_file(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors,
                                std::vector<bool>& known) {
  const std::lock_guard lock(file_mutex_);
  if (Clock::now() < next_read_) return;
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!known[i]) wanted.push_back(i);
  }
  const auto now = Clock::now();
  try {
    file_->find(model, keys, wanted, [&](std::size_t i, std::span<const float> vector) {
      std::ranges::copy(vector, vectors.begin() + static_cast<std::ptrdiff_t>(i * model.dimension));
      known[i] = true;
      memory_.add({&model, keys[i], {}, {}, vector, {}, now}, Place::in_file);
    });
  } catch (const Error& error) {
    tell(error);
    next_read_ = Clock::now() + read_again;
  }
}

void LayeredCache::insert(const CacheModel& model, std::span<const CacheEntry> entries) {
  check_insert(model, entries);
  if (entries.empty()) return;

  const CacheModel clean_model{text::repair_utf8(model.name).text, model.fingerprint, model.dimension};
  const Timestamp now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto inserted = Clock::now();
  std::vector<std::string> repairs;  // what the views of labels and names go into, where they can't be kept as they are
  repairs.reserve(2 * entries.size());
  const auto kept = [&repairs](const std::string& label) -> std::string_view {
    std::string text = repaired(label);
    return text.empty() ? label : repairs.emplace_back(std::move(text));
  };
  std::vector<Pending> pending;
  pending.reserve(entries.size());
  for (const CacheEntry& entry : entries) {
    if (!is_finite(entry.vector)) continue;
    const bool has_time = entry.created != std::chrono::system_clock::time_point();
    pending.push_back({&clean_model, entry.key, kept(entry.label), kept(entry.name), entry.vector,
                       has_time ? clamped(std::chrono::floor<std::chrono::milliseconds>(entry.created)) : clamped(now), inserted});
  }

  const std::lock_guard lock(file_mutex_);
  if (pending.size() < entries.size()) {
    warnings_.once("numbers", fmt::format("{} of {} vectors are not of finite numbers and not kept in the cache",
                                          entries.size() - pending.size(), entries.size()));
  }
  inserted_ += pending.size();
  if (pending.empty()) return;
  if (file_ == nullptr || !file_->takes(clean_model)) {
    refused_ = file_ != nullptr;
    keep(pending, Place::nowhere);
  } else {
    // What a file collects must not be lost to the bound of the memory.
    const std::size_t size = pending.size() * (model.dimension * sizeof(float) + entry_bytes);
    const bool is_time = file_->due() || memory_.waiting_bytes() + size > memory_.most_bytes() / 2;
    const bool written = is_time && Clock::now() >= next_write_ && write(pending);
    keep(pending, written ? Place::in_file : Place::waiting);
  }
}

bool LayeredCache::write(std::span<const Pending> entries) {
  std::vector<Pending> all = memory_.waiting();
  all.insert(all.end(), entries.begin(), entries.end());
  if (all.empty()) return true;
  try {
    file_->write(all, was_busy_ ? std::min(short_patience, options_.busy_timeout) : options_.busy_timeout);
  } catch (const Error& error) {
    tell(error);
    const auto* failure = dynamic_cast<const CacheFailure*>(&error);
    was_busy_ = failure != nullptr && failure->trouble() == Trouble::busy;
    if (!was_busy_) {
      persistent_ = false;
      next_write_ = Clock::now() + write_again;
    }
    return false;
  }
  memory_.written();
  was_busy_ = false;
  persistent_ = true;
  next_read_ = next_write_ = {};
  return true;
}

void LayeredCache::keep(std::span<const Pending> entries, Place place) {
  std::size_t lost = 0;
  for (const Pending& entry : entries) lost += memory_.add(entry, place);
  if (lost > 0) {
    warnings_.once("lost",
                   fmt::format("the vector cache {} cannot be written, and more waits for it than {} bytes of memory hold: the oldest "
                               "vectors are dropped",
                               file_->path().string(), memory_.most_bytes()));
  }
}

bool LayeredCache::write_waiting() { return memory_.waiting_entries() == 0 || write({}); }

void LayeredCache::flush() {
  const std::lock_guard lock(file_mutex_);
  if (file_ == nullptr) return;
  if (!write_waiting()) persistent_ = false;
  try {
    file_->flush();
  } catch (const Error& error) {
    tell(error);
    persistent_ = false;
  }
}

CacheStatistics LayeredCache::statistics() const {
  CacheStatistics statistics;
  const std::lock_guard lock(file_mutex_);
  if (file_ != nullptr) {
    statistics.kind = file_->kind();
    statistics.path = file_->path();
    statistics.file_bytes = file_->bytes();
    try {
      statistics.models = file_->models();
    } catch (const Error& error) {
      tell(error);
    }
  } else {
    statistics.kind = CacheKind::memory;
    for (const Kept& kept : memory_.unwritten()) {
      if (statistics.models.empty() || statistics.models.back().model != *kept.model) {
        const auto known = std::ranges::find(statistics.models, *kept.model, &CacheModelCount::model);
        if (known != statistics.models.end()) {
          ++known->entries;
          continue;
        }
        statistics.models.push_back({*kept.model, 0});
      }
      ++statistics.models.back().entries;
    }
  }
  for (const CacheModelCount& model : statistics.models) statistics.entries += model.entries;
  statistics.entries += memory_.waiting_entries();
  statistics.persistent = persistent_ && !refused_;
  statistics.memory_entries = memory_.entries();
  statistics.memory_bytes = memory_.bytes();
  statistics.hits = hits_;
  statistics.misses = misses_;
  statistics.inserted = inserted_;
  return statistics;
}

CacheCheck LayeredCache::verify() {
  const std::lock_guard lock(file_mutex_);
  if (file_ != nullptr) {
    static_cast<void>(write_waiting());
    return file_->verify();
  }
  CacheCheck check;
  check.entries = memory_.entries();
  return check;
}

PruneResult LayeredCache::prune(const PruneOptions& options) {
  const std::lock_guard lock(file_mutex_);
  if (file_ == nullptr) {
    PruneResult result;
    result.bytes_before = memory_.bytes();
    result.removed = prune_memory(options);
    result.kept = memory_.entries();
    result.bytes_after = memory_.bytes();
    return result;
  }
  static_cast<void>(write_waiting());
  PruneResult result = file_->prune(options);
  memory_.drop_written();
  if (!write_waiting()) result.removed += prune_memory(options);  // there may be room now; what still waits stays
  return result;
}

std::size_t LayeredCache::prune_memory(const PruneOptions& options) {
  const auto is_old = [&](const Pending& entry) {
    return (options.created_before && entry.created < *options.created_before) ||
           (options.keep_fingerprint && entry.model->fingerprint != *options.keep_fingerprint) ||
           (options.drop_fingerprint && entry.model->fingerprint == *options.drop_fingerprint);
  };
  std::size_t removed = memory_.remove_if(is_old);
  if (options.max_entries && memory_.entries() > *options.max_entries) {
    std::size_t excess = memory_.entries() - *options.max_entries;
    removed += memory_.remove_if([&excess](const Pending&) { return excess > 0 && excess-- > 0; });
  }
  while (options.max_bytes && memory_.bytes() > *options.max_bytes) {
    const std::size_t share = memory_.entries() * *options.max_bytes / memory_.bytes();
    removed += prune_memory({.max_entries = std::min(share, memory_.entries() - 1)});
  }
  return removed;
}

void LayeredCache::for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const {
  // The lock is held for a few entries at a time: the visitor may call the cache.
  std::unique_ptr<Cursor> cursor;
  std::vector<Kept> entries;
  {
    const std::lock_guard lock(file_mutex_);
    if (file_ != nullptr) cursor = file_->entries();
  }
  while (cursor != nullptr) {
    {
      const std::lock_guard lock(file_mutex_);
      entries = cursor->next();
    }
    if (entries.empty()) break;
    for (const Kept& kept : entries) visit(*kept.model, kept.entry);
  }
  {
    const std::lock_guard lock(file_mutex_);
    entries = memory_.unwritten();
  }
  for (const Kept& kept : entries) visit(*kept.model, kept.entry);
}

}  // namespace inlay::store
