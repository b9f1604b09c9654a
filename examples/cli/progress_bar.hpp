// A progress bar on standard error, when that is a terminal.
#pragma once

#include <chrono>

#include "inlay/options.hpp"

namespace inlay::cli {

class ProgressBar {
 public:
  explicit ProgressBar(bool wanted);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `fraction`: how much of the work is done, from 0 to 1, where the number of items is not known.
  void show(const Progress& progress, double fraction = 0);

 private:
  bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace inlay::cli
