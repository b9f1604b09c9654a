// Fetching a model, with progress on standard error, ended cleanly by Ctrl-C.
#pragma once

#include <string>

#include "inlay/hub.hpp"

namespace inlay::cli {

/// Throws Error.
PullResult fetch(const std::string& name, const std::string& revision, bool quiet);

/// Where the cache does not have it.
void fetch_if_missing(const std::string& name, const std::string& revision);

/// "91 MB", "1.34 GB": a million bytes each, as the hub counts.
[[nodiscard]] std::string megabytes(std::uint64_t bytes);

}  // namespace inlay::cli
