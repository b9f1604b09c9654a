#include "batch/worker_pool.hpp"

#include <utility>

#include "platform/process.hpp"

namespace inlay::batch {
namespace {

thread_local const void* own_state = nullptr;  // of the pool whose worker this thread is

}  // namespace

WorkerPool::WorkerPool(std::size_t threads, const std::function<void()>& on_start)
    : state_(std::make_shared<State>()), process_(platform::process_id()) {
  threads_.reserve(threads);
  try {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([state = state_, on_start] {
        own_state = state.get();
        on_start();
        state->work();
      });
    }
  } catch (...) {
    close();
    throw;
  }
}

WorkerPool::~WorkerPool() { close(); }

bool WorkerPool::is_worker() const noexcept { return own_state == state_.get(); }

bool WorkerPool::is_own_process() const noexcept { return process_ == platform::process_id(); }

void WorkerPool::close() noexcept {
  if (!is_own_process()) {  // there is no thread to join, and the mutex is as the fork found it
    for (std::thread& thread : threads_) thread.detach();
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

void WorkerPool::submit(std::shared_ptr<Job> job) {
  {
    const std::lock_guard lock(state_->mutex);
    ++state_->unfinished;
  }
  state_->begin_stage(job);
}

void WorkerPool::State::push(std::shared_ptr<Job> job) noexcept {
  Job* const added = job.get();
  (first == nullptr ? first : last->next_) = std::move(job);
  last = added;
}

std::shared_ptr<Job> WorkerPool::State::pop() noexcept {
  std::shared_ptr<Job> job = std::move(first);
  first = std::move(job->next_);
  return job;
}

void WorkerPool::State::begin_stage(const std::shared_ptr<Job>& job) noexcept {
  const std::size_t units = job->next_stage();
  {
    const std::lock_guard lock(mutex);
    if (units == 0) {
      --unfinished;
    } else {
      job->units_ = units;
      job->claimed_ = 0;
      job->finished_ = 0;
      push(job);
    }
  }
  if (units == 1) {
    wake.notify_one();
  } else {
    wake.notify_all();  // several units, or the last job, for whose end the closing threads wait
  }
}

void WorkerPool::State::work() noexcept {
  while (true) {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return first != nullptr || (closing && unfinished == 0); });
    if (first == nullptr) return;
    const std::shared_ptr<Job> job = pop();
    const std::size_t unit = job->claimed_++;
    if (job->claimed_ < job->units_) push(job);
    lock.unlock();
    job->run(unit);
    lock.lock();
    const bool stage_ended = ++job->finished_ == job->units_;
    lock.unlock();  // not held when the job goes: its end may be that of the pool's owner
    if (stage_ended) begin_stage(job);
  }
}

}  // namespace inlay::batch
