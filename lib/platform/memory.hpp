// This process's memory, and large pieces of it.
#pragma once

#include <cstddef>
#include <memory>

namespace inlay::platform {

[[nodiscard]] std::size_t resident_bytes() noexcept;       ///< now
[[nodiscard]] std::size_t peak_resident_bytes() noexcept;  ///< the most that it ever was

/// Gives freed memory that the C library keeps for reuse back to the system.
void release_free_memory() noexcept;

/// Zeroed memory that is not resident before it is written, in huge pages where the system has them: for what is large, written once and read
/// often. Throws std::bad_alloc.
[[nodiscard]] std::shared_ptr<std::byte> allocate_large(std::size_t bytes);

}  // namespace inlay::platform
