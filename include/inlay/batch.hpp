// BatchEmbeddingGenerator: the functions and classes of a codebase as vectors, by where they stand. What a cache knows is not computed again;
// one that fails is one entry of the errors, and the others go on.
//
//   inlay::BatchEmbeddingGenerator batch(generator, inlay::TextPreparator{}, inlay::open_cache("~/.cache/inlay/vectors.db"));
//   inlay::BatchResult result = batch.process_functions(functions);
//   std::cout << result.summary.newly_embedded << " new, " << result.summary.cached << " cached\n";
//   for (const auto& [key, message] : result.errors) std::cerr << key << ": " << message << "\n";
//
// An item's key is "file_path:line_number"; in a result the second of several with one key is "file_path:line_number#2", and so on. The
// cache goes by the text that the model sees, not by the key: a function that moved is known, an edited one on the same line is not.
//
// Thread rule: as the generator's. A BatchEmbeddingGenerator is immutable and cheap to copy; any number of threads may call one.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "inlay/code_items.hpp"
#include "inlay/embed_stream.hpp"
#include "inlay/generator.hpp"
#include "inlay/matrix.hpp"
#include "inlay/text_preparator.hpp"
#include "inlay/vector_cache.hpp"

namespace inlay {

using CodeItem = std::variant<Function, Class>;

/// Any callable from an item to the text that the model sees. Called on the calling thread; what it throws fails that item alone.
using CodePreparator = std::function<std::string(const CodeItem&)>;

/// TextPreparator's prepare_function and prepare_class.
[[nodiscard]] CodePreparator code_preparator(TextPreparator preparator);

/// "src/auth.py:12".
[[nodiscard]] std::string location_key(const CodeItem& item);

/// total = success + failed; success = cached + newly_embedded. What a stop left undone counts as failed ("cancelled").
struct BatchSummary {
  std::size_t total = 0;
  std::size_t success = 0;
  std::size_t failed = 0;
  std::size_t cached = 0;  ///< known before, or the same text as another item's of the call
  std::size_t newly_embedded = 0;

  friend bool operator==(const BatchSummary&, const BatchSummary&) = default;
};

struct BatchMetadata {
  std::string model_name{};
  std::string model_version{};  ///< the model's fingerprint, and how long texts are cut (cache_model)
  std::size_t dimensions = 0;
  std::string processed_at{};  ///< RFC 3339, UTC
};

struct BatchResult {
  BatchSummary summary{};
  std::map<std::string, std::optional<Vector>> embeddings{};  ///< by key; nothing for an item that failed
  std::map<std::string, std::string> errors{};                ///< by key, of those that failed: why
  std::map<std::string, ItemReport> cut{};                    ///< by key, of those whose text was truncated
  BatchMetadata metadata{};
};

/// {"summary": {"total", "success", "failed", "cached", "newly_embedded"}, "embeddings": {key: [numbers] or null}, "errors": {key: message},
/// "metadata": {"model_name", "model_version", "dimensions", "processed_at"}}. Numbers are as short as gives the same float32 back.
[[nodiscard]] std::string to_json(const BatchResult& result);

/// One item of a stream and what became of it.
struct BatchedItem {
  std::string key{};
  CodeItem item{};
  ItemReport report{};
  std::span<const float> vector{};  ///< valid during the call; empty where the status is not ok
  bool cached = false;
};

/// A row for a vector database, one JSON object: {"id": key, "vector": [numbers], "kind": "function" or "class", "file_path", "line_number",
/// "name", "class_name", "language", "docstring", "source_code"}. Every row has every field, so that a table's columns can be told from the
/// first. Throws Error (invalid_argument) for an item without a vector.
[[nodiscard]] std::string to_json_row(const BatchedItem& item);

/// The rows of a call's items that have a vector, as one JSON array. `items` are those of the call, in its order.
[[nodiscard]] std::string to_json_rows(const BatchResult& result, std::span<const CodeItem> items);

struct BatchOptions {
  std::size_t max_memory = std::size_t{64} << 20;          ///< bytes of items in flight (StreamOptions::max_memory)
  LongTextOptions long_text{.policy = LongText::average};  ///< what becomes of a text that the model cannot see whole
  std::size_t total = 0;                               ///< items that will come, for Progress; 0: those of the call, where they are known
  std::stop_token stop{};                              ///< ends the call soon; what was done is in the cache
  std::function<void(const Progress&)> on_progress{};  ///< on the calling thread, after batches end
};

class BatchEmbeddingGenerator {
 public:
  /// Without a cache vectors are kept in memory between calls (open_cache("memory:")).
  BatchEmbeddingGenerator(EmbeddingGenerator generator, TextPreparator preparator = {}, std::shared_ptr<VectorCache> cache = {});
  BatchEmbeddingGenerator(EmbeddingGenerator generator, CodePreparator preparator, std::shared_ptr<VectorCache> cache = {});

  /// Throw Error for what concerns the whole call (embed_stream). An item without file_path, or with neither name nor source_code, fails.
  [[nodiscard]] BatchResult process_functions(std::span<const Function> functions, const BatchOptions& options = {}) const;
  [[nodiscard]] BatchResult process_classes(std::span<const Class> classes, const BatchOptions& options = {}) const;
  [[nodiscard]] BatchResult process_batch(std::span<const CodeItem> items, const BatchOptions& options = {}) const;

  /// Any number of items, in bounded memory: the sink gets them in the source's order, with location_key as their keys. Source and sink are
  /// called on the calling thread; what the source throws comes out once the items before are done, what the sink throws at once.
  BatchSummary process_stream(const std::function<std::optional<CodeItem>()>& source, const std::function<void(const BatchedItem&)>& sink,
                              const BatchOptions& options = {}) const;

  [[nodiscard]] const EmbeddingGenerator& generator() const noexcept { return generator_; }
  [[nodiscard]] VectorCache& cache() const noexcept { return *cache_; }

 private:
  EmbeddingGenerator generator_;
  CodePreparator preparator_;
  std::shared_ptr<VectorCache> cache_;
};

}  // namespace inlay
