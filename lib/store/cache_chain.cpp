#include "store/cache_chain.hpp"

#include <algorithm>

#include "inlay/error.hpp"
#include "store/cache/cache_file.hpp"
#include "store/cache_arguments.hpp"

namespace inlay::store {
namespace {

// Asks a cache for the keys at `missing`, which shrinks to those that it does not know either.
void find_missing(VectorCache& cache, const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors,
                  std::vector<std::size_t>& missing) {
  std::vector<std::string> wanted;
  wanted.reserve(missing.size());
  for (const std::size_t i : missing) wanted.push_back(keys[i]);
  std::vector<float> found(wanted.size() * model.dimension);
  const std::vector<bool> known = cache.find(model, wanted, found);
  std::size_t kept = 0;
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    if (known[w]) {
      const auto row = std::span(found).subspan(w * model.dimension, model.dimension);
      std::ranges::copy(row, vectors.begin() + static_cast<std::ptrdiff_t>(missing[w] * model.dimension));
    } else {
      missing[kept++] = missing[w];
    }
  }
  missing.resize(kept);
}

}  // namespace

CacheChain::CacheChain(std::vector<Link> links) : links_(std::move(links)) {
  if (links_.empty() || std::ranges::any_of(links_, [](const Link& link) { return link.cache == nullptr; })) {
    throw Error(Status::invalid_argument, "a chain of caches needs caches");
  }
}

std::vector<bool> CacheChain::find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) {
  check_find(model, keys, vectors);
  std::vector<bool> known = links_.front().cache->find(model, keys, vectors);
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!known[i]) missing.push_back(i);
  }
  for (std::size_t link = 1; link < links_.size() && !missing.empty(); ++link) {
    if (links_[link].searched) find_missing(*links_[link].cache, model, keys, vectors, missing);
  }
  known.assign(keys.size(), true);
  for (const std::size_t i : missing) known[i] = false;
  hits_ += keys.size() - missing.size();
  misses_ += missing.size();
  return known;
}

void CacheChain::insert(const CacheModel& model, std::span<const CacheEntry> entries) {
  check_insert(model, entries);
  for (const Link& link : links_) {
    if (link.written || &link == &links_.front()) link.cache->insert(model, entries);
  }
  inserted_ += entries.size();
}

void CacheChain::flush() {
  for (const Link& link : links_) link.cache->flush();
}

CacheStatistics CacheChain::statistics() const {
  CacheStatistics all{.kind = CacheKind::other};
  for (const Link& link : links_) {
    const CacheStatistics one = link.cache->statistics();
    if (&link == &links_.front()) {
      all.path = one.path;
      all.persistent = one.persistent;
    }
    all.entries += one.entries;
    all.file_bytes += one.file_bytes;
    all.memory_entries += one.memory_entries;
    all.memory_bytes += one.memory_bytes;
    for (const CacheModelCount& count : one.models) {
      const auto same = std::ranges::find(all.models, count.model, &CacheModelCount::model);
      if (same == all.models.end()) {
        all.models.push_back(count);
      } else {
        same->entries += count.entries;
      }
    }
  }
  all.hits = hits_;
  all.misses = misses_;
  all.inserted = inserted_;
  return all;
}

CacheCheck CacheChain::verify() {
  CacheCheck all;
  for (const Link& link : links_) {
    CacheCheck one = link.cache->verify();
    all.entries += one.entries;
    all.unverifiable += one.unverifiable;
    for (CacheProblem& problem : one.problems) add_problem(all, std::move(problem));
    all.wrong += one.wrong - one.problems.size();
  }
  return all;
}

PruneResult CacheChain::prune(const PruneOptions&) {
  throw Error(Status::unsupported, "several caches that are used as one cannot be pruned as one");
}

void CacheChain::for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const {
  for (std::size_t link = 0; link < links_.size(); ++link) {
    links_[link].cache->for_each([&](const CacheModel& model, const CacheEntry& entry) {
      std::vector<float> vector(model.dimension);
      const auto knows = [&](const Link& earlier) -> bool { return earlier.cache->find(model, {&entry.key, 1}, vector).front(); };
      const bool seen = std::any_of(links_.begin(), links_.begin() + static_cast<std::ptrdiff_t>(link), knows);
      if (!seen) visit(model, entry);
    });
  }
}

}  // namespace inlay::store
