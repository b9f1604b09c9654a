#include "batch/embed_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "batch/plan.hpp"
#include "inlay/similarity.hpp"

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
      std::vector<std::size_t> lengths(input_.count);
      std::ranges::transform(ids_, lengths.begin(), [](const auto& ids) { return ids.size(); });
      batches_ = plan_batches(lengths, {settings_.token_limit->limit(), settings_.batch_size, settings_.workers});
    } catch (const std::bad_alloc&) {
      for (std::size_t i = 0; i < input_.count; ++i) fail(i, Status::out_of_memory);
    }
    if (!batches_.empty()) return batches_.size();
  }
  stage_ = Stage::done;
  if (on_done_) on_done_(*this);
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
  std::string buffer;
  for (std::size_t i = first; i < end; ++i) {
    if (stopped()) {
      fail(i, Status::cancelled);
    } else {
      tokenize_item(i, buffer);
    }
  }
}

void EmbedJob::tokenize_item(std::size_t item, std::string& buffer) {
  std::string_view text;
  try {
    text = input_.text(item, buffer);
  } catch (...) {
    Failure failure = failure_of("preparing the text", Status::invalid_argument);
    return fail(item, failure.status, std::move(failure.message));
  }
  try {
    ItemReport& report = result_.items[item];
    report.tokens_seen = settings_.tokenizer->encode_into(text, settings_.max_sequence_length, ids_[item]);
    report.tokens_used = ids_[item].size();
  } catch (...) {
    Failure failure = failure_of("tokenising the text", Status::internal);
    fail(item, failure.status, std::move(failure.message));
  }
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

// A batch that fails is split until what fails is one text, which is then that item's failure alone. So is one that was planned before the
// limit of tokens fell below it.
void EmbedJob::encode_or_split(std::span<const std::size_t> items) {
  std::size_t tokens = 0;
  for (const std::size_t item : items) tokens += ids_[item].size();
  Failure failure{Status::cancelled};
  const bool fits = items.size() == 1 || tokens <= settings_.token_limit->limit();
  if (fits && !stopped()) {
    try {
      encode(items);
      return settings_.token_limit->on_success(tokens);
    } catch (...) {
      failure = failure_of("encoding the text", Status::internal);
    }
    if (failure.status == Status::out_of_memory) settings_.token_limit->on_out_of_memory(tokens);
  }
  if (items.size() > 1 && !stopped()) {
    encode_or_split(items.first(items.size() / 2));
    return encode_or_split(items.subspan(items.size() / 2));
  }
  for (const std::size_t item : items) {
    try {
      fail(item, failure.status, failure.message);
    } catch (const std::bad_alloc&) {  // of the message's copy
      fail(item, failure.status);
    }
  }
}

void EmbedJob::encode(std::span<const std::size_t> items) {
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> lengths;
  std::vector<std::int64_t> skip;
  std::size_t total = 0;
  for (const std::size_t item : items) total += ids_[item].size();
  tokens.reserve(total);
  for (const std::size_t item : items) {
    const std::vector<TokenId>& ids = ids_[item];
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    lengths.push_back(static_cast<std::int64_t>(ids.size()));
    skip.push_back(static_cast<std::int64_t>(std::min(input_.prompt_tokens, ids.size() - 1)));
  }
  std::vector<float> vectors(items.size() * settings_.pooled_width);
  settings_.encoder->encode({tokens, lengths, skip}, settings_.poolings, vectors.data());
  vectors = settings_.head->apply(std::move(vectors));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::span<float> vector(vectors.data() + i * settings_.head->dimension(), settings_.dimension);
    if (settings_.normalize) inlay::normalize(vector);
    std::ranges::copy(vector, result_.vectors.data() + items[i] * settings_.dimension);
    ids_[items[i]] = {};
  }
  tokens_done_.fetch_add(total, std::memory_order_relaxed);
  items_done_.fetch_add(items.size(), std::memory_order_relaxed);
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

EmbedResult EmbedJob::take_result() {
  if (failure_) std::rethrow_exception(failure_);
  return std::move(result_);
}

}  // namespace inlay::batch
