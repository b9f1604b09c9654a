// What VectorCache's functions refuse, for implementations of it.
#pragma once

#include <span>
#include <string>

#include "inlay/vector_cache.hpp"

namespace inlay::store {

/// All throw Error (invalid_argument) as VectorCache's functions are documented to.
void check_model(const CacheModel& model);
void check_find(const CacheModel& model, std::span<const std::string> keys, std::span<const float> vectors);
void check_insert(const CacheModel& model, std::span<const CacheEntry> entries);

}  // namespace inlay::store
