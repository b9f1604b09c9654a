// huggingface_hub's cache, read:
//
//   CACHE/models--ORGANISATION--NAME/refs/REVISION            the commit that a branch or tag stands for
//   CACHE/models--ORGANISATION--NAME/snapshots/COMMIT/FILE    a relative symbolic link to
//   CACHE/models--ORGANISATION--NAME/blobs/ETAG               the bytes (or, since its version 2, a link into CACHE/blobs)
//   CACHE/models--ORGANISATION--NAME/trees/COMMIT.json        the files that the hub has of the commit, where huggingface_hub asked for them
//   CACHE/models--ORGANISATION--NAME/trees/COMMIT.txt         the same as pull_model learned it: our own, a name a line
//   CACHE/.locks/models--ORGANISATION--NAME/ETAG.lock         flock(2): held while the blob is being fetched
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model/hub/needed_files.hpp"

namespace inlay::model::hub {

/// The folder's name of a repository: "a/b" gives "models--a--b".
[[nodiscard]] std::string repository_folder(std::string_view name);

/// The commit that the cache knows for this revision; nothing where it knows none.
[[nodiscard]] std::optional<std::string> cached_commit(const std::filesystem::path& repository, std::string_view revision);

/// Remembers which files the hub has of a commit, by which a snapshot is known to be whole. Throws Error (io_error).
void remember_files(const std::filesystem::path& repository, std::string_view commit, const FileList& files);

/// What EmbeddingGenerator::load is given, as a path to read from. `model` itself where it exists; the cache's folder of the model with
/// that name; after a download, where that is allowed. Throws Error: not_found, with what helps; and what pull_model throws.
[[nodiscard]] std::filesystem::path locate(const std::filesystem::path& model, std::string_view revision, bool allow_download);

/// The hub's name of the model in this folder, where the folder is a snapshot of the cache: its own name is a commit.
[[nodiscard]] std::optional<std::string> name_of_snapshot(const std::filesystem::path& folder);

}  // namespace inlay::model::hub
