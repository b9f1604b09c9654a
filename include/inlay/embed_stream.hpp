// embed_stream: texts from a source into a sink, in their order and in bounded memory. For what doesn't fit into memory, or takes hours.
//
//   std::ifstream lines("texts.txt");
//   const auto source = [&]() -> std::optional<inlay::StreamText> {
//     inlay::StreamText next;
//     if (!std::getline(lines, next.text)) return std::nullopt;
//     return next;
//   };
//   const auto sink = [&](const inlay::StreamedVector& item) { write(item.vector); };
//   inlay::StreamSummary summary = inlay::embed_stream(generator, source, sink, {.cache = inlay::open_cache("vectors.db")});
//
// Texts are read into a window of bounded size; while one window is encoded (longest texts first, as all calls do) the next is read, looked
// up in the cache and tokenised, and the one before goes to the sink. A text that the cache knows is not encoded, nor is one that equals
// another on its way. Vectors are handed to the cache batch by batch as they come, not when they leave: whatever happens, the next run
// finds all but the batches that were being encoded. When a stream returns or throws, nothing of it runs on.
//
// Thread rule: source, sink and on_progress are called on the calling thread alone, one at a time; the cache from the generator's
// threads, too. Any number of streams may share one generator and one cache. Not from the generator's own callbacks.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "inlay/generator.hpp"
#include "inlay/options.hpp"
#include "inlay/vector_cache.hpp"

namespace inlay {

/// One text on its way in.
struct StreamText {
  std::string text{};      ///< as the model is to see it; the model's document prompt, if any, is put in front
  std::string label{};     ///< where it stands, for the cache: "src/auth.py:12"
  std::string name{};      ///< of the function or class, likewise
  std::string language{};  ///< for the cuts of a long text (LongTextOptions)
  std::string error{};     ///< not empty: there is no text, and this is why; the item fails with it (invalid_argument)
  std::size_t held = 0;    ///< bytes that the source holds for this item until the sink has it; they count as the text's do
};

/// What became of it.
struct StreamedVector {
  std::size_t index = 0;            ///< in the source's order, from 0
  const ItemReport& report;         ///< of a vector from the cache without tokens
  std::span<const float> vector{};  ///< valid during the call; empty where the status is not ok
  bool cached = false;              ///< known before: from the cache, or an equal text's that came earlier in the stream
  std::string_view key{};           ///< cache_key of the text, valid during the call; empty where there was no text
};

/// The next text; nothing when there are no more. What it throws ends the stream: what was read before is finished first.
using StreamSource = std::function<std::optional<StreamText>()>;

/// Takes the items one by one, in the source's order. What it throws ends the stream at once.
using StreamSink = std::function<void(const StreamedVector&)>;

struct StreamOptions {
  /// Bytes of texts in flight at most (and StreamText::held), at least 1. Of two windows in flight each may exceed its half by one text.
  std::size_t max_memory = std::size_t{64} << 20;
  LongTextOptions long_text{.policy = LongText::average};
  std::shared_ptr<VectorCache> cache{};  ///< may be empty
  std::size_t total = 0;                 ///< texts that will come, for Progress; 0: not known, as Progress::total is until all are read
  /// When a stop is requested no more is read; batches in flight are finished and kept; the rest of what was read is Status::cancelled.
  std::stop_token stop{};
  /// Called after batches end; `done` counts items whose vector is there.
  std::function<void(const Progress&)> on_progress{};
};

/// total = success + failed + cancelled; success = cached + newly_embedded.
struct StreamSummary {
  std::size_t total = 0;  ///< texts read
  std::size_t success = 0;
  std::size_t failed = 0;
  std::size_t cancelled = 0;
  std::size_t cached = 0;  ///< StreamedVector::cached
  std::size_t newly_embedded = 0;
  std::size_t truncated = 0;  ///< ItemReport::truncated()
  std::size_t tokens = 0;     ///< of what was embedded
  double seconds = 0;
};

/// Throws what source and sink throw, and Error: invalid_argument for options that make no sense; unsupported in a forked child. An item's
/// failure is in its report.
StreamSummary embed_stream(const EmbeddingGenerator& generator, const StreamSource& source, const StreamSink& sink,
                           const StreamOptions& options = {});

/// The key of a text: that of what the model sees, its prompt included.
[[nodiscard]] std::string cache_key(const EmbeddingGenerator& generator, std::string_view text);

}  // namespace inlay
