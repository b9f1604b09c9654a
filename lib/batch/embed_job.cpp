#include "batch/embed_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "batch/plan.hpp"
#include "inlay/similarity.hpp"
#include "inlay/text_splitter.hpp"

namespace inlay::batch {
namespace {

// Texts of a tokenising unit: enough to be worth a thread's waking, little enough to share a call out.
constexpr std::size_t unit_items = 64;

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

struct Failure {
  Status status = Status::out_of_memory;
  std::string message{};
};

// Inside a catch block: what was thrown, as an item's failure. Where there is no memory for a message, the status alone.
Failure failure_of(std::string_view action, Status otherwise) noexcept {
  try {
    try {
      throw;
    } catch (const Error& error) {
      return {error.status(), fmt::format("{}: {}", action, error.what())};
    } catch (const std::bad_alloc&) {
      return {Status::out_of_memory, fmt::format("{}: out of memory", action)};
    } catch (const std::exception& error) {
      return {otherwise, fmt::format("{}: {}", action, error.what())};
    } catch (...) {
      return {otherwise, fmt::format("{}: an exception of an unknown type", action)};
    }
  } catch (...) {
    return {};
  }
}

}  // namespace

struct EmbedJob::Texts {
  std::string prepared;  // the item's text, where it is made for the call
  std::string whole;     // with the prompt
  std::string chunk;

  // The text behind the prompt.
  static std::string_view joined(const std::string& prompt, std::string_view text, std::string& buffer) {
    if (prompt.empty()) return text;
    return buffer.assign(prompt).append(text);
  }
};

std::size_t frame_tokens(const EmbedSettings& settings, const std::string& prompt) {
  return prompt.empty() ? settings.tokenizer->special_tokens() : settings.tokenizer->encode(prompt).ids.size();
}

std::size_t chunk_size(const EmbedSettings& settings, const LongTextOptions& long_text, std::size_t frame_tokens) {
  if (long_text.policy != LongText::average) return settings.max_sequence_length;
  const std::size_t wanted = long_text.chunk_size == 0 ? settings.max_sequence_length : long_text.chunk_size;
  const std::size_t size = std::min(settings.max_sequence_length, wanted);
  if (size > frame_tokens && long_text.chunk_overlap < size - frame_tokens) return size;
  throw Error(Status::invalid_argument,
              fmt::format("a chunk of {} tokens, {} of them repeated, has no room for a text beside {} special and prompt tokens", size,
                          long_text.chunk_overlap, frame_tokens));
}

EmbedJob::EmbedJob(std::shared_ptr<const EmbedSettings> settings, EmbedInput input, CallOptions call,
                   std::function<void(EmbedJob&)> on_done)
    : owned_settings_(std::move(settings)), input_(std::move(input)), call_(std::move(call)), on_done_(std::move(on_done)) {
  try {
    result_.vectors = Matrix::from_shape({input_.count, settings_.dimension});
    result_.items.resize(input_.count);
    ids_.resize(input_.count);
  } catch (const std::exception&) {  // bad_alloc, or length_error for a count beyond all memory
    throw Error(Status::out_of_memory, fmt::format("no memory for {} vectors of {} components", input_.count, settings_.dimension));
  }
  const Tokenizer& tokenizer = *settings_.tokenizer;
  frame_tokens_ = frame_tokens(settings_, input_.prompt);
  // Those of the prompt alone without the closing special token.
  if (!input_.prompt.empty() && !input_.pools_prompt) prompt_tokens_ = frame_tokens_ - (tokenizer.special_tokens() > 1 ? 1 : 0);
  chunk_size_ = chunk_size(settings_, call_.long_text, frame_tokens_);
}

std::size_t EmbedJob::next_stage() noexcept {
  if (stage_ == Stage::created) {
    stage_ = Stage::tokenizing;
    const std::size_t units = (input_.count + unit_items - 1) / unit_items;
    if (units > 0) return units;
  }
  if (stage_ == Stage::tokenizing) {
    stage_ = Stage::encoding;
    try {
      plan();
    } catch (const std::bad_alloc&) {
      for (std::size_t i = 0; i < input_.count; ++i) {
        if (result_.items[i].status == Status::ok) fail(i, Status::out_of_memory);
      }
    }
    if (!batches_.empty()) return batches_.size();
  }
  stage_ = Stage::done;
  if (on_done_) on_done_(*this);
  input_ = {.count = input_.count};    // what the caller handed in is his again
  const std::lock_guard lock(mutex_);  // notified under the lock: a waiter may destroy the job as soon as it has seen `finished_`
  finished_ = true;
  changed_.notify_all();
  return 0;
}

void EmbedJob::run(std::size_t index) noexcept {
  if (stage_ == Stage::tokenizing) {
    tokenize(index * unit_items, std::min(input_.count, (index + 1) * unit_items));
    return;
  }
  encode_or_split(batches_[index]);
  report_progress();
}

void EmbedJob::tokenize(std::size_t first, std::size_t end) {
  Texts texts;
  for (std::size_t i = first; i < end; ++i) {
    if (stopped()) {
      fail(i, Status::cancelled);
    } else {
      tokenize_item(i, texts);
    }
  }
}

void EmbedJob::tokenize_item(std::size_t item, Texts& texts) {
  std::string_view body;
  try {
    body = input_.text(item, texts.prepared);
  } catch (...) {
    Failure failure = failure_of("preparing the text", Status::invalid_argument);
    return fail(item, failure.status, std::move(failure.message));
  }
  try {
    ItemReport& report = result_.items[item];
    report.tokens_seen = settings_.tokenizer->encode_into(Texts::joined(input_.prompt, body, texts.whole), chunk_size_, ids_[item]);
    report.tokens_used = ids_[item].size();
    if (report.tokens_used == 0) return fail(item, Status::invalid_argument, "the text has no token");
    if (!report.truncated() || call_.long_text.policy == LongText::truncate) return;
    if (call_.long_text.policy == LongText::error) {
      return fail(item, Status::invalid_argument,
                  fmt::format("the text has {} tokens, more than the {} that the model takes", report.tokens_seen, chunk_size_));
    }
    cut_into_chunks(item, body, texts);
  } catch (...) {
    Failure failure = failure_of("tokenising the text", Status::internal);
    fail(item, failure.status, std::move(failure.message));
  }
}

void EmbedJob::cut_into_chunks(std::size_t item, std::string_view body, Texts& texts) {
  const Tokenizer& tokenizer = *settings_.tokenizer;
  SplitterOptions options{.chunk_size = chunk_size_, .chunk_overlap = call_.long_text.chunk_overlap};
  if (input_.language) options.language = input_.language(item);
  std::optional<TokenCounter> counter;
  if (input_.prompt.empty()) {
    counter.emplace(tokenizer);
  } else {  // counted with the prompt in front, since tokens may join
    std::vector<TokenId> ids;
    options.chunk_size -= frame_tokens_;
    counter.emplace([&, ids](std::string_view text) mutable {
      ids.clear();
      const std::size_t tokens = tokenizer.encode_into(Texts::joined(input_.prompt, text, texts.chunk), tokenizer.special_tokens(), ids);
      return tokens - std::min(tokens, frame_tokens_);
    });
  }
  auto whole = std::make_unique<LongItem>();
  ItemReport& report = result_.items[item];
  report.tokens_used = report.tokens_seen;
  for (const TextChunk& chunk : RecursiveCharacterTextSplitter(*counter, options).split(body)) {
    std::vector<TokenId>& ids = whole->chunks.emplace_back();
    const std::size_t seen = tokenizer.encode_into(Texts::joined(input_.prompt, chunk.of(body), texts.chunk), chunk_size_, ids);
    report.tokens_used -= std::min(report.tokens_used - 1, seen - ids.size());  // one character of more tokens than a chunk has
    whole->weights.push_back(static_cast<double>(std::max(ids.size(), frame_tokens_ + 1) - frame_tokens_));
  }
  report.chunks = whole->chunks.size();
  whole->left = whole->chunks.size();
  whole->vectors.resize(whole->chunks.size() * settings_.dimension);
  ids_[item] = {};
  const std::lock_guard lock(mutex_);
  if (long_items_.empty()) long_items_.resize(input_.count);
  long_items_[item] = std::move(whole);
}

void EmbedJob::plan() {
  for (std::size_t item = 0; item < long_items_.size(); ++item) {
    LongItem* whole = long_items_[item].get();
    if (whole == nullptr) continue;
    for (std::size_t chunk = 0; chunk < whole->chunks.size(); ++chunk) sequences_.push_back({item, chunk, whole});
  }
  const std::size_t chunks = sequences_.size();
  for (std::size_t item = 0; item < input_.count; ++item) {
    const bool is_cut = !long_items_.empty() && long_items_[item] != nullptr;
    if (!is_cut && result_.items[item].status == Status::ok) sequences_.push_back({item, 0, nullptr});
  }
  std::vector<std::size_t> lengths(sequences_.size());
  std::ranges::transform(sequences_, lengths.begin(), [this](const Sequence& sequence) { return ids_of(sequence).size(); });
  batches_ = plan_batches(lengths, {settings_.token_limit->limit(), settings_.batch_size, settings_.workers}, chunks);
}

std::vector<TokenId>& EmbedJob::ids_of(const Sequence& sequence) noexcept {
  return sequence.whole == nullptr ? ids_[sequence.item] : sequence.whole->chunks[sequence.chunk];
}

void EmbedJob::fail(std::size_t item, Status status, std::string message) noexcept {
  ItemReport& report = result_.items[item];
  report.status = status;
  report.message = std::move(message);
  report.tokens_used = 0;
  ids_[item] = {};
  float* row = result_.vectors.data() + item * settings_.dimension;
  std::fill_n(row, settings_.dimension, not_a_number);
  if (status != Status::cancelled) items_done_.fetch_add(1, std::memory_order_relaxed);  // what was never begun is not done
}

// Of a long text's chunks the first that fails decides what is said.
void EmbedJob::fail(const Sequence& sequence, Status status, const std::string& message) noexcept {
  std::unique_lock<std::mutex> lock;
  if (sequence.whole != nullptr) {
    lock = std::unique_lock(sequence.whole->mutex);
    if (std::exchange(sequence.whole->failed, true)) return;
  }
  try {
    fail(sequence.item, status, message);
  } catch (const std::bad_alloc&) {  // of the message's copy
    fail(sequence.item, status);
  }
}

// A batch that fails is split until what fails is one sequence, whose item alone has then failed. So is one that was planned before the
// limit of tokens fell below it.
void EmbedJob::encode_or_split(std::span<const std::size_t> sequences) {
  std::size_t tokens = 0;
  for (const std::size_t i : sequences) tokens += ids_of(sequences_[i]).size();
  Failure failure{Status::cancelled};
  const bool fits = sequences.size() == 1 || tokens <= settings_.token_limit->limit();
  if (fits && !stopped()) {
    try {
      encode(sequences);
      return settings_.token_limit->on_success(tokens);
    } catch (...) {
      failure = failure_of("encoding the text", Status::internal);
    }
    if (failure.status == Status::out_of_memory) settings_.token_limit->on_out_of_memory(tokens);
  }
  if (sequences.size() > 1 && !stopped()) {
    encode_or_split(sequences.first(sequences.size() / 2));
    return encode_or_split(sequences.subspan(sequences.size() / 2));
  }
  if (sequences.size() > 1) failure = {Status::cancelled};  // stopped before any was tried alone
  for (const std::size_t i : sequences) fail(sequences_[i], failure.status, failure.message);
}

void EmbedJob::encode(std::span<const std::size_t> sequences) {
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> lengths;
  std::vector<std::int64_t> skip;
  std::size_t total = 0;
  for (const std::size_t i : sequences) total += ids_of(sequences_[i]).size();
  tokens.reserve(total);
  for (const std::size_t i : sequences) {
    const std::vector<TokenId>& ids = ids_of(sequences_[i]);
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    lengths.push_back(static_cast<std::int64_t>(ids.size()));
    skip.push_back(static_cast<std::int64_t>(std::min(prompt_tokens_, ids.size() - 1)));
  }
  std::vector<float> vectors(sequences.size() * settings_.pooled_width);
  settings_.encoder->encode({tokens, lengths, skip}, settings_.poolings, vectors.data());
  vectors = settings_.head->apply(std::move(vectors));
  tokens_done_.fetch_add(total, std::memory_order_relaxed);
  std::vector<std::size_t> finished;
  finished.reserve(sequences.size());
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& sequence = sequences_[sequences[i]];
    const bool whole = finish(sequence, {vectors.data() + i * settings_.head->dimension(), settings_.dimension});
    if (whole) finished.push_back(sequence.item);
  }
  items_done_.fetch_add(finished.size(), std::memory_order_relaxed);
  if (input_.keep && !finished.empty()) keep(finished);
}

void EmbedJob::keep(std::span<const std::size_t> items) noexcept {
  try {
    input_.keep(items, result_.vectors);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    abandoned_.store(true, std::memory_order_relaxed);
  }
}

// Whether the item's vector is there.
bool EmbedJob::finish(const Sequence& sequence, std::span<float> vector) {
  if (settings_.normalize) inlay::normalize(vector);
  ids_of(sequence) = {};
  if (!std::ranges::all_of(vector, [](float value) { return std::isfinite(value); })) {
    fail(sequence, Status::invalid_model, "the model gives numbers that are not finite");
    return false;
  }
  if (sequence.whole == nullptr) {
    std::ranges::copy(vector, result_.vectors.data() + sequence.item * settings_.dimension);
    return true;
  }
  LongItem& whole = *sequence.whole;
  std::ranges::copy(vector, whole.vectors.data() + sequence.chunk * settings_.dimension);
  if (whole.left.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  write_average(sequence.item, whole);
  return true;
}

void EmbedJob::write_average(std::size_t item, const LongItem& whole) {
  const std::span<float> row(result_.vectors.data() + item * settings_.dimension, settings_.dimension);
  double total = 0;
  for (const double weight : whole.weights) total += weight;
  for (std::size_t component = 0; component < row.size(); ++component) {
    double sum = 0;
    for (std::size_t chunk = 0; chunk < whole.weights.size(); ++chunk) {
      sum += whole.weights[chunk] * whole.vectors[chunk * row.size() + component];
    }
    row[component] = static_cast<float>(sum / total);
  }
  if (settings_.normalize) inlay::normalize(row);
}

Progress EmbedJob::progress() const {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const std::size_t tokens = tokens_done_.load(std::memory_order_relaxed);
  return {.done = items_done_.load(std::memory_order_relaxed),
          .total = input_.count,
          .tokens = tokens,
          .seconds = seconds,
          .tokens_per_second = seconds > 0 ? static_cast<double>(tokens) / seconds : 0};
}

// After each batch: with a waiting caller it is told, and calls back itself; without one the callback is called here, under the lock, so
// that calls come one at a time.
void EmbedJob::report_progress() {
  const std::lock_guard lock(mutex_);
  ++batches_done_;
  if (!on_done_) {
    changed_.notify_all();
    return;
  }
  if (!call_.on_progress || failure_) return;
  try {
    call_.on_progress(progress());
  } catch (...) {
    failure_ = std::current_exception();
    abandoned_.store(true, std::memory_order_relaxed);
  }
}

void EmbedJob::wait() {
  std::size_t told = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return finished_ || batches_done_ != told; });
    const bool news = batches_done_ != told;
    told = batches_done_;
    if (news && call_.on_progress && !failure_) {
      lock.unlock();
      std::exception_ptr thrown;
      try {
        call_.on_progress(progress());
      } catch (...) {
        thrown = std::current_exception();
        abandoned_.store(true, std::memory_order_relaxed);
      }
      lock.lock();
      if (thrown) failure_ = thrown;
    }
    if (finished_ && batches_done_ == told) return;
  }
}

void EmbedJob::abandon() noexcept {
  abandoned_.store(true, std::memory_order_relaxed);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_; });
}

EmbedResult EmbedJob::take_result() {
  if (failure_) std::rethrow_exception(failure_);
  return std::move(result_);
}

}  // namespace inlay::batch
