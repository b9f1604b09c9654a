// embed_corpus: documents from a source into a store on the disk, in bounded memory, however long it takes. A run that was broken off, in
// whatever way, goes on where it was when it is started again; one over a corpus that changed embeds what is new.
//
//   inlay::CorpusReader reader("articles.jsonl");
//   inlay::CorpusSummary summary = inlay::embed_corpus(generator, [&] { return reader.next(); }, "articles.set");
//   inlay::EmbeddingSet set = inlay::load_embeddings("articles.set");
//
// The store is an embedding set (embedding_set.hpp) or a folder of readable files (resumable.hpp). Until a set is finished its vectors are
// kept in a journal beside it, ".NAME.journal", and its rows in a hidden folder; then it takes the place of the one that stands there, in one
// step, and both are gone. A set that is the same already stays as it is, with its time; so does one, with a warning, where there is
// nothing to embed, unless `fresh` or `allow_empty` is asked for.
//
// What is known is not embedded: texts of the journal, of the set that stands there, of the readable files, of the cache, and texts that
// came before in the same run. Known is a text, as the model saw it, with its prompt, of the same model with the same options; whence it
// came does not matter.
//
// Thread rule: source and callbacks are called on the calling thread alone. One process at a time writes a store: a second one gets an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "inlay/document.hpp"
#include "inlay/embed_stream.hpp"
#include "inlay/generator.hpp"
#include "inlay/options.hpp"
#include "inlay/vector_cache.hpp"
#include "inlay/vector_index.hpp"

namespace inlay {

enum class CorpusStore : std::int32_t {
  set = 0,    ///< an embedding set, for any number of documents
  files = 1,  ///< embeddings_index.json and a file a text, for thousands of them and for people
};

struct EmbedCorpusOptions {
  CorpusStore store = CorpusStore::set;
  bool fresh = false;                              ///< embeds all anew: what is known is not asked for
  bool allow_empty = false;                        ///< of a set: a source without documents empties it, rather than leaving it as it is
  std::size_t max_memory = std::size_t{64} << 20;  ///< bytes of documents and their texts in flight, as StreamOptions::max_memory
  LongTextOptions long_text{.policy = LongText::average};
  DocumentPreparator preparator{};            ///< from documents to texts; empty: GeneratorOptions::preparator
  std::shared_ptr<VectorCache> cache{};       ///< beside the store; may be empty
  std::optional<VectorIndexOptions> index{};  ///< of a set: puts an index of its rows into it (EmbeddingSetWriter::add_index)
  std::string folder{};                       ///< what the documents' file paths are relative to; kept with the index
  std::string created{};                      ///< what a new set says of its time: RFC 3339, UTC; empty: now
  /// When a stop is requested no more is read; batches in flight are finished and kept for the next run. While an index is built it is given
  /// up, with all vectors kept.
  std::stop_token stop{};
  std::function<void(const Progress&)> on_progress{};  ///< as StreamOptions::on_progress
  /// Told what became of each document, in order. Those that failed have no row in a set; in the index of readable files those of which
  /// there was a text are "failed".
  std::function<void(const Document&, const ItemReport&)> on_item{};
};

struct CorpusSummary {
  StreamSummary items{};
  bool finished = false;    ///< all documents were read, and none was cancelled: the store is complete but for those that failed
  bool written = false;     ///< the store changed
  std::size_t removed = 0;  ///< different texts of the set that was replaced, which the corpus no longer has
};

/// The next document; nothing when there are no more. What it throws ends the run: what was read before is finished and kept.
using DocumentSource = std::function<std::optional<Document>()>;

/// Embeds documents as the preparator writes them. A set or files of another model, or made with other options, are replaced,
/// which is said (log.hpp). Throws Error: invalid_argument where something else stands in the store's place, and where an unfinished run of
/// another model or other options is in its journal (finish it, or start over with `fresh`); io_error; and what source and callbacks throw.
CorpusSummary embed_corpus(const EmbeddingGenerator& generator, const DocumentSource& source, const std::filesystem::path& output,
                           const EmbedCorpusOptions& options = {});

}  // namespace inlay
