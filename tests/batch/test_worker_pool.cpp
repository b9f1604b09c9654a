#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "batch/worker_pool.hpp"
#include "support/catch.hpp"

using namespace inlay::batch;

namespace {

// Stages of the given numbers of units; counts what ran, and that no unit of a stage runs before the last of the stage before it has ended.
class CountingJob final : public Job {
 public:
  explicit CountingJob(std::vector<std::size_t> stages) : stages_(std::move(stages)) {}
  std::future<void> done() { return done_.get_future(); }
  std::atomic<std::size_t> ran{0};
  std::atomic<bool> out_of_order{false};

 private:
  void run(std::size_t index) noexcept override {
    if (index >= stages_[stage_ - 1]) out_of_order = true;
    if (ran.fetch_add(1) < before_) out_of_order = true;
    std::this_thread::yield();
  }
  std::size_t next_stage() noexcept override {
    if (ran.load() != before_ + (stage_ == 0 ? 0 : stages_[stage_ - 1])) out_of_order = true;
    before_ = ran.load();
    if (stage_ == stages_.size()) {
      done_.set_value();
      return 0;
    }
    return stages_[stage_++];
  }
  std::vector<std::size_t> stages_;
  std::size_t stage_ = 0;
  std::size_t before_ = 0;
  std::promise<void> done_;
};

}  // namespace

TEST_CASE("every unit of every stage runs once, stage after stage") {
  std::atomic<int> started{0};
  WorkerPool pool(4, [&] { ++started; });
  std::vector<std::shared_ptr<CountingJob>> jobs;
  std::vector<std::future<void>> ends;
  for (std::size_t i = 0; i < 200; ++i) {
    jobs.push_back(std::make_shared<CountingJob>(std::vector<std::size_t>{1 + i % 7, 30, 1}));
    ends.push_back(jobs.back()->done());
    pool.submit(jobs.back());
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    ends[i].get();
    CHECK(jobs[i]->ran == 1 + i % 7 + 30 + 1);
    CHECK_FALSE(jobs[i]->out_of_order);
  }
  CHECK(started <= 4);
}

TEST_CASE("a pool that goes out of scope finishes its jobs first") {
  const auto job = std::make_shared<CountingJob>(std::vector<std::size_t>{50, 50});
  {
    WorkerPool pool(2, [] {});
    pool.submit(job);
  }
  CHECK(job->ran == 100);
}

TEST_CASE("a short job does not wait for a long one") {
  class Slow final : public Job {
    void run(std::size_t) noexcept override { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
    std::size_t next_stage() noexcept override { return begun_ ? 0 : (begun_ = true, 200); }
    bool begun_ = false;
  };
  WorkerPool pool(1, [] {});
  pool.submit(std::make_shared<Slow>());
  const auto start = std::chrono::steady_clock::now();
  const auto quick = std::make_shared<CountingJob>(std::vector<std::size_t>{1});
  auto end = quick->done();
  pool.submit(quick);
  end.get();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(500));  // the long one takes a second
}
