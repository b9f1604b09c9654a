// The embeddings of the code that goes with papers: a vector for each snippet, or each code file, that knows what its paper is about; an index
// over them, and its check.
//
//   inlay::EmbeddingGenerator generator = inlay::load_code_model("microsoft/codebert-base");
//   inlay::SnippetReader reader("code_snippets.json");                                  // what `inlay snippets` writes
//   inlay::embed_snippets(generator, [&] { return reader.next(); }, "out/snippet_embeddings.json", {.build_index = true});
//
//   inlay::SnippetIndex index("out/faiss_index.index", "out/faiss_metadata.json");      // checked as it is opened
//   for (const auto& match : index.search(generator.embed_query("load a dataset"), 5)) std::cout << match.snippet.function_name << "\n";
//
// The formula. E(text) is the last hidden state of the text's first token (CLS), or the mean of the last hidden states of all its tokens, of
// the text's first max_length tokens. normalise scales to length 1. With the weight w of the paper's context, from 0 to 1:
//
//   code     = normalise(E(code_text))
//   context  = normalise(E(title + ". " + abstract))       title or abstract alone where the other is empty
//   combined = normalise((1 - w) · code + w · context)     code alone where both are empty, or no context is wanted
//
// What is written, into the folder of the output, all of it in the order in which the snippets came:
//
//   embeddings/code_embeddings.npy   float32 [n, dimension]
//   embeddings/metadata.json         a JSON list, an object a row: index (the row, from 0), paper_id, paper_title, paper_url, repo_name, repo_url,
//                                    file_path, function_name, line_numbers, has_docstring, num_lines, code_text, tokens (that the code has,
//                                    special tokens included), truncated (whether those are more than max_length)
//   snippet_embeddings.json          a JSON list, an object a row: the snippet's fields as they were read, and embedding, a list of numbers
//                                    that give the same float32 back. The output itself, which may have another name
//   faiss_index.index                of VectorIndex, by inner product
//   faiss_metadata.json              model_name, model_version (the generator's fingerprint), dimension, count, index_kind, metric, normalized,
//                                    use_cls_token, include_paper_context, paper_context_weight, max_length, vectors_checksum (XXH3, 128 bits, of
//                                    the vectors' bytes in the order of the rows, in hexadecimal), items_checksum (XXH3, 64 bits, of
//                                    each item's paper_id, repo_name, repo_url, file_path, function_name and lines, seeded with that of those
//                                    before), and items: the list that metadata.json is
//
// Thread rule: one thread at a time per reader; embed_snippets calls source and callbacks on the calling thread alone; a SnippetIndex is
// immutable, any number of threads may search one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/embed_stream.hpp"
#include "inlay/generator.hpp"
#include "inlay/options.hpp"
#include "inlay/papers.hpp"
#include "inlay/vector_cache.hpp"
#include "inlay/vector_index.hpp"

namespace inlay {

// ---- the model ----

struct CodeModelOptions {
  bool use_cls_token = true;     ///< else the mean over tokens; whatever the model's own files say
  std::size_t max_length = 512;  ///< tokens of a text used at most, special tokens included; 0: the model's own limit
  GeneratorOptions generator{};  ///< the rest: device, threads, batches. Its pooling, normalize and max_sequence_length are not heeded
};

/// Loads a model as embed_snippets wants it. A max_length above what the model takes is cut to the model's own limit, with a warning (log.hpp).
/// Throws Error as EmbeddingGenerator::load.
[[nodiscard]] EmbeddingGenerator load_code_model(const std::filesystem::path& model, const CodeModelOptions& options = {});

// ---- what is embedded ----

struct SnippetRecord {
  Snippet snippet{};
  std::string json{};  ///< the JSON object that it was read from, without "embedding"; empty: to_json(snippet)
};

/// The next snippet; nothing when there are no more. What it throws ends the run: what was read before is finished and kept.
using SnippetSource = std::function<std::optional<SnippetRecord>()>;

struct SnippetReaderOptions {
  std::size_t max_snippet_bytes = std::size_t{256} << 20;  ///< of one snippet; a larger one is an error
  /// Told of every element that is no snippet, by a message that names the file and the element's number, from 1; those behind it are read.
  /// Empty: the first such one is an error.
  std::function<void(std::string_view message)> on_bad_record{};
};

/// Reads a JSON list of snippets, as `inlay snippets` writes them, one at a time: it holds one of them, whatever the file's size.
///
/// code_text must be there, with more than white space in it. The other fields of to_json(Snippet) may be missing or null: then they are empty,
/// and the lines those of code_text itself. Fields of other names are kept in SnippetRecord::json.
class SnippetReader {
 public:
  /// Throws Error: not_found, io_error, and invalid_data for a file that is no JSON list.
  explicit SnippetReader(const std::filesystem::path& path, SnippetReaderOptions options = {});
  ~SnippetReader();
  SnippetReader(SnippetReader&&) noexcept;
  SnippetReader& operator=(SnippetReader&&) noexcept;

  /// The next snippet; nothing when there are no more. Throws Error (invalid_data, io_error) naming the file and the snippet's number; behind
  /// broken JSON there are no more.
  [[nodiscard]] std::optional<SnippetRecord> next();

  /// How much of the file has been read, from 0 to 1.
  [[nodiscard]] double fraction() const noexcept;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

struct CodeFileReaderOptions {
  PaperReaderOptions papers{};
  /// Told of every code file that has nothing to embed, and why: "empty", "binary".
  std::function<void(std::string_view file_path, std::string_view reason)> on_skip{};
};

/// The code files of papers (papers.hpp), each as one snippet: without function_name, its lines those of the whole file.
class CodeFileReader {
 public:
  /// Throws Error as PaperReader.
  explicit CodeFileReader(const std::filesystem::path& path, CodeFileReaderOptions options = {});
  ~CodeFileReader();
  CodeFileReader(CodeFileReader&&) noexcept;
  CodeFileReader& operator=(CodeFileReader&&) noexcept;

  /// The next code file; nothing when there are no more. Throws Error as PaperReader::next.
  [[nodiscard]] std::optional<SnippetRecord> next();

  /// How much of the file has been read, from 0 to 1.
  [[nodiscard]] double fraction() const noexcept;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// ---- embedding ----

struct CodeEmbeddingOptions {
  bool include_paper_context = true;
  double paper_context_weight = 0.3;  ///< from 0 to 1
  bool build_index = false;           ///< whether faiss_index.index and faiss_metadata.json are written
  VectorIndexOptions index{.kind = IndexKind::flat};
  bool fresh = false;  ///< embeds all anew: what is known is not asked for; and empties the files where there is nothing to embed
  std::size_t max_memory = std::size_t{64} << 20;  ///< bytes of snippets in flight, as StreamOptions::max_memory
  std::shared_ptr<VectorCache> cache{};            ///< of the texts' vectors, before they are combined; may be empty
  /// When a stop is requested no more is read; batches in flight are finished and kept for the next run.
  std::stop_token stop{};
  /// As StreamOptions::on_progress: it counts texts, of which a snippet with context is two.
  std::function<void(const Progress&)> on_progress{};
  /// Told what became of each snippet, in order. Those that failed have no row.
  std::function<void(const Snippet&, const ItemReport&)> on_item{};
};

/// total = success + failed + cancelled, of snippets.
struct CodeEmbeddingSummary {
  std::size_t total = 0;
  std::size_t success = 0;  ///< rows
  std::size_t failed = 0;
  std::size_t cancelled = 0;
  std::size_t truncated = 0;           ///< rows whose code has more tokens than are used
  std::size_t truncated_contexts = 0;  ///< rows whose paper's context has
  StreamSummary texts{};               ///< code and contexts: how many of them were embedded, how many known
  bool finished = false;               ///< all snippets were read, none was cancelled, and all files are written
  bool written = false;                ///< not where there was no row, and files of an earlier run were left as they are
};

/// Embeds snippets with a generator that normalises (load_code_model), and writes the files above into the folder of `output`. Memory does not
/// grow with the number of snippets, except for an index of kind hnsw or ivf_pq. The files take their places when all are whole, one after
/// the other.
///
/// A run that was broken off goes on where it was when it is started again: until the files are there the vectors of all texts are kept in a
/// journal beside the output, ".NAME.journal". A text that was embedded before, in the same run, in a broken one or by way of the cache, is not
/// embedded again; the context that many snippets share is embedded once. One run at a time writes into a folder: a lock,
/// ".code_embeddings.npy.lock", lies in its embeddings/, and stays there.
///
/// Throws Error: invalid_argument for options and outputs that make no sense, and where a broken run of another model or other options is in the
/// journal; io_error, also while another run writes into the folder; and what source and callbacks throw.
CodeEmbeddingSummary embed_snippets(const EmbeddingGenerator& generator, const SnippetSource& source, const std::filesystem::path& output,
                                    const CodeEmbeddingOptions& options = {});

/// title + ". " + abstract, or one of them where the other is empty.
[[nodiscard]] std::string paper_context(const Snippet& snippet);

// ---- the index ----

/// What faiss_metadata.json says of an index; what it does not say has the value that it has here.
struct SnippetIndexInfo {
  std::string model_name{};
  std::string model_version{};  ///< fingerprint
  std::string index_kind{};
  std::string metric{};
  std::string vectors_checksum{};  ///< empty: not said
  std::string items_checksum{};    ///< of the metadata's items in their order; empty: not said
  std::size_t dimension = 0;
  std::size_t count = 0;
  std::size_t max_length = 0;
  double paper_context_weight = 0;
  bool normalized = true;
  bool use_cls_token = true;
  bool include_paper_context = false;
};

struct SnippetMatch {
  std::size_t row = 0;
  float score = 0;  ///< cosine similarity
  Snippet snippet{};
};

/// An index over snippets, with what its rows are.
class SnippetIndex {
 public:
  /// Opens the two and checks that they belong together: the metadata (faiss_metadata.json, or embeddings/metadata.json) has an item for each row
  /// of the index, and faiss_metadata.json those that were written (items_checksum); dimension, count, kind and measure are those that it says;
  /// the vectors of a flat index are those that were written (vectors_checksum), or at least finite. `dimension`: what it should be; 0: whatever it is. Of the metadata it remembers where each
  /// item stands, 16 bytes a row. Throws Error: not_found, io_error; invalid_data, saying what is damaged or contradicts what; unsupported as
  /// VectorIndex.
  SnippetIndex(const std::filesystem::path& index, const std::filesystem::path& metadata, std::size_t dimension = 0);
  ~SnippetIndex();
  SnippetIndex(SnippetIndex&&) noexcept;
  SnippetIndex& operator=(SnippetIndex&&) noexcept;

  [[nodiscard]] std::size_t size() const noexcept;  ///< rows
  [[nodiscard]] std::size_t dimension() const noexcept;
  [[nodiscard]] IndexKind kind() const noexcept;
  [[nodiscard]] const std::optional<SnippetIndexInfo>& info() const noexcept;  ///< nothing where the metadata is a list
  [[nodiscard]] bool items_verified() const noexcept;                          ///< whether the metadata says what its items' checksum is
  [[nodiscard]] bool checksum_verified() const noexcept;                       ///< whether there was one, of vectors that can be read

  /// The k rows nearest to a query, as VectorIndex::search, each with its snippet (without the abstract). Throws Error: invalid_argument for a
  /// query of another dimension; invalid_data for an item whose fields are not a snippet's; io_error.
  [[nodiscard]] std::vector<SnippetMatch> search(std::span<const float> query, std::size_t k) const;
  [[nodiscard]] std::vector<SnippetMatch> search(const Vector& query, std::size_t k) const;

  /// A row's vector; nothing where the kind is not flat. Throws Error (invalid_argument) for a row that is not there.
  [[nodiscard]] std::optional<std::vector<float>> vector(std::size_t row) const;
  /// A row's snippet. Throws Error as search, and invalid_argument for a row that is not there.
  [[nodiscard]] Snippet snippet(std::size_t row) const;

  /// Loads the model that made the index, with the options that it was made with; of an index whose metadata does not say them, with `options`.
  /// Throws Error as load_code_model; invalid_data where it is another model, by its fingerprint or its dimension.
  [[nodiscard]] EmbeddingGenerator load_model(const std::filesystem::path& model, CodeModelOptions options = {}) const;

 private:
  class Implementation;
  std::unique_ptr<const Implementation> implementation_;
};

}  // namespace inlay
