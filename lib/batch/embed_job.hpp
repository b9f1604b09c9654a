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

/// The texts of a call; let go of before its end is told. `text` gives item i's, which may lie in `buffer`; called from several threads at once. What it throws fails that
/// item alone.
struct EmbedInput {
  std::size_t count = 0;
  std::function<std::string_view(std::size_t index, std::string& buffer)> text;
  std::string prompt{};  ///< in front of every text, and of every chunk of a long one
  bool pools_prompt = true;
  std::function<std::string_view(std::size_t index)> language{};  ///< for the cuts of a long text; may be empty
  /// Gets the items whose vectors a batch has finished, on a worker, as soon as they are there; may be empty. What it throws ends the call.
  std::function<void(std::span<const std::size_t> items, const Matrix& vectors)> keep{};
};

/// Tokens that frame each sequence: the special ones, and the prompt's.
[[nodiscard]] std::size_t frame_tokens(const EmbedSettings& settings, const std::string& prompt);

/// Tokens of a sequence at most, its frame included. Throws Error (invalid_argument) where the options leave no room for a text.
[[nodiscard]] std::size_t chunk_size(const EmbedSettings& settings, const LongTextOptions& long_text, std::size_t frame_tokens);

class EmbedJob final : public Job {
 public:
  /// `on_done` may be empty; it is called on a worker, once, when the result is there. Throws Error: out_of_memory when the vectors don't
  /// fit, invalid_argument for a chunk_size or chunk_overlap that leaves no room for a text.
  EmbedJob(std::shared_ptr<const EmbedSettings> settings, EmbedInput input, CallOptions call, std::function<void(EmbedJob&)> on_done);

  /// Waits for the end, and meanwhile calls the progress callback here, on the caller's thread.
  void wait();

  /// Ends it as soon as can be, and waits for that without calling the progress callback.
  void abandon() noexcept;

  /// After the end: the result, or what a progress callback threw.
  [[nodiscard]] EmbedResult take_result();

 private:
  void run(std::size_t index) noexcept override;
  std::size_t next_stage() noexcept override;

  // A text that was cut into chunks, until all of them are encoded.
  struct LongItem {
    std::vector<std::vector<TokenId>> chunks;
    std::vector<double> weights;  // of each chunk
    std::vector<float> vectors;   // [chunks, dimension]
    std::atomic<std::size_t> left{0};
    std::mutex mutex;  // guards the item's failure
    bool failed = false;
  };

  // What goes through the encoder as one: a text, or a chunk of a long one.
  struct Sequence {
    std::size_t item = 0;
    std::size_t chunk = 0;
    LongItem* whole = nullptr;  // null: the item is one sequence
  };

  struct Texts;  // buffers of a tokenising unit

  void tokenize(std::size_t first, std::size_t end);
  void tokenize_item(std::size_t item, Texts& texts);
  void cut_into_chunks(std::size_t item, std::string_view body, Texts& texts);
  void plan();
  void encode(std::span<const std::size_t> sequences);
  void encode_or_split(std::span<const std::size_t> sequences);
  bool finish(const Sequence& sequence, std::span<float> vector);
  void keep(std::span<const std::size_t> items) noexcept;
  void write_average(std::size_t item, const LongItem& whole);
  void fail(const Sequence& sequence, Status status, const std::string& message) noexcept;
  void fail(std::size_t item, Status status, std::string message = {}) noexcept;
  [[nodiscard]] std::vector<TokenId>& ids_of(const Sequence& sequence) noexcept;
  void report_progress();
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] bool stopped() const noexcept { return abandoned_.load(std::memory_order_relaxed) || call_.stop.stop_requested(); }

  enum class Stage { created, tokenizing, encoding, done };

  std::shared_ptr<const EmbedSettings> owned_settings_;
  const EmbedSettings& settings_ = *owned_settings_;
  EmbedInput input_;
  CallOptions call_;
  std::size_t chunk_size_ = 0;     // tokens of a sequence at most
  std::size_t frame_tokens_ = 0;   // special tokens and the prompt's, of every sequence
  std::size_t prompt_tokens_ = 0;  // leading tokens of every sequence that pooling leaves out
  std::function<void(EmbedJob&)> on_done_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

  Stage stage_ = Stage::created;
  std::vector<std::size_t> pieces_;                    // bounds of the tokenising units
  std::vector<std::vector<TokenId>> ids_;              // of each item that is one sequence, until it is encoded
  std::vector<std::unique_ptr<LongItem>> long_items_;  // by item where there are any, else empty
  std::vector<Sequence> sequences_;
  std::vector<std::vector<std::size_t>> batches_;  // of sequences
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
