// What a stored vector is checked by.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace inlay::store {

/// XXH3, 64 bits, of all that a find depends on: a vector that has come under another key or another model is found out as well.
[[nodiscard]] std::uint64_t vector_checksum(std::string_view fingerprint, std::string_view key, std::span<const float> vector) noexcept;

/// XXH3, 64 bits, of a few bytes.
[[nodiscard]] std::uint64_t hash(std::string_view bytes) noexcept;

}  // namespace inlay::store
