// A progress bar on standard error, when that is a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

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
  /// So many of so many, without a rate.
  void show(std::size_t done, std::size_t total, std::string_view noun);

 private:
  [[nodiscard]] bool is_due(bool last);
  static std::string bar(double share);

  bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace inlay::cli
