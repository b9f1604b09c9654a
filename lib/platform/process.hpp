// The process itself.
#pragma once

#include <cstdint>

namespace inlay::platform {

/// Differs between a process and the children that it forks.
[[nodiscard]] std::uint64_t process_id() noexcept;

}  // namespace inlay::platform
