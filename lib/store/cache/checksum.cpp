#include "store/cache/checksum.hpp"

#include <xxhash.h>

namespace inlay::store {

std::uint64_t hash(std::string_view bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t vector_checksum(std::string_view fingerprint, std::string_view key, std::span<const float> vector) noexcept {
  // One after the other, each hash the seed of the next: no two lists of parts give the same bytes.
  const XXH64_hash_t owner = XXH3_64bits_withSeed(key.data(), key.size(), hash(fingerprint));
  return XXH3_64bits_withSeed(vector.data(), vector.size_bytes(), owner);
}

}  // namespace inlay::store
