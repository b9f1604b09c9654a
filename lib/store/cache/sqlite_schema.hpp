// The schema of a cache in SQLite, and how files that have another are told.
#pragma once

#include "store/cache/sqlite.hpp"

namespace inlay::store {

/// Whether the file holds our schema; false for a database without anything in it. To be asked in a transaction. Throws CacheFailure: foreign
/// for a newer schema and for a database of another program, damaged.
[[nodiscard]] bool has_schema(Connection& connection, const std::filesystem::path& path);

/// Puts the schema into an empty database, unless another process does meanwhile.
void create_schema(Connection& connection, const std::filesystem::path& path, std::chrono::milliseconds patience);

/// The settings that each connection needs.
void configure(Connection& connection);

}  // namespace inlay::store
