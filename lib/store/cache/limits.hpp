// What vector_cache.hpp says of how large things may be.
#pragma once

#include <cstddef>

namespace inlay::store {

constexpr std::size_t most_dimensions = std::size_t{1} << 20;
constexpr std::size_t most_key_bytes = 1024;
constexpr std::size_t most_label_bytes = 65'536;

}  // namespace inlay::store
