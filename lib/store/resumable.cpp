#include "inlay/resumable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"
#include "platform/log.hpp"
#include "store/file_store.hpp"
#include "store/set_cache.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;

using Found = std::function<void(std::size_t index, std::span<const float> vector)>;

// Whether a model's vectors count: with what became of long texts behind it, or without.
bool is_wanted(std::string_view fingerprint, const CompletedOptions& options) {
  const std::string& wanted = options.fingerprint;
  return wanted.empty() || fingerprint == wanted || (fingerprint.starts_with(wanted) && fingerprint[wanted.size()] == '+');
}

void find_in_set(std::span<const std::string> texts, const fs::path& folder, const CompletedOptions& options, const Found& found) {
  constexpr std::size_t at_a_time = 256;
  const auto set = store::SetCache::open(folder);
  const CacheModel& model = set->model();
  if (set->statistics().entries == 0 || !is_wanted(model.fingerprint, options)) return;
  std::vector<float> vectors(at_a_time * model.dimension);
  std::vector<std::string> keys;
  for (std::size_t first = 0; first < texts.size(); first += keys.size()) {
    keys.clear();
    for (std::size_t i = first; i < texts.size() && keys.size() < at_a_time; ++i) keys.push_back(content_key(options.prompt + texts[i]));
    const std::vector<bool> known = set->find(model, keys, std::span(vectors).first(keys.size() * model.dimension));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (known[i]) found(first + i, std::span(vectors).subspan(i * model.dimension, model.dimension));
    }
  }
}

// Calls found with each text that the store has a vector of.
void find_completed(std::span<const std::string> texts, const fs::path& folder, const CompletedOptions& options, const Found& found) {
  try {
    if (is_embedding_set(folder)) return find_in_set(texts, folder, options, found);
    if (!store::is_file_store(folder)) return;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto stored = store::read_stored_vector(folder, content_key(options.prompt + texts[i]));
      if (stored && is_wanted(stored->fingerprint, options)) found(i, stored->vector);
    }
  } catch (const Error& error) {
    platform::log(LogLevel::warning, fmt::format("{}; what cannot be read counts as not done", error.what()));
  }
}

}  // namespace

std::vector<std::string> remove_completed_texts(std::vector<std::string> texts, const fs::path& store, const CompletedOptions& options) {
  std::vector<bool> completed(texts.size());
  find_completed(texts, store, options, [&](std::size_t index, std::span<const float>) { completed[index] = true; });
  std::vector<std::string> left;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!completed[i]) left.push_back(std::move(texts[i]));
  }
  return left;
}

std::map<std::string, std::optional<Vector>> load_average_embeddings_with_fallback(std::span<const std::string> texts,
                                                                                   const fs::path& store, const CompletedOptions& options) {
  std::map<std::string, std::optional<Vector>> vectors;
  for (const std::string& text : texts) vectors.emplace(text, std::nullopt);
  find_completed(texts, store, options, [&](std::size_t index, std::span<const float> found) {
    Vector vector = Vector::from_shape({found.size()});
    std::ranges::copy(found, vector.begin());
    vectors[texts[index]] = std::move(vector);
  });
  return vectors;
}

}  // namespace inlay
