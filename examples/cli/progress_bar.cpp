#include "progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

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
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::show(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (!visible_ || progress.total == 0 || (now - last_ < interval && progress.done < progress.total)) return;
  last_ = now;
  drawn_ = true;
  const std::size_t filled = width * progress.done / progress.total;
  const double left =
      progress.done == 0 ? 0 : progress.seconds / static_cast<double>(progress.done) * static_cast<double>(progress.total - progress.done);
  fmt::print(stderr, "\r[{}{}] {}/{}  {} tokens/s  {:.0f} s left\033[K", std::string(filled, '='), std::string(width - filled, ' '),
             with_commas(progress.done), with_commas(progress.total), with_commas(progress.tokens_per_second), left);
  std::fflush(stderr);
}

}  // namespace inlay::cli
