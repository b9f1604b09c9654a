// Making room for a new file without losing what was there.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace inlay::store {

/// Moves "x.db" to the first name of "x.db.REASON-1", "x.db.REASON-2" … that is free, and "x.db" + suffix, where there is one, to that name +
/// suffix; returns the name. The caller keeps others out meanwhile. Throws Error (io_error).
std::filesystem::path move_aside(const std::filesystem::path& path, std::string_view reason,
                                 std::span<const std::string_view> suffixes = {});

/// The same for a file that is about to be replaced: it keeps its own name as well, so that there is no moment without it.
std::filesystem::path link_aside(const std::filesystem::path& path, std::string_view reason);

}  // namespace inlay::store
