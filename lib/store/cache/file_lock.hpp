// Waiting for a lock between processes.
#pragma once

#include <chrono>
#include <filesystem>

#include "platform/files.hpp"

namespace inlay::store {

/// Locks ".NAME.lock" beside the file. Throws CacheFailure (busy) when others hold it for longer than `patience`; Error (io_error) when it
/// cannot be made.
[[nodiscard]] platform::FileLock lock_file(const std::filesystem::path& path, std::chrono::milliseconds patience);

}  // namespace inlay::store
