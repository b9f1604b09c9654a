#include "inlay/code_embeddings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "batch/generator_access.hpp"
#include "code/code_embedding_files.hpp"
#include "inlay/error.hpp"
#include "inlay/similarity.hpp"
#include "platform/log.hpp"
#include "store/cache_chain.hpp"
#include "store/vector_journal.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using code::CodeEmbeddingFiles;
using code::CodeEmbeddingPaths;
using store::CacheChain;
using store::VectorJournal;

constexpr LongTextOptions long_text{.policy = LongText::truncate};

void check(const EmbeddingGenerator& generator, const SnippetSource& source, const CodeEmbeddingOptions& options) {
  if (!source) throw Error(Status::invalid_argument, "the source is empty");
  if (options.max_memory == 0) throw Error(Status::invalid_argument, "max_memory is 0");
  if (!(options.paper_context_weight >= 0 && options.paper_context_weight <= 1)) {
    throw Error(Status::invalid_argument, fmt::format("paper_context_weight is {}, not from 0 to 1", options.paper_context_weight));
  }
  if (!generator.options().normalize) {
    throw Error(Status::invalid_argument,
                "the generator leaves vectors as long as they are, but code and context are combined at length 1");
  }
  batch::GeneratorAccess::check(generator, long_text);
}

// The journal of a run, which goes when nothing is lost with it.
class RunJournal {
 public:
  RunJournal(const fs::path& path, const CacheModel& model, bool fresh) : journal_(VectorJournal::open_run(path, model, fresh)) {}
  ~RunJournal() { journal_->remove_if_empty(); }
  RunJournal(const RunJournal&) = delete;
  RunJournal& operator=(const RunJournal&) = delete;

  [[nodiscard]] const std::shared_ptr<VectorJournal>& get() const noexcept { return journal_; }

 private:
  std::shared_ptr<VectorJournal> journal_;
};

// A snippet on its way through the stream, which holds its texts.
struct Waiting {
  SnippetRecord record;
  bool has_context = false;
};

std::size_t bytes_of(const SnippetRecord& record) {
  const Snippet& snippet = record.snippet;
  std::size_t bytes = sizeof(Waiting) + record.json.size();
  for (const std::string* text : {&snippet.paper_id, &snippet.paper_title, &snippet.paper_abstract, &snippet.paper_url, &snippet.repo_name,
                                  &snippet.repo_url, &snippet.file_path, &snippet.function_name, &snippet.code_text}) {
    bytes += text->size();
  }
  return bytes;
}

// How many tokens a text has; of one whose vector came from a cache they are counted here, so that the files do not depend on caches.
class TokenCounts {
 public:
  explicit TokenCounts(const EmbeddingGenerator& generator)
      : tokenizer_(generator.tokenizer()),
        prompt_(batch::GeneratorAccess::document_prompt(generator)),
        most_(generator.max_sequence_length()) {}

  std::size_t count(const ItemReport& report, std::string_view text) {
    if (report.tokens_seen != 0) return report.tokens_seen;
    ids_.clear();
    return tokenizer_.encode_into(prompt_.empty() ? std::string(text) : std::string(prompt_).append(text), most_, ids_);
  }
  [[nodiscard]] bool is_truncated(std::size_t tokens) const noexcept { return tokens > most_; }

 private:
  const Tokenizer& tokenizer_;
  const std::string& prompt_;
  std::size_t most_;
  std::vector<TokenId> ids_;
};

// The vector of a paper's context, which comes in the stream right before that of the code.
struct Context {
  ItemReport report;
  std::vector<float> vector;
  std::string key;  // of the text that `truncated` is of
  bool truncated = false;
};

// (1 - w) · code + w · context, to length 1.
void add_context(std::span<float> code, std::span<const float> context, double weight) {
  for (std::size_t i = 0; i < code.size(); ++i) {
    code[i] = static_cast<float>((1 - weight) * static_cast<double>(code[i]) + weight * static_cast<double>(context[i]));
  }
  normalize(code);
}

// Makes the stream's texts of snippets, a context before its code, and rows of its vectors.
class SnippetRun {
 public:
  SnippetRun(const EmbeddingGenerator& generator, const SnippetSource& source, CodeEmbeddingFiles& files,
             const CodeEmbeddingOptions& options)
      : source_(source), files_(files), options_(options), tokens_(generator) {}

  std::optional<StreamText> next_text() {
    if (code_) return std::exchange(code_, std::nullopt);
    std::optional<SnippetRecord> record = source_();
    exhausted_ = !record && !options_.stop.stop_requested();  // a source may end because it is to stop
    if (!record) return std::nullopt;
    const Snippet& snippet = record->snippet;
    StreamText code{.text = snippet.code_text,
                    .label = snippet.file_path.empty() ? std::string() : fmt::format("{}:{}", snippet.file_path, snippet.line_begin),
                    .name = snippet.function_name,
                    .held = bytes_of(*record)};
    StreamText context{.text = wants_context() ? paper_context(snippet) : std::string(), .name = snippet.paper_title};
    const bool has_context = !context.text.empty();
    waiting_.push_back({std::move(*record), has_context});
    if (!has_context) return code;
    code_ = std::move(code);
    return context;
  }

  void take(const StreamedVector& item) {
    if (waiting_.front().has_context && !std::exchange(context_taken_, true)) return take_context(item);
    context_taken_ = false;
    const Waiting front = std::move(waiting_.front());
    waiting_.pop_front();
    ItemReport report = item.report;
    if (report.status == Status::ok && front.has_context && context_.report.status != Status::ok) {
      report = {.status = context_.report.status, .message = fmt::format("the paper's context: {}", context_.report.message)};
    }
    count(report.status);
    if (report.status == Status::ok) write(front, item);
    if (options_.on_item) options_.on_item(front.record.snippet, report);
  }

  [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
  [[nodiscard]] CodeEmbeddingSummary& summary() noexcept { return summary_; }

 private:
  [[nodiscard]] bool wants_context() const noexcept { return options_.include_paper_context && options_.paper_context_weight > 0; }

  void take_context(const StreamedVector& item) {
    context_.report = item.report;
    context_.vector.assign(item.vector.begin(), item.vector.end());
    if (item.report.status != Status::ok || item.key == context_.key) return;
    context_.key = item.key;
    context_.truncated = tokens_.is_truncated(tokens_.count(item.report, paper_context(waiting_.front().record.snippet)));
  }

  void write(const Waiting& waiting, const StreamedVector& item) {
    vector_.assign(item.vector.begin(), item.vector.end());
    if (waiting.has_context) add_context(vector_, context_.vector, options_.paper_context_weight);
    const std::size_t tokens = tokens_.count(item.report, waiting.record.snippet.code_text);
    const bool truncated = tokens_.is_truncated(tokens);
    files_.append({.record = waiting.record, .vector = vector_, .tokens = tokens, .truncated = truncated});
    summary_.truncated += truncated ? 1 : 0;
    summary_.truncated_contexts += waiting.has_context && context_.truncated ? 1 : 0;
  }

  void count(Status status) {
    ++summary_.total;
    ++(status == Status::ok ? summary_.success : status == Status::cancelled ? summary_.cancelled : summary_.failed);
  }

  const SnippetSource& source_;
  CodeEmbeddingFiles& files_;
  const CodeEmbeddingOptions& options_;
  TokenCounts tokens_;
  std::deque<Waiting> waiting_;
  std::optional<StreamText> code_;  // whose context went ahead
  bool context_taken_ = false;      // of waiting_.front()
  Context context_;
  std::vector<float> vector_;
  bool exhausted_ = false;
  CodeEmbeddingSummary summary_;
};

SnippetIndexInfo info_of(const EmbeddingGenerator& generator, const CodeEmbeddingOptions& options) {
  const ModelInfo& model = generator.info();
  return {.model_name = model.name,
          .model_version = model.fingerprint,
          .metric = "inner_product",
          .max_length = model.max_sequence_length,
          .paper_context_weight = options.paper_context_weight,
          .normalized = model.normalized,
          .use_cls_token = model.pooling == to_string(Pooling::cls),
          .include_paper_context = options.include_paper_context};
}

// Whether the files are there: the index may be stopped.
bool commit(CodeEmbeddingFiles& files, const EmbeddingGenerator& generator, const CodeEmbeddingOptions& options) {
  std::optional<VectorIndexOptions> index;
  if (options.build_index) {
    index = options.index;
    index->stop = options.stop;
    if (files.rows() == 0) index->kind = IndexKind::flat;  // there is nothing to build another of
  }
  try {
    files.commit(info_of(generator, options), index);
    return true;
  } catch (const Error& error) {
    if (error.status() != Status::cancelled) throw;
    return false;
  }
}

}  // namespace

EmbeddingGenerator load_code_model(const fs::path& model, const CodeModelOptions& options) {
  GeneratorOptions generator = options.generator;
  generator.pooling = options.use_cls_token ? Pooling::cls : Pooling::mean;
  generator.normalize = true;
  generator.max_sequence_length = options.max_length;
  try {
    return EmbeddingGenerator::load(model, generator);
  } catch (const Error& error) {
    const bool may_be_too_long = error.status() == Status::invalid_argument || error.status() == Status::unsupported;
    if (!may_be_too_long || options.max_length == 0) throw;
    generator.max_sequence_length = 0;
    EmbeddingGenerator loaded = EmbeddingGenerator::load(model, generator);  // throws the same where it was something else
    if (loaded.max_sequence_length() >= options.max_length) throw;           // it is too short
    platform::log(LogLevel::warning, fmt::format("max_length is {}, but the model {} takes {} tokens: texts are truncated to these",
                                                 options.max_length, loaded.info().name, loaded.max_sequence_length()));
    return loaded;
  }
}

std::string paper_context(const Snippet& snippet) {
  if (snippet.paper_title.empty() || snippet.paper_abstract.empty()) return snippet.paper_title + snippet.paper_abstract;
  return fmt::format("{}. {}", snippet.paper_title, snippet.paper_abstract);
}

CodeEmbeddingSummary embed_snippets(const EmbeddingGenerator& generator, const SnippetSource& source, const fs::path& output,
                                    const CodeEmbeddingOptions& options) {
  check(generator, source, options);
  const CodeEmbeddingPaths paths(output);
  CodeEmbeddingFiles files(paths, generator.dimension());
  const RunJournal journal(paths.journal, cache_model(generator.info(), long_text), options.fresh);
  std::vector<CacheChain::Link> links = {{.cache = journal.get()}};
  if (options.cache) links.push_back({.cache = options.cache, .written = true, .searched = !options.fresh});

  SnippetRun run(generator, source, files, options);
  CodeEmbeddingSummary& summary = run.summary();
  summary.texts = embed_stream(
      generator, [&] { return run.next_text(); }, [&](const StreamedVector& item) { run.take(item); },
      {.max_memory = options.max_memory,
       .long_text = long_text,
       .cache = std::make_shared<CacheChain>(std::move(links)),
       .stop = options.stop,
       .on_progress = options.on_progress});
  if (!run.exhausted() || summary.cancelled > 0) return summary;
  std::error_code error;
  if (files.rows() == 0 && !options.fresh && fs::exists(paths.snippets, error)) {
    platform::log(LogLevel::warning,
                  fmt::format("there is nothing to embed: {} stays as it is (`fresh` empties it)", paths.snippets.string()));
    summary.finished = true;
    return summary;
  }
  summary.finished = summary.written = commit(files, generator, options);
  if (summary.finished) journal.get()->remove();
  return summary;
}

}  // namespace inlay
