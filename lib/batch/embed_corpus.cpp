#include "inlay/embed_corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "batch/generator_access.hpp"
#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"
#include "platform/log.hpp"
#include "store/cache_chain.hpp"
#include "store/file_store.hpp"
#include "store/labels.hpp"
#include "store/set_cache.hpp"
#include "store/set_files.hpp"
#include "store/vector_journal.hpp"
#include "text/graphemes.hpp"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using store::CacheChain;
using store::FileStore;
using store::SetCache;
using store::VectorJournal;

// A document on its way through the stream, which holds its text.
struct Waiting {
  Document document;
  std::string beginning{};  // of the text, where the store shows it
};

// What a document holds beside the text that is made of it.
std::size_t bytes_of(const Document& document) {
  const Metadata& metadata = document.metadata;
  std::size_t bytes = sizeof(Document) + document.content.size() + metadata.file_path.size() + metadata.file_name.size();
  for (const auto& [name, value] : metadata.extra) {
    bytes += sizeof(name) + sizeof(value) + name.size();
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    if (const auto* json = std::get_if<JsonText>(&value)) bytes += json->text.size();
  }
  return bytes;
}

// Where vectors go, and where those come from that are known.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  virtual ~Output() = default;

  [[nodiscard]] virtual std::shared_ptr<VectorCache> known() const = 0;
  /// How much of a text's beginning `put` wants to see.
  [[nodiscard]] virtual std::size_t beginning_bytes() const noexcept { return 0; }
  virtual void put(const Waiting& waiting, const StreamedVector& item) = 0;
  /// Whether the store changed.
  virtual bool finish() = 0;
  [[nodiscard]] virtual std::size_t removed() const noexcept { return 0; }
};

void add_cache(std::vector<CacheChain::Link>& links, const EmbedCorpusOptions& options) {
  if (options.cache) links.push_back({.cache = options.cache, .written = true, .searched = !options.fresh});
}

class SetOutput final : public Output {
 public:
  SetOutput(const CacheModel& model, const ModelInfo& info, const fs::path& output, const EmbedCorpusOptions& options)
      : output_(output),
        created_(options.created),
        fresh_(options.fresh),
        allow_empty_(options.allow_empty),
        writer_(output, info, options.long_text),
        journal_(open_journal(store::set_place(output), model, options.fresh)) {
    if (options.index) writer_.add_index(*options.index, options.folder);
    std::vector<CacheChain::Link> links = {{.cache = journal_}};
    if ((earlier_ = open_earlier(output, model)) && !options.fresh) links.push_back({.cache = earlier_});
    if (earlier_) seen_.resize(earlier_->rows());
    add_cache(links, options);
    known_ = std::make_shared<CacheChain>(std::move(links));
  }

  ~SetOutput() override {
    if (!finished_) journal_->remove_if_empty();
  }

  [[nodiscard]] std::shared_ptr<VectorCache> known() const override { return known_; }

  void put(const Waiting& waiting, const StreamedVector& item) override {
    any_document_ = true;
    if (item.report.status != Status::ok) return;
    writer_.append(waiting.document, item.key, item.vector);
    const auto row = earlier_ ? earlier_->row(item.key) : std::nullopt;
    if (!row || seen_[*row]) return;
    seen_[*row] = true;
    ++kept_;
  }

  bool finish() override {
    bool written = false;
    const bool empties = fresh_ || (allow_empty_ && !any_document_);
    if (writer_.rows() == 0 && earlier_rows_ > 0 && !empties) {
      platform::log(LogLevel::warning, fmt::format("there is nothing to embed: {} stays as it is, with its {} rows (`fresh` empties it)",
                                                   output_.string(), earlier_rows_));
    } else {
      written = writer_.commit_if_changed(created_);
    }
    journal_->remove();
    finished_ = true;
    return written;
  }

  [[nodiscard]] std::size_t removed() const noexcept override { return earlier_ ? earlier_->keys() - kept_ : 0; }

 private:
  static std::shared_ptr<VectorJournal> open_journal(const fs::path& place, const CacheModel& model, bool fresh) {
    return VectorJournal::open_run(place.parent_path() / fmt::format(".{}.journal", place.filename().string()), model, fresh);
  }

  // The set that stands at the output, if its vectors are of use.
  std::shared_ptr<SetCache> open_earlier(const fs::path& output, const CacheModel& model) {
    if (!is_embedding_set(output)) return nullptr;
    try {
      std::shared_ptr<SetCache> set = SetCache::open(output);
      earlier_rows_ = set->rows();
      if (set->model().fingerprint == model.fingerprint) return set;
      platform::log(LogLevel::warning,
                    fmt::format("{} was made by another model or with other options: all is embedded anew", output.string()));
    } catch (const Error& error) {
      platform::log(LogLevel::warning, fmt::format("{}; all is embedded anew", error.what()));
    }
    return nullptr;
  }

  fs::path output_;
  std::string created_;
  bool fresh_;
  bool allow_empty_;
  bool any_document_ = false;
  std::size_t earlier_rows_ = 0;  // of the set that stands at the output, whoever made it
  EmbeddingSetWriter writer_;     // first: it checks the place
  std::shared_ptr<VectorJournal> journal_;
  std::shared_ptr<SetCache> earlier_;
  std::vector<bool> seen_;  // by the earlier set's rows
  std::size_t kept_ = 0;
  bool finished_ = false;
  std::shared_ptr<CacheChain> known_;
};

class FilesOutput final : public Output {
 public:
  FilesOutput(const CacheModel& model, const fs::path& output, const EmbedCorpusOptions& options)
      : model_(model), files_(FileStore::open(output, model, options.fresh ? FileStore::Existing::discard : FileStore::Existing::resume)) {
    std::vector<CacheChain::Link> links = {{.cache = files_}};
    add_cache(links, options);
    known_ = std::make_shared<CacheChain>(std::move(links));
  }

  [[nodiscard]] std::shared_ptr<VectorCache> known() const override { return known_; }
  [[nodiscard]] std::size_t beginning_bytes() const noexcept override { return 4096; }

  void put(const Waiting& waiting, const StreamedVector& item) override {
    const Metadata& metadata = waiting.document.metadata;
    const bool done = item.report.status == Status::ok;
    if (item.key.empty() || item.report.status == Status::cancelled) return;
    if (done && !files_->has(item.key)) {  // the cache had it, or it could not be written
      const CacheEntry entry{.key = std::string(item.key),
                             .label = store::label_of(metadata),
                             .name = store::name_of(metadata),
                             .vector = {item.vector.begin(), item.vector.end()}};
      files_->insert(model_, {&entry, 1});
      lost_ += files_->has(item.key) ? 0 : 1;
    }
    files_->describe(item.key, {.text = waiting.beginning,
                                .label = store::label_of(metadata),
                                .name = store::name_of(metadata),
                                .error = done ? std::string() : item.report.message});
  }

  bool finish() override {
    files_->flush();
    const CacheStatistics statistics = files_->statistics();
    if (lost_ > 0 || !statistics.persistent) {
      throw Error(Status::io_error, fmt::format("{} vectors could not be written to {}, or not its index: see the warnings", lost_,
                                                statistics.path.string()));
    }
    return statistics.inserted > 0;
  }

 private:
  CacheModel model_;
  std::shared_ptr<FileStore> files_;
  std::shared_ptr<CacheChain> known_;
  std::size_t lost_ = 0;
};

std::unique_ptr<Output> open_output(const EmbeddingGenerator& generator, const fs::path& output, const EmbedCorpusOptions& options) {
  const CacheModel model = cache_model(generator.info(), options.long_text);
  if (options.store == CorpusStore::files) return std::make_unique<FilesOutput>(model, output, options);
  return std::make_unique<SetOutput>(model, generator.info(), output, options);
}

// The text that the model sees of a document, but for the prompt.
StreamText text_of(const Document& document, const DocumentPreparator& preparator) {
  StreamText text{.label = store::label_of(document.metadata),
                  .name = store::name_of(document.metadata),
                  .language = document.metadata.language,
                  .held = bytes_of(document)};
  try {
    text.text = preparator(document);
  } catch (const std::exception& error) {
    text.error = fmt::format("preparing the text: {}", error.what());
  } catch (...) {
    text.error = "preparing the text: an exception of an unknown type";
  }
  return text;
}

}  // namespace

CorpusSummary embed_corpus(const EmbeddingGenerator& generator, const DocumentSource& source, const fs::path& output,
                           const EmbedCorpusOptions& options) {
  if (!source) throw Error(Status::invalid_argument, "the source is empty");
  if (options.max_memory == 0) throw Error(Status::invalid_argument, "max_memory is 0");
  batch::GeneratorAccess::check(generator, options.long_text);  // before anything is touched
  const auto store = open_output(generator, output, options);
  const DocumentPreparator& preparator = options.preparator ? options.preparator : generator.options().preparator;

  std::deque<Waiting> waiting;
  bool exhausted = false;
  const auto next_text = [&]() -> std::optional<StreamText> {
    std::optional<Document> document = source();
    exhausted = !document && !options.stop.stop_requested();  // a source may end because it is to stop
    if (!document) return std::nullopt;
    StreamText text = text_of(*document, preparator);
    waiting.push_back({std::move(*document),
                       text.text.substr(0, text::code_point_begin(text.text, std::min(text.text.size(), store->beginning_bytes())))});
    return text;
  };
  std::size_t unfit_cached = 0;  // there is a vector, but the store cannot hold it, or its document's metadata
  std::size_t unfit_new = 0;
  const auto take = [&](const StreamedVector& item) {
    const Waiting front = std::move(waiting.front());
    waiting.pop_front();
    ItemReport report = item.report;
    try {
      store->put(front, item);
    } catch (const Error& error) {
      if (error.status() != Status::invalid_argument) throw;
      report.status = error.status();
      report.message = error.what();
      ++(item.cached ? unfit_cached : unfit_new);
    }
    if (options.on_item) options.on_item(front.document, report);
  };

  CorpusSummary summary;
  summary.items = embed_stream(generator, next_text, take,
                               {.max_memory = options.max_memory,
                                .long_text = options.long_text,
                                .cache = store->known(),
                                .stop = options.stop,
                                .on_progress = options.on_progress});
  summary.items.cached -= unfit_cached;
  summary.items.newly_embedded -= unfit_new;
  summary.items.success -= unfit_cached + unfit_new;
  summary.items.failed += unfit_cached + unfit_new;
  summary.finished = exhausted && summary.items.cancelled == 0;
  if (!summary.finished) return summary;
  try {
    summary.written = store->finish();
  } catch (const Error& error) {
    if (error.status() != Status::cancelled) throw;
    summary.finished = false;  // while the index was built; the vectors are kept for the next run
  }
  if (summary.written) summary.removed = store->removed();
  return summary;
}

}  // namespace inlay
