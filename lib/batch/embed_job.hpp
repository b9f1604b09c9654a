// EmbedJob: one call to a generator on its way through the worker pool: prepare and tokenise, plan, encode.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/worker_pool.hpp"
#include "encode/encoder.hpp"
#include "encode/sentence_head.hpp"
#include "inlay/generator.hpp"
#include "inlay/token_limit_estimator.hpp"

namespace inlay::batch {

/// What all calls of a generator share. Immutable.
struct EmbedSettings {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const encode::Encoder> encoder;
  std::shared_ptr<const encode::SentenceHead> head;
  std::vector<Pooling> poolings = {Pooling::mean};
  bool normalize = true;
  std::size_t pooled_width = 0;  ///< components of a pooled vector, before the head
  std::size_t dimension = 0;     ///< of a vector that the caller gets: the head's, or fewer
  std::size_t max_sequence_length = 0;
  std::shared_ptr<TokenLimitEstimator> token_limit;  ///< of a batch; learns, and may be called from any thread
  std::size_t batch_size = 0;
  std::size_t workers = 1;
};

/// The texts of a call. `text` gives item i's, which may lie in `buffer`; called from several threads at once. What it throws fails that
/// item alone.
struct EmbedInput {
  std::size_t count = 0;
  std::function<std::string_view(std::size_t index, std::string& buffer)> text;
  std::size_t prompt_tokens = 0;  ///< leading tokens of every text that pooling leaves out
};

class EmbedJob final : public Job {
 public:
  /// `on_done` may be empty; it is called on a worker, once, when the result is there. Throws Error
  /// (out_of_memory) when the vectors don't fit.
  EmbedJob(std::shared_ptr<const EmbedSettings> settings, EmbedInput input, CallOptions call, std::function<void(EmbedJob&)> on_done);

  /// Waits for the end, and meanwhile calls the progress callback here, on the caller's thread.
  void wait();

  /// After the end: the result, or what a progress callback threw.
  [[nodiscard]] EmbedResult take_result();

 private:
  void run(std::size_t index) noexcept override;
  std::size_t next_stage() noexcept override;

  void tokenize(std::size_t first, std::size_t end);
  void encode(std::span<const std::size_t> items);
  void encode_or_split(std::span<const std::size_t> items);
  void tokenize_item(std::size_t item, std::string& buffer);
  void fail(std::size_t item, Status status, std::string message = {}) noexcept;
  void report_progress();
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] bool stopped() const noexcept { return abandoned_.load(std::memory_order_relaxed) || call_.stop.stop_requested(); }

  enum class Stage { created, tokenizing, encoding, done };

  std::shared_ptr<const EmbedSettings> owned_settings_;
  const EmbedSettings& settings_ = *owned_settings_;
  EmbedInput input_;
  CallOptions call_;
  std::function<void(EmbedJob&)> on_done_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

  Stage stage_ = Stage::created;
  std::vector<std::size_t> pieces_;        // bounds of the tokenising units
  std::vector<std::vector<TokenId>> ids_;  // of each item, until it is encoded
  std::vector<std::vector<std::size_t>> batches_;
  EmbedResult result_;

  std::atomic<bool> abandoned_{false};  // a progress callback threw
  std::atomic<std::size_t> items_done_{0};
  std::atomic<std::size_t> tokens_done_{0};

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool finished_ = false;
  std::size_t batches_done_ = 0;
  std::exception_ptr failure_;
};

}  // namespace inlay::batch
