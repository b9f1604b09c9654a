// The process itself.
#pragma once

#include <cstdint>
#include <filesystem>

namespace inlay::platform {

/// Differs between a process and the children that it forks.
[[nodiscard]] std::uint64_t process_id() noexcept;

/// The user's: HOME, else what the system knows of the user; empty where neither says. Throws std::bad_alloc.
[[nodiscard]] std::filesystem::path home_folder();

}  // namespace inlay::platform
