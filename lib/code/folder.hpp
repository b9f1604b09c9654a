// The files of a folder as documents.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "inlay/corpus.hpp"

namespace inlay::code {

/// One document a file, in the order of the paths' bytes; see read_corpus. Throws Error (io_error) when the folder itself cannot be read.
[[nodiscard]] std::vector<Document> read_folder(const std::filesystem::path& folder, const CorpusOptions& options);

/// A file's content as one document that knows its kind by its name.
[[nodiscard]] Document file_document(std::string bytes, const std::string& file_path);

}  // namespace inlay::code
