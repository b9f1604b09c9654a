// Entries for the tests of caches, whose vectors follow from their keys: a wrong one is known wherever it turns up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <inlay/embedding_set.hpp>
#include <inlay/vector_cache.hpp>
#include <string>
#include <vector>

namespace inlay::test {

inline CacheModel cache_test_model(std::size_t dimension = 8, const std::string& fingerprint = "fingerprint-a") {
  return {"test-model", fingerprint, dimension};
}

/// The vector that belongs to a key of a model.
inline std::vector<float> cache_vector(const CacheModel& model, const std::string& key) {
  std::uint64_t state = model.fingerprint.size();
  for (const char c : key) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3;  // FNV-1a
  std::vector<float> vector(model.dimension);
  for (float& value : vector) {
    state = state * 6364136223846793005 + 1442695040888963407;  // Knuth's generator
    value = static_cast<float>(static_cast<std::int32_t>(state >> 32)) / 2147483648.0F;
  }
  return vector;
}

inline std::string cache_key(std::size_t number) { return content_key("text " + std::to_string(number)); }

inline CacheEntry cache_entry(const CacheModel& model, std::size_t number) {
  const std::string key = cache_key(number);
  return {key, "src/file.py:" + std::to_string(number), "function_" + std::to_string(number), cache_vector(model, key)};
}

inline std::vector<CacheEntry> cache_entries(const CacheModel& model, std::size_t first, std::size_t count) {
  std::vector<CacheEntry> entries;
  for (std::size_t i = first; i < first + count; ++i) entries.push_back(cache_entry(model, i));
  return entries;
}

struct CacheLookup {
  std::size_t found = 0;
  std::size_t wrong = 0;  ///< rows that are neither their key's vector nor, where it is not known, what they were
};

inline CacheLookup look_up_entries(VectorCache& cache, const CacheModel& model, std::size_t first, std::size_t count) {
  std::vector<std::string> keys;
  for (std::size_t i = first; i < first + count; ++i) keys.push_back(cache_key(i));
  std::vector<float> vectors(count * model.dimension, -7);
  const std::vector<bool> known = cache.find(model, keys, vectors);
  CacheLookup lookup;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<float> expected = known[i] ? cache_vector(model, keys[i]) : std::vector<float>(model.dimension, -7);
    if (!std::equal(expected.begin(), expected.end(), vectors.begin() + static_cast<std::ptrdiff_t>(i * model.dimension))) ++lookup.wrong;
    if (known[i]) ++lookup.found;
  }
  return lookup;
}

}  // namespace inlay::test
