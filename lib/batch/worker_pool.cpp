#include "batch/worker_pool.hpp"

#include <utility>

namespace inlay::batch {

WorkerPool::WorkerPool(std::size_t threads, std::function<void()> on_start) {
  threads_.reserve(threads);
  try {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, on_start] { work(on_start); });
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    throw;
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::submit(std::shared_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    ++unfinished_;
  }
  begin_stage(job);
}

void WorkerPool::begin_stage(const std::shared_ptr<Job>& job) {
  const std::size_t units = job->next_stage();
  {
    const std::lock_guard lock(mutex_);
    if (units == 0) {
      --unfinished_;
    } else {
      job->units_ = units;
      job->claimed_ = 0;
      job->finished_ = 0;
      claimable_.push_back(job);
    }
  }
  if (units == 1) {
    wake_.notify_one();
  } else {
    wake_.notify_all();  // several units, or the last job, for which the destructor's workers wait
  }
}

void WorkerPool::work(const std::function<void()>& on_start) {
  on_start();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !claimable_.empty() || (closing_ && unfinished_ == 0); });
    if (claimable_.empty()) return;
    const std::shared_ptr<Job> job = std::move(claimable_.front());
    claimable_.pop_front();
    const std::size_t unit = job->claimed_++;
    if (job->claimed_ < job->units_) claimable_.push_back(job);
    lock.unlock();
    job->run(unit);
    lock.lock();
    if (++job->finished_ == job->units_) {
      lock.unlock();
      begin_stage(job);
      lock.lock();
    }
  }
}

}  // namespace inlay::batch
