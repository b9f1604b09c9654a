// EmbeddingGenerator: texts in, vectors out. The heart of the library.
//
// Thread rule: a generator is immutable after loading; any number of threads may call one at once, and they share its worker threads.
// Nothing is computed on the calling thread, so the host's own libtorch settings (threads, grad mode, default dtype) neither matter nor
// change.
//
// Copies are cheap and share one model; generators of the same file share its weights as well. The last copy's end waits for
// the calls in flight and joins the workers. A generator does not survive fork(): load it in the child. Its own callbacks (progress,
// preparator) may not wait for it: they run on its workers, or keep them waiting; the _async forms can be called anywhere.
//
//   auto generator = inlay::EmbeddingGenerator::load("models/all-MiniLM-L6-v2");
//   inlay::EmbedResult result = generator.embed(texts);
//   inlay::Vector query = generator.embed_query("where are passwords checked?", inlay::QueryType::code_search);
//   for (auto [row, score] : inlay::top_k(query, result.vectors, 5)) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/document.hpp"
#include "inlay/error.hpp"
#include "inlay/matrix.hpp"
#include "inlay/options.hpp"
#include "inlay/tokenizer.hpp"

namespace inlay {

namespace batch {
class GeneratorAccess;
}

/// What became of one item of a batch.
struct ItemReport {
  Status status = Status::ok;
  std::size_t tokens_seen = 0;  ///< tokens of the whole text, special tokens included
  std::size_t tokens_used = 0;  ///< tokens that the vector is made of; fewer than seen: the text was truncated
  std::string message{};        ///< why, where the status is not ok
  std::size_t chunks = 1;       ///< that a long text was cut into, each encoded by itself (LongText::average)

  [[nodiscard]] bool truncated() const noexcept { return status == Status::ok && tokens_used < tokens_seen; }
};

struct EmbedResult {
  Matrix vectors = Matrix::from_shape({0, 0});  ///< row i is item i's vector; NaN throughout where the item's status is not ok
  std::vector<ItemReport> items{};

  /// Whether every item has its vector.
  [[nodiscard]] bool complete() const noexcept {
    for (const ItemReport& item : items) {
      if (item.status != Status::ok) return false;
    }
    return true;
  }
};

/// What a generator is made of.
struct ModelInfo {
  std::string name{};          ///< on the hub, where the model lies in its cache; else the model folder's name
  std::string path{};          ///< where the model was found; empty for a model from memory
  std::string architecture{};  ///< config.json's model_type: "bert"; "torchscript" for a program
  std::size_t dimension = 0;   ///< components of a vector, after truncate_dim
  std::size_t max_sequence_length = 0;
  std::size_t vocabulary_size = 0;
  std::size_t layers = 0;
  std::size_t parameters = 0;
  std::string pooling{};  ///< as to_string(Pooling); of several that are joined "cls+mean"; "none" where a program gives the vector itself
  bool normalized = true;
  std::string precision{};
  std::string device{};
  std::string kernels{};  ///< what computes: "avx2", "avx512", "portable" on the CPU, "aten" elsewhere
  std::size_t threads = 0;
  std::map<std::string, std::string> prompts{};  ///< of config_sentence_transformers.json
  std::string fingerprint{};                     ///< hash of all that a vector depends on: weights, tokenizer, pooling, prompts and options
  std::string library_version{};

  friend bool operator==(const ModelInfo&, const ModelInfo&) = default;
};

/// Bytes of memory.
struct MemoryUse {
  std::size_t weights = 0;  ///< of the model, shared by all generators of the same file, device and precision
  std::size_t tokenizer = 0;
  std::size_t device_cached = 0;  ///< held by libtorch's device allocator for reuse; 0 on the CPU
  std::size_t process_resident = 0;
  std::size_t process_peak = 0;
};

/// One file of a model that is held in memory.
struct ModelFile {
  std::string name;  ///< relative to the model's folder, with '/': "1_Pooling/config.json"
  std::span<const std::byte> bytes;
};

class EmbeddingGenerator {
 public:
  /// Loads a model: a folder, a TorchScript program, or a name that is looked up in the hub's cache (hub.hpp:
  /// "sentence-transformers/all-MiniLM-L6-v2", "minilm") and fetched only where GeneratorOptions::allow_download says so.
  ///
  /// A model's folder is as published: config.json, the weights (model.safetensors or pytorch_model.bin, whole or in shards with an index;
  /// of a .bin only tensors are read, nothing in it is ever run), the tokenizer's files (tokenizer.hpp), and, where there are any,
  /// modules.json, 1_Pooling/config.json, sentence_bert_config.json, config_sentence_transformers.json.
  ///
  /// A program is a file ("model.pt") that torch.jit.trace, torch.jit.script or export_torchscript (torchscript.hpp) made:
  /// forward(input_ids, attention_mask), both int64 [batch, length], to a tensor, a tuple that begins with one, or a dictionary. The
  /// tokenizer's files lie beside it or in a folder "tokenizer" there; the other small files beside it, where there are any, say the limit,
  /// the prompts and the pooling. Hidden states [batch, length, width] ("last_hidden_state" or "token_embeddings" of a dictionary) are
  /// pooled as GeneratorOptions::pooling or modules.json say, else by their mean; vectors [batch, width] are taken as they are, and
  /// normalised like any. Of a dictionary that holds both, "sentence_embedding" counts where neither says how to pool; "pooler_output" only
  /// where it holds nothing else. The program is tried when it is loaded: one that was traced for a fixed size or for another device is
  /// refused with what helps. It gets texts of equal length together, never a padded one; what it would print is left out; one that keeps
  /// something between calls runs on one thread at a time. The process's default dtype is its own affair, which a program may depend on. A
  /// program can do whatever TorchScript can, end the process included: load only what you trust.
  ///
  /// Throws Error: not_found, invalid_model, unsupported, invalid_argument, out_of_memory; with a download, whatever pull_model throws.
  [[nodiscard]] static EmbeddingGenerator load(const std::filesystem::path& model, GeneratorOptions options = {});

  /// The same from files in memory, which may be freed once load returns. `name` is what info() says.
  [[nodiscard]] static EmbeddingGenerator load(std::span<const ModelFile> files, GeneratorOptions options = {},
                                               std::string name = "memory");

  /// Embeds texts as they are (the model's default prompt, if its files name one, in front). No texts: a matrix of 0 rows. An empty text
  /// has a valid vector, that of its special tokens. Throws only for what concerns the whole call; an item's failure is in its report.
  [[nodiscard]] EmbedResult embed(std::span<const std::string_view> texts, const CallOptions& call = {}) const;
  [[nodiscard]] EmbedResult embed(std::span<const std::string> texts, const CallOptions& call = {}) const;
  [[nodiscard]] EmbedResult embed(std::initializer_list<std::string_view> texts, const CallOptions& call = {}) const;

  /// Embeds documents with their context, as GeneratorOptions::preparator writes it; the model's document prompt, if any, in front.
  [[nodiscard]] EmbedResult embed_documents(std::span<const Document> documents, const CallOptions& call = {}) const;

  /// One piece of code: as a document of that language, or without context when no language is given. Throws Error on failure.
  [[nodiscard]] Vector embed_code(std::string_view code, std::string_view language = {}) const;

  /// A query: the model's query prompt, if any, the type's prefix (query_prefix) and the text. Throws Error on failure.
  [[nodiscard]] Vector embed_query(std::string_view text, QueryType type = QueryType::general) const;

  /// The same without waiting. The arguments are taken over; exceptions arrive through the future. The generator may go out of scope.
  [[nodiscard]] std::future<EmbedResult> embed_async(std::vector<std::string> texts, CallOptions call = {}) const;
  [[nodiscard]] std::future<EmbedResult> embed_documents_async(std::vector<Document> documents, CallOptions call = {}) const;
  [[nodiscard]] std::future<Vector> embed_query_async(std::string text, QueryType type = QueryType::general) const;

  /// The first call hashes the weights, for the fingerprint.
  [[nodiscard]] const ModelInfo& info() const;

  [[nodiscard]] const Tokenizer& tokenizer() const noexcept;
  [[nodiscard]] std::size_t dimension() const noexcept;
  [[nodiscard]] std::size_t max_sequence_length() const noexcept;
  [[nodiscard]] const GeneratorOptions& options() const noexcept;

  [[nodiscard]] MemoryUse memory() const;

  /// Gives memory that is kept for reuse, but not in use, back to the system (and to the device).
  void trim() const;

 private:
  friend class batch::GeneratorAccess;
  class Implementation;
  explicit EmbeddingGenerator(std::shared_ptr<const Implementation> implementation);

  std::shared_ptr<const Implementation> implementation_;
};

}  // namespace inlay
