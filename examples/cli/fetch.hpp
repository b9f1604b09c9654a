// Fetching a model, with progress on standard error, ended cleanly by Ctrl-C.
#pragma once

#include <string>

#include "inlay/hub.hpp"

namespace inlay::cli {

/// Throws Error.
PullResult fetch(const std::string& name, const std::string& revision, bool quiet);

/// Looks for a model that is about to be loaded, so that warnings about it are seen; where `download` says so, fetches what the cache does
/// not have of it. Nothing happens for what cannot be a model's name: loading says why. Throws Error.
void look_for(const std::string& name, const std::string& revision, bool download);

/// "91 MB", "1.34 GB": a million bytes each, as the hub counts.
[[nodiscard]] std::string megabytes(std::uint64_t bytes);

}  // namespace inlay::cli
