#include "inlay/embed_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <exception>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "batch/embed_job.hpp"
#include "batch/generator_access.hpp"
#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"

namespace inlay {
namespace {

using batch::EmbedJob;
using batch::GeneratorAccess;

// Windows that are on their way at once: while one goes to the sink, the workers have the next.
constexpr std::size_t most_windows = 2;
constexpr std::size_t most_window_items = 4096;  // whose vectors are held

// A text of a window that no earlier one on its way equals.
struct NewText {
  std::string text;
  std::string key;
  std::string label;
  std::string name;
  std::string language;
};

// Where an item's vector lies, or will.
struct Row {
  std::string key;
  std::shared_ptr<const EmbedResult> block{};  // null until the window is finished
  std::size_t index = 0;

  void place(std::shared_ptr<const EmbedResult> in_block, std::size_t at) {
    block = std::move(in_block);
    index = at;
  }
  [[nodiscard]] bool failed() const { return block && block->items[index].status != Status::ok; }
  /// Lets go of the window's vectors but for its own.
  void detach() {
    auto own = std::make_shared<EmbedResult>();
    own->items = {block->items[index]};
    own->vectors = Matrix::from_shape({1, block->vectors.shape(1)});
    std::copy_n(&block->vectors(index, 0), own->vectors.size(), own->vectors.data());
    place(std::move(own), 0);
  }
};

struct Item {
  std::shared_ptr<Row> row{};  // null: the text could not be had
  bool cached = false;
  std::string error{};
};

struct Window {
  std::vector<Item> items;
  std::vector<std::shared_ptr<Row>> rows;       // that are embedded here: row i is the job's item i
  std::shared_ptr<std::vector<NewText>> texts;  // of these; shared with the job
  std::shared_ptr<EmbedJob> job;                // null where nothing is to be embedded
  std::size_t bytes = 0;
};

class Stream {
 public:
  Stream(const EmbeddingGenerator& generator, const StreamSource& source, const StreamSink& sink, const StreamOptions& options)
      : generator_(generator), source_(source), sink_(sink), options_(options), model_(cache_model(generator.info(), options.long_text)) {
    if (options.max_memory == 0) throw Error(Status::invalid_argument, "max_memory is 0");
    if (!source) throw Error(Status::invalid_argument, "the source is empty");
    if (!sink) throw Error(Status::invalid_argument, "the sink is empty");
    GeneratorAccess::check(generator, options.long_text);
  }

  ~Stream() {
    stop_.request_stop();
    for (Window& window : windows_) {
      if (window.job) window.job->abandon();
    }
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  StreamSummary run() {
    const std::stop_callback forward(options_.stop, [this] { stop_.request_stop(); });
    while (true) {
      while (windows_.size() < most_windows && !exhausted_) {
        if (Window window = read_window(); !window.items.empty()) windows_.push_back(std::move(window));
      }
      if (windows_.empty()) break;
      deliver(windows_.front());
      windows_.pop_front();
    }
    summary_.seconds = seconds();
    if (options_.cache) options_.cache->flush();
    if (source_failure_) std::rethrow_exception(source_failure_);
    return summary_;
  }

 private:
  Window read_window() {
    Window window;
    window.texts = std::make_shared<std::vector<NewText>>();
    std::vector<std::shared_ptr<Row>> rows;
    const std::size_t most_bytes = std::max<std::size_t>(1, options_.max_memory / most_windows);
    while (window.items.size() < most_window_items && window.bytes < most_bytes) {
      std::optional<StreamText> next = read();
      if (!next) break;
      window.bytes += next->text.size() + next->held;
      if (!next->error.empty()) {
        window.items.push_back({.error = std::move(next->error)});
        continue;
      }
      std::string key = cache_key(generator_, next->text);
      std::weak_ptr<Row>& known = on_their_way_[key];
      if (auto row = known.lock(); row && !row->failed()) {
        window.items.push_back({.row = std::move(row), .cached = true});
        continue;
      }
      const auto row = std::make_shared<Row>(Row{.key = key});
      known = row;
      rows.push_back(row);
      window.items.push_back({.row = row});
      window.texts->push_back(
          {std::move(next->text), std::move(key), std::move(next->label), std::move(next->name), std::move(next->language)});
    }
    look_up(window, rows);
    begin(window);
    return window;
  }

  std::optional<StreamText> read() {
    if (stop_.stop_requested()) exhausted_ = true;
    if (exhausted_) return std::nullopt;
    try {
      auto next = source_();
      next ? ++read_ : total_ = read_;
      exhausted_ = !next;
      return next;
    } catch (...) {
      source_failure_ = std::current_exception();
      exhausted_ = true;
      return std::nullopt;
    }
  }

  // Takes from the cache what it knows; the others are left in window.texts and window.rows.
  void look_up(Window& window, const std::vector<std::shared_ptr<Row>>& rows) {
    if (!options_.cache || rows.empty()) {
      window.rows = rows;
      return;
    }
    auto block = std::make_shared<EmbedResult>();
    block->vectors = Matrix::from_shape({rows.size(), model_.dimension});
    block->items.resize(rows.size());
    std::vector<std::string> keys;
    for (const NewText& text : *window.texts) keys.push_back(text.key);
    const std::vector<bool> found = options_.cache->find(model_, keys, {block->vectors.data(), block->vectors.size()});
    auto missing = std::make_shared<std::vector<NewText>>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (found[i]) {
        rows[i]->place(block, i);
      } else {
        window.rows.push_back(rows[i]);
        missing->push_back(std::move((*window.texts)[i]));
      }
    }
    window.texts = std::move(missing);
    for (Item& item : window.items) item.cached = item.cached || (item.row && item.row->block == block);
  }

  void begin(Window& window) {
    if (window.rows.empty()) return;
    const auto texts = window.texts;
    batch::EmbedInput input = GeneratorAccess::documents(
        generator_, texts->size(), [texts](std::size_t i, std::string&) -> std::string_view { return (*texts)[i].text; },
        [texts](std::size_t i) -> std::string_view { return (*texts)[i].language; });
    if (options_.cache) {
      input.keep = [texts, cache = options_.cache, model = model_](std::span<const std::size_t> items, const Matrix& vectors) {
        std::vector<CacheEntry> entries;
        entries.reserve(items.size());
        for (const std::size_t i : items) {
          const NewText& text = (*texts)[i];
          entries.push_back(
              {.key = text.key, .label = text.label, .name = text.name, .vector = {&vectors(i, 0), &vectors(i, 0) + model.dimension}});
        }
        cache->insert(model, entries);
      };
    }
    CallOptions call{.stop = stop_.get_token(), .long_text = options_.long_text};
    if (options_.on_progress) call.on_progress = [this](const Progress& progress) { report(progress.done, progress.tokens); };
    window.job = GeneratorAccess::submit(generator_, std::move(input), std::move(call));
  }

  void deliver(Window& window) {
    if (window.job) {
      window.job->wait();
      const auto block = std::make_shared<const EmbedResult>(window.job->take_result());
      for (std::size_t i = 0; i < window.rows.size(); ++i) window.rows[i]->place(block, i);
      for (const ItemReport& report : block->items) tokens_ += report.status == Status::ok ? report.tokens_used : 0;
    }
    for (const Item& item : window.items) deliver(item);
    release(window);
    std::erase_if(on_their_way_, [](const auto& entry) { return entry.second.expired(); });
    if (options_.on_progress) report(0, 0);
  }

  // Of a text that comes again in the next window the row stays, but not the whole block that it lies in.
  static void release(Window& window) {
    window.rows.clear();
    std::vector<std::weak_ptr<Row>> rows;
    for (const Item& item : window.items) {
      if (item.row) rows.push_back(item.row);
    }
    window = {};
    for (const std::weak_ptr<Row>& row : rows) {
      if (const auto wanted = row.lock(); wanted && wanted->block->items.size() > 1) wanted->detach();
    }
  }

  void deliver(const Item& item) {
    const std::size_t index = summary_.total++;
    if (!item.row) {
      ++summary_.failed;
      sink_({.index = index, .report = {.status = Status::invalid_argument, .message = item.error}});
      return;
    }
    const EmbedResult& block = *item.row->block;
    const ItemReport& report = block.items[item.row->index];
    StreamedVector streamed{.index = index, .report = report, .cached = item.cached && report.status == Status::ok, .key = item.row->key};
    if (report.status == Status::ok) {
      streamed.vector = {&block.vectors(item.row->index, 0), model_.dimension};
      ++summary_.success;
      ++(streamed.cached ? summary_.cached : summary_.newly_embedded);
      if (!streamed.cached) summary_.tokens += report.tokens_used;
      summary_.truncated += report.truncated() ? 1 : 0;
    } else {
      ++(report.status == Status::cancelled ? summary_.cancelled : summary_.failed);
    }
    sink_(streamed);
  }

  void report(std::size_t done, std::size_t tokens) const {
    const double passed = seconds();
    options_.on_progress({.done = summary_.total + done,
                          .total = total_,
                          .tokens = tokens_ + tokens,
                          .seconds = passed,
                          .tokens_per_second = passed > 0 ? static_cast<double>(tokens_ + tokens) / passed : 0});
  }

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

  const EmbeddingGenerator& generator_;
  const StreamSource& source_;
  const StreamSink& sink_;
  const StreamOptions& options_;
  CacheModel model_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::stop_source stop_;
  bool exhausted_ = false;
  std::size_t read_ = 0;
  std::size_t total_ = options_.total;  // 0: not known yet
  std::exception_ptr source_failure_;
  std::deque<Window> windows_;  // on their way, in order
  std::unordered_map<std::string, std::weak_ptr<Row>> on_their_way_;
  std::size_t tokens_ = 0;  // of delivered windows
  StreamSummary summary_;
};

}  // namespace

StreamSummary embed_stream(const EmbeddingGenerator& generator, const StreamSource& source, const StreamSink& sink,
                           const StreamOptions& options) {
  return Stream(generator, source, sink, options).run();
}

std::string cache_key(const EmbeddingGenerator& generator, std::string_view text) {
  const std::string& prompt = GeneratorAccess::document_prompt(generator);
  return prompt.empty() ? content_key(text) : content_key(std::string(prompt).append(text));
}

}  // namespace inlay
