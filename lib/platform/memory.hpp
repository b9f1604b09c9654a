// This process's memory.
#pragma once

#include <cstddef>

namespace inlay::platform {

[[nodiscard]] std::size_t resident_bytes() noexcept;       ///< now
[[nodiscard]] std::size_t peak_resident_bytes() noexcept;  ///< the most that it ever was

/// Gives freed memory that the C library keeps for reuse back to the system.
void release_free_memory() noexcept;

}  // namespace inlay::platform
