#include "inlay/token_limit_estimator.hpp"

#include <algorithm>

#include "inlay/error.hpp"

namespace inlay {
namespace {

constexpr std::size_t usual_patience = 4;
constexpr std::size_t first_patience = 64;  // before a size that failed is tried again
constexpr std::size_t most_patience = 1024;

}  // namespace

TokenLimitEstimator::TokenLimitEstimator(std::size_t initial_limit)
    : initial_limit_(initial_limit), limit_(initial_limit), failed_size_(initial_limit + 1), patience_(first_patience) {
  if (initial_limit == 0) throw Error(Status::invalid_argument, "the initial limit of tokens in a batch is 0");
}

std::size_t TokenLimitEstimator::limit() const noexcept {
  const std::lock_guard lock(mutex_);
  return limit_;
}

void TokenLimitEstimator::on_out_of_memory(std::size_t tokens) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_probing_) patience_ = std::min(patience_ * 2, most_patience);
  is_probing_ = false;
  failed_size_ = std::min(failed_size_, tokens);
  limit_ = std::max<std::size_t>(1, std::min(limit_, tokens / 2));
  successes_ = 0;
}

void TokenLimitEstimator::on_success(std::size_t tokens) noexcept {
  const std::lock_guard lock(mutex_);
  if (limit_ == initial_limit_ || tokens < limit_ / 2) return;
  const std::size_t next = std::min(initial_limit_, limit_ + std::max<std::size_t>(1, limit_ / 8));
  const bool probes = next >= failed_size_;
  if (++successes_ < (probes ? patience_ : usual_patience)) return;
  if (probes) {
    failed_size_ = initial_limit_ + 1;
    is_probing_ = true;
  }
  limit_ = next;
  successes_ = 0;
}

}  // namespace inlay
