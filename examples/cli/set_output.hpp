// The place that a set is written to, and its time.
#pragma once

#include <filesystem>
#include <string>

namespace inlay::cli {

/// Fails before the model is loaded rather than after it: the place's folder must be one that can be written to. Throws Error (io_error).
void check_output(const std::filesystem::path& output);

/// SOURCE_DATE_EPOCH as reproducible-builds.org has it: the time that a result is to bear, so that equal runs give equal bytes; RFC 3339, empty
/// where it is not set. Throws UsageError.
[[nodiscard]] std::string given_time();

}  // namespace inlay::cli
