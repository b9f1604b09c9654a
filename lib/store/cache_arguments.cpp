#include "store/cache_arguments.hpp"

#include <fmt/format.h>

#include "inlay/error.hpp"
#include "store/cache/limits.hpp"
#include "text/utf8.hpp"

namespace inlay::store {

void check_model(const CacheModel& model) {
  if (!model.fingerprint.empty() && text::is_valid_utf8(model.fingerprint) && model.dimension != 0 && model.dimension <= most_dimensions) {
    return;
  }
  throw Error(Status::invalid_argument, fmt::format("a cache for the model \"{}\" with the fingerprint \"{}\" and {} dimensions",
                                                    model.name, model.fingerprint, model.dimension));
}

void check_find(const CacheModel& model, std::span<const std::string> keys, std::span<const float> vectors) {
  check_model(model);
  if (vectors.size() / model.dimension == keys.size() && vectors.size() % model.dimension == 0) return;
  throw Error(Status::invalid_argument, fmt::format("{} numbers of room for the vectors of {} keys, of {} components each", vectors.size(),
                                                    keys.size(), model.dimension));
}

void check_insert(const CacheModel& model, std::span<const CacheEntry> entries) {
  check_model(model);
  for (const CacheEntry& entry : entries) {
    if (entry.vector.size() != model.dimension) {
      throw Error(Status::invalid_argument,
                  fmt::format("the vector of the key {} has {} components, not {}", entry.key, entry.vector.size(), model.dimension));
    }
    if (entry.key.empty() || entry.key.size() > most_key_bytes || !text::is_valid_utf8(entry.key)) {
      throw Error(Status::invalid_argument,
                  fmt::format("a key of {} bytes, which is not UTF-8 of 1 to {} bytes", entry.key.size(), most_key_bytes));
    }
  }
}

}  // namespace inlay::store
