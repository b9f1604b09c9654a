// How many threads FAISS and the BLAS under it compute with.
#pragma once

#include <omp.h>

namespace inlay::store {

/// While it lives, OpenMP's loops that this thread begins have so many threads; 0: as they are.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int threads) : before_(omp_get_max_threads()) {
    if (threads > 0) omp_set_num_threads(threads);
  }
  ~OpenMpThreads() { omp_set_num_threads(before_); }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;

 private:
  int before_;
};

}  // namespace inlay::store
