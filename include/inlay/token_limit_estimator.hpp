// TokenLimitEstimator: how many tokens a batch may have so that memory suffices, learnt from the batches that didn't fit and those that did.
//
// A generator has one of its own, and needs no help: a batch for which memory doesn't suffice is split and tried again, alone, and the
// batches after it are cut smaller; when they go well the limit grows again. Whoever runs batches of their own can do the same:
//
//   inlay::TokenLimitEstimator estimator(32768);
//   while (auto batch = next_batch(estimator.limit())) {
//     if (try_to_run(*batch)) estimator.on_success(batch->tokens);
//     else { estimator.on_out_of_memory(batch->tokens); split_and_retry(*batch); }
//   }
//
// Thread rule: any number of threads may call one at once.
#pragma once

#include <cstddef>
#include <mutex>

namespace inlay {

class TokenLimitEstimator {
 public:
  /// `initial_limit` is never exceeded. Throws Error (invalid_argument) for 0.
  explicit TokenLimitEstimator(std::size_t initial_limit);

  /// Tokens that a batch should have at most now: from 1 to the initial limit.
  [[nodiscard]] std::size_t limit() const noexcept;

  /// For a batch of so many tokens memory did not suffice: the limit becomes half of them, unless it is lower. To be told of true lack of
  /// memory alone (Status::out_of_memory), never of other failures.
  void on_out_of_memory(std::size_t tokens) noexcept;

  /// A batch of so many tokens went well. After every 4 that filled at least half of the limit it grows by an eighth, as long as it stays
  /// below the last size that failed. That is tried again only after 64 of them, and after twice as many each time that it fails
  /// (1,024 at most), so that a lasting bound is seldom run into.
  void on_success(std::size_t tokens) noexcept;

 private:
  mutable std::mutex mutex_;
  std::size_t initial_limit_;
  std::size_t limit_;
  std::size_t failed_size_;    // tokens that did not fit when last tried; more than the initial limit: none
  std::size_t successes_ = 0;  // since the limit last changed
  std::size_t patience_;       // successes before failed_size_ is tried again
  bool is_probing_ = false;    // since the failed size is tried again
};

}  // namespace inlay
