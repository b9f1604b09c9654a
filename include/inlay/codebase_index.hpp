// A codebase as an index: its functions and classes, and what stands outside of them, embedded and searchable. Brought up to date it embeds
// only what changed.
//
//   inlay::index_codebase(generator, "src/", "src.index");                            // and again, whenever the code changed
//   inlay::CodebaseIndex index("src.index");
//   auto query = generator.embed_query("where are passwords checked?");
//   for (const auto& [item, score] : index.search(query, {.k = 5}))
//     std::cout << score << " " << index.item(item).file_path << ":" << index.item(item).line_number << "\n";
//
// The index is an embedding set (embedding_set.hpp), with two files more:
//
//   index.faiss   a VectorIndex (vector_index.hpp) over the rows of embeddings.npy; its ids are rows, of metadata.json as well
//   index.json    {"kind", "rows", "dimension", "options", "folder"}: how that index was made, and where the code was
//
// A row's fields in metadata.json: content (the source), file_path (relative to the folder), file_name, language, function_name,
// class_name, line_number, line_end, kind ("function", "class" or "file"), qualified_name, signature, docstring. A "file" is what a file
// has outside of its functions and classes, cut between lines into pieces that the model sees whole, but for a line that is too long; of
// text files and of languages without a grammar, everything.
//
// A CodebaseIndex opens any other embedding set as well: it is searched exactly, and its rows are "file" items.
//
// Thread rule: index_codebase and watch_codebase call back on the calling thread alone, and one process at a time writes an index. A
// CodebaseIndex is immutable; any number of threads may search one, also while another one is put in its place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/code_parser.hpp"
#include "inlay/embed_corpus.hpp"
#include "inlay/embedding_set.hpp"
#include "inlay/generator.hpp"
#include "inlay/similarity.hpp"
#include "inlay/text_preparator.hpp"
#include "inlay/vector_index.hpp"

namespace inlay {

enum class ItemKind : std::int32_t { function = 0, class_ = 1, file = 2 };

/// "function", "class", "file".
[[nodiscard]] std::string_view to_string(ItemKind kind) noexcept;

/// The inverse of to_string. Throws Error (invalid_argument) for any other name.
[[nodiscard]] ItemKind parse_item_kind(std::string_view name);

/// The text that the model sees of a row of an index: of a function or class what the preparator makes of it (prepare_function,
/// prepare_class), of a piece of a file what prepare_document makes of it without its runs of empty lines.
///
/// `name_words`: a function or class has nothing in front but its name as the words that it is made of, on a line of its own: "Accounts check
/// password" for Accounts.check_password; then its docstring and source. So questions in English find it best (benchmarks/README.md).
[[nodiscard]] DocumentPreparator code_item_preparator(TextPreparator preparator = {}, bool name_words = true);

/// A function or class as a row of an index.
[[nodiscard]] Document code_item_document(Function function);
[[nodiscard]] Document code_item_document(Class definition);

struct IndexCodebaseOptions {
  ParserOptions parser{};                             ///< max_file_bytes of source files
  std::size_t max_text_bytes = std::size_t{1} << 20;  ///< of other files; larger ones are left out
  bool text_files = true;                             ///< whether files that are no source code are indexed, too
  TextPreparator preparator{};
  bool name_words = true;  ///< as code_item_preparator
  VectorIndexOptions index{};
  LongTextOptions long_text{};           ///< truncate: for finding functions it beats the mean of parts (benchmarks/README.md)
  std::shared_ptr<VectorCache> cache{};  ///< beside the index itself; may be empty
  bool fresh = false;                    ///< embeds all anew
  std::size_t max_memory =
      std::size_t{64} << 20;  ///< bytes of items and their texts in flight, and again about as much of files read ahead
  std::string created{};      ///< as EmbedCorpusOptions::created
  std::stop_token stop{};     ///< what was embedded is kept for the next run
  std::function<void(const Progress&, double fraction)> on_progress{};  ///< fraction: of the files that were read
  /// Told of every file or folder that is left out, and why, as CorpusOptions::on_skip.
  std::function<void(const std::filesystem::path&, std::string_view reason)> on_skip{};
  std::function<void(const std::string& file_path, const ParseNote&)> on_note{};  ///< of broken source
  std::function<void(const Document&, const ItemReport&)> on_failure{};           ///< an item that has no vector; it is not in the index
};

/// What became of the codebase's items since the index was last made. By an item's source: new + edited + moved + unchanged = items.
struct CodebaseChanges {
  std::size_t files = 0;  ///< that items come from
  std::size_t items = 0;
  std::size_t added = 0;   ///< new ones
  std::size_t edited = 0;  ///< of the same file, kind and qualified name, with another source
  std::size_t moved = 0;   ///< with the same source, on another line or in another file
  std::size_t unchanged = 0;
  std::size_t removed = 0;
  std::size_t failed = 0;                        ///< without a vector; not among `items`
  std::map<std::string, std::size_t> skipped{};  ///< how many files and folders were left out, by the reason
  CorpusSummary corpus{};                        ///< items embedded and known, tokens, seconds; whether the index was finished and written
};

/// Makes an index of a folder's code, or brings one up to date. Files as read_corpus and CodeParser::parse_folder find them; the index
/// itself is left out. Of a folder that has nothing to index any more the index becomes empty. Throws Error: not_found for no folder, io_error
/// for one of which nothing can be read, and what embed_corpus throws.
CodebaseChanges index_codebase(const EmbeddingGenerator& generator, const std::filesystem::path& folder, const std::filesystem::path& index,
                               const IndexCodebaseOptions& options = {});

struct WatchOptions {
  std::chrono::milliseconds quiet{500};                     ///< how long no file must change before the index is brought up to date
  std::chrono::milliseconds longest{10'000};                ///< but no later than this after the first change; no less than `quiet`
  std::chrono::milliseconds poll{2'000};                    ///< how often to look where the system does not tell of changes
  std::function<void(const CodebaseChanges&)> on_update{};  ///< after the first update, and after each that changed the index
};

/// index_codebase, and again whenever files changed, until `options.stop` is requested. Where the system does not tell of changes (no
/// inotify, or more folders than it watches) the files are looked at now and then. A failure of an update that is not the first is told as
/// a warning (log.hpp), once, and tried again, every `longest` or `poll`, until it is none. Throws Error as index_codebase for the first.
void watch_codebase(const EmbeddingGenerator& generator, const std::filesystem::path& folder, const std::filesystem::path& index,
                    const IndexCodebaseOptions& options, const WatchOptions& watch = {});

/// An item of an index, but for its source. Empty strings and lines of 0: not known.
struct IndexedItem {
  ItemKind kind = ItemKind::file;
  std::string file_path{};
  std::int64_t line_number = 0;  ///< as Function::line_number
  std::int64_t line_end = 0;     ///< the last line
  std::string name{};
  std::string qualified_name{};
  std::string class_name{};  ///< of a method
  std::string language{};
  std::string signature{};
  std::string docstring{};
};

/// Which items are looked at.
struct ItemFilter {
  /// Of file_path, as in .gitignore: "*.py" by the name, "src/**/test_*.py" by the whole path, "src/" all below it.
  std::string path_glob{};
  std::string language{};         ///< "python", in letters of any case
  std::vector<ItemKind> kinds{};  ///< empty: all
};

struct CodeSearchOptions {
  std::size_t k = 10;
  float min_score = std::numeric_limits<float>::lowest();  ///< what has a lower one is left out
  ItemFilter filter{};
  std::size_t effort = 0;  ///< as VectorIndex::search
};

struct CodeMatch {
  std::size_t item = 0;
  float score = 0;  ///< inner product: of normalised vectors the cosine similarity
  friend bool operator==(const CodeMatch&, const CodeMatch&) = default;
};

struct DuplicateOptions {
  float threshold = 0.95F;     ///< least cosine similarity of two that are near-copies
  std::int64_t min_lines = 3;  ///< items that are known to be shorter are not looked at
  ItemFilter filter{};
  std::size_t threads = 0;                                                 ///< 0: one a processor
  std::stop_token stop{};                                                  ///< ends the call soon, with Error (cancelled)
  std::function<void(std::size_t done, std::size_t total)> on_progress{};  ///< items compared, on the calling thread
};

/// Items of which each is a near-copy of another one of the group.
struct DuplicateGroup {
  float score = 0;                   ///< the best cosine similarity of two of them
  std::vector<std::size_t> items{};  ///< two or more, in the index's order
};

class CodebaseIndex {
 public:
  /// Maps the vectors and reads what is known of the items; their sources stay in the file. Throws Error: not_found, io_error; invalid_data
  /// for a damaged index.
  explicit CodebaseIndex(const std::filesystem::path& index);
  ~CodebaseIndex();
  CodebaseIndex(CodebaseIndex&&) noexcept;
  CodebaseIndex& operator=(CodebaseIndex&&) noexcept;

  /// The items most similar to a query, best first. An exact search, but for indexes of kind hnsw and ivf_pq without a filter: of these the
  /// candidates are approximate, their scores exact. Throws Error (invalid_argument) when the query's size is not the dimension, and for a
  /// bad glob.
  [[nodiscard]] std::vector<CodeMatch> search(const Vector& query, const CodeSearchOptions& options = {}) const;

  /// The items most similar to one of the index's own, itself left out, and those that it lies in or that lie in it.
  [[nodiscard]] std::vector<CodeMatch> similar(std::size_t item, const CodeSearchOptions& options = {}) const;

  /// The innermost function, else class, else piece, that the line of a file belongs to; nothing where there is none. `file_path` as in the
  /// index.
  [[nodiscard]] std::optional<std::size_t> item_at(std::string_view file_path, std::int64_t line) const;

  /// Groups of near-copies, best first. One item in another of the same file is none. Compares each with each: 100,000 items
  /// of 384 components are 2 × 10^12 multiplications.
  [[nodiscard]] std::vector<DuplicateGroup> near_duplicates(const DuplicateOptions& options = {}) const;

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::size_t dimension() const noexcept;
  [[nodiscard]] IndexKind kind() const noexcept;
  [[nodiscard]] const IndexedItem& item(std::size_t item) const;
  [[nodiscard]] std::string source_code(std::size_t item) const;
  [[nodiscard]] Vector vector(std::size_t item) const;
  [[nodiscard]] const ModelInfo& model() const noexcept;
  [[nodiscard]] const LongTextOptions& long_text() const noexcept;
  [[nodiscard]] const std::filesystem::path& folder()
      const noexcept;  ///< where the code was when it was indexed, absolute; empty: not known

 private:
  class Implementation;
  std::unique_ptr<const Implementation> implementation_;
};

/// Loads the model that made an index, as load_generator(EmbeddingSet) does.
[[nodiscard]] EmbeddingGenerator load_generator(const CodebaseIndex& index, const std::filesystem::path& model = {},
                                                GeneratorOptions options = {});

}  // namespace inlay
