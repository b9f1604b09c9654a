#include "progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "output.hpp"

namespace inlay::cli {
namespace {

constexpr std::size_t width = 30;
constexpr auto interval = std::chrono::milliseconds(100);

}  // namespace

ProgressBar::ProgressBar(bool wanted) : visible_(wanted && ::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (drawn_) write_error("\r\033[K");
}

void ProgressBar::show(const Progress& progress, double fraction) {
  const bool counted = progress.total > 0;
  if (!is_due(counted && progress.done >= progress.total)) return;
  const double share = counted ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : std::clamp(fraction, 0.0, 1.0);
  const std::string left = share > 0 ? fmt::format("  {:.0f} s left", progress.seconds / share * (1 - share)) : std::string();
  write_error(fmt::format("\r{} {}{}  {} tokens/s{}\033[K", bar(share), with_commas(progress.done),
                          counted ? fmt::format("/{}", with_commas(progress.total)) : std::string(),
                          with_commas(progress.tokens_per_second), left));
}

void ProgressBar::show(std::size_t done, std::size_t total, std::string_view noun) {
  if (!is_due(done >= total)) return;
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  write_error(fmt::format("\r{} {}/{} {}\033[K", bar(share), with_commas(done), with_commas(total), noun));
}

// Whether to draw now.
bool ProgressBar::is_due(bool last) {
  const auto now = std::chrono::steady_clock::now();
  if (!visible_ || (now - last_ < interval && !last)) return false;
  last_ = now;
  drawn_ = true;
  return true;
}

std::string ProgressBar::bar(double share) {
  const auto filled = static_cast<std::size_t>(share * width);
  return fmt::format("[{}{}]", std::string(filled, '='), std::string(width - filled, ' '));
}

}  // namespace inlay::cli
