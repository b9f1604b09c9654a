#include <thread>
#include <vector>

#include "inlay/error.hpp"
#include "inlay/token_limit_estimator.hpp"
#include "support/catch.hpp"

using inlay::TokenLimitEstimator;

namespace {

// Batches that fill the limit go well until it has changed; how many that took, 0 where 10,000 didn't.
std::size_t successes_until_change(TokenLimitEstimator& estimator) {
  const std::size_t before = estimator.limit();
  for (std::size_t count = 1; count <= 10'000; ++count) {
    estimator.on_success(before);
    if (estimator.limit() != before) return count;
  }
  return 0;
}

}  // namespace

TEST_CASE("lack of memory halves the limit, by the batch that did not fit") {
  TokenLimitEstimator estimator(1000);
  CHECK(estimator.limit() == 1000);
  estimator.on_out_of_memory(600);
  CHECK(estimator.limit() == 300);
  estimator.on_out_of_memory(900);  // another thread's, planned before
  CHECK(estimator.limit() == 300);
  for (int i = 0; i < 20; ++i) estimator.on_out_of_memory(estimator.limit());
  CHECK(estimator.limit() == 1);
  estimator.on_out_of_memory(0);
  CHECK(estimator.limit() == 1);
}

TEST_CASE("the limit grows again with success, to the initial one and not beyond") {
  TokenLimitEstimator estimator(1000);
  CHECK(successes_until_change(estimator) == 0);
  estimator.on_out_of_memory(1000);
  CHECK(successes_until_change(estimator) == 4);
  CHECK(estimator.limit() == 562);
  for (int i = 0; i < 10'000; ++i) estimator.on_success(280);  // small batches say nothing
  CHECK(estimator.limit() == 562);
  for (int i = 0; i < 1000; ++i) estimator.on_success(estimator.limit());
  CHECK(estimator.limit() == 1000);
}

TEST_CASE("a lasting bound is run into ever more seldom") {
  constexpr std::size_t bound = 700;
  TokenLimitEstimator estimator(100'000);
  std::vector<std::size_t> failures;  // the number of the batch
  for (std::size_t batch = 0; batch < 20'000; ++batch) {
    const std::size_t tokens = estimator.limit();
    if (tokens > bound) {
      estimator.on_out_of_memory(tokens);
      failures.push_back(batch);
    } else {
      estimator.on_success(tokens);
    }
  }
  CHECK(estimator.limit() > bound / 2 - 1);
  REQUIRE(failures.size() > 10);  // 8 of the first descent
  CHECK(failures.size() < 40);
  CHECK(failures[7] == 7);
  for (std::size_t i = 9; i < 12; ++i) CHECK(failures[i + 1] - failures[i] > (failures[i] - failures[i - 1]) * 5 / 4);
}

TEST_CASE("an initial limit of no tokens is an error") { CHECK_THROWS_AS(TokenLimitEstimator(0), inlay::Error); }

TEST_CASE("threads may share an estimator") {
  TokenLimitEstimator estimator(1 << 16);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&estimator, i] {
      for (int round = 0; round < 5000; ++round) {
        if ((round + i) % 7 == 0) {
          estimator.on_out_of_memory(estimator.limit());
        } else {
          estimator.on_success(estimator.limit());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(estimator.limit() >= 1);
  CHECK(estimator.limit() <= 1 << 16);
}
