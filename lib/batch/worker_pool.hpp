// WorkerPool: the threads that a generator computes with. They sleep while there is nothing to do.
//
// A job is a number of units that may run in any order and at once. When a stage's last unit is done the job may begin another stage. Jobs
// take turns, a unit each, so that a query does not wait for a corpus.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace inlay::batch {

class Job {
 public:
  virtual ~Job() = default;

 protected:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

 private:
  friend class WorkerPool;

  /// Runs unit `index` of the present stage. Must not throw.
  virtual void run(std::size_t index) noexcept = 0;

  /// Called once before the first stage and after each stage's last unit, on one thread: the number of units of the next stage, 0 when the
  /// job is done. Nothing of the pool's touches the job after that 0. Must not throw.
  virtual std::size_t next_stage() noexcept = 0;

  std::size_t units_ = 0;  // of the present stage; these four are guarded by the pool's mutex
  std::size_t claimed_ = 0;
  std::size_t finished_ = 0;
  std::shared_ptr<Job> next_;  // in the queue, which so never allocates
};

class WorkerPool {
 public:
  /// Each thread calls `on_start` first. Throws std::system_error when threads cannot be started.
  WorkerPool(std::size_t threads, const std::function<void()>& on_start);

  /// Finishes all jobs, then joins. On one of the pool's own threads (a job held the last reference to the pool's owner) that thread is let
  /// go instead, and ends once the jobs are done.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Whether the calling thread is one of the pool's: waiting for a job there could wait for ever.
  [[nodiscard]] bool is_worker() const noexcept;

  /// Whether the calling process started the pool; a forked child has a copy of it without threads.
  [[nodiscard]] bool is_own_process() const noexcept;

  /// Returns at once. The pool keeps the job until it is done.
  void submit(std::shared_ptr<Job> job);

 private:
  // What the threads share. It outlives the pool where a thread does.
  struct State {
    std::mutex mutex;
    std::condition_variable wake;
    std::shared_ptr<Job> first;  // a queue of the jobs with units that nobody has claimed
    Job* last = nullptr;
    std::size_t unfinished = 0;  // jobs
    bool closing = false;

    void push(std::shared_ptr<Job> job) noexcept;
    [[nodiscard]] std::shared_ptr<Job> pop() noexcept;
    void begin_stage(const std::shared_ptr<Job>& job) noexcept;
    void work() noexcept;
  };

  void close() noexcept;

  std::shared_ptr<State> state_;
  std::uint64_t process_;
  std::vector<std::thread> threads_;
};

}  // namespace inlay::batch
