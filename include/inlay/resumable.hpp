// What an earlier run has done already, by text: of an embedding set, or of a folder of readable files (`inlay embed --store files`).
//
//   texts = inlay::remove_completed_texts(std::move(texts), "corpus.files");        // what is left to embed
//   for (auto& [text, vector] : inlay::load_average_embeddings_with_fallback(texts, "corpus.files")) if (vector) ...
//
// A folder of readable files holds embeddings_index.json, {text_id: {"text" or "preview", "label", "name", "file", "status": "completed" or
// "failed", "error", "model_name", "model_version", "dimensions"}}, and embeddings_data/TEXT_ID.json, one file a text with its "embedding".
// The text_id is the content_key (embedding_set.hpp) of the text that the model saw, model_version the fingerprint of cache_model (vector_cache.hpp).
//
// Thread rule: any thread, also while a run writes to the store.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "inlay/matrix.hpp"

namespace inlay {

struct CompletedOptions {
  /// Only vectors of this model count: ModelInfo::fingerprint, or cache_model(…).fingerprint where it matters what became of long texts.
  /// Empty: those of whichever model made them.
  std::string fingerprint{};
  std::string prompt{};  ///< what the model sees in front of each text
};

/// The texts of which the store has no vector, in their order. A store that is not there has none; what is damaged counts as not done, and
/// is told as a warning (log.hpp). Texts as the model saw them, but for the prompt. Rows of a set that have no key are not found.
[[nodiscard]] std::vector<std::string> remove_completed_texts(std::vector<std::string> texts, const std::filesystem::path& store,
                                                              const CompletedOptions& options = {});

/// Of each text its vector, which for a text that was embedded in chunks is their average, or nothing where the store has none: as above.
[[nodiscard]] std::map<std::string, std::optional<Vector>> load_average_embeddings_with_fallback(std::span<const std::string> texts,
                                                                                                 const std::filesystem::path& store,
                                                                                                 const CompletedOptions& options = {});

}  // namespace inlay
