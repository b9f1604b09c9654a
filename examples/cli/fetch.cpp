#include "fetch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "inlay/error.hpp"
#include "interrupt.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

class Bar {
 public:
  explicit Bar(bool visible) : visible_(visible) {}
  ~Bar() {
    if (drawn_) write_error("\r\033[K");
  }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  void show(const PullProgress& progress) {
    constexpr std::uint64_t width = 30;
    if (!visible_ || progress.total == 0) return;
    drawn_ = true;
    const auto share = static_cast<double>(progress.bytes) / static_cast<double>(progress.total);
    const std::size_t filled = std::min<std::size_t>(width, static_cast<std::size_t>(share * static_cast<double>(width)));
    const double speed = progress.seconds > 0 ? static_cast<double>(progress.bytes) / progress.seconds : 0;
    write_error(fmt::format("\r[{}{}] {} of {}  {:.1f} MB/s  {}\033[K", std::string(filled, '='), std::string(width - filled, ' '),
                            megabytes(progress.bytes), megabytes(progress.total), speed / 1e6, printable(progress.file)));
  }

 private:
  bool visible_;
  bool drawn_ = false;
};

template <class Pull>
auto with_progress(bool quiet, const std::string& revision, Pull&& pull) {
  const StopScope stop;
  std::optional<Messages> messages;
  if (!quiet) messages.emplace(LogLevel::info);
  Bar bar(!quiet && ::isatty(STDERR_FILENO) == 1);
  return pull(
      PullOptions{.revision = revision, .stop = stop.token(), .on_progress = [&bar](const PullProgress& progress) { bar.show(progress); }});
}

bool may_be_on_hub(const std::string& name) {
  if (std::filesystem::path(name).extension() == ".pt") return false;  // a program
  try {
    static_cast<void>(hub_name(name));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

PullResult fetch(const std::string& name, const std::string& revision, bool quiet) {
  return with_progress(quiet, revision, [&](const PullOptions& options) { return pull_model(name, options); });
}

void look_for(const std::string& name, const std::string& revision, bool download) {
  if (!may_be_on_hub(name)) return;
  if (download) {
    with_progress(false, revision, [&](const PullOptions& options) { return find_or_pull_model(name, options); });
  } else {
    const Messages messages(LogLevel::info);
    static_cast<void>(find_model(name, {.revision = revision}));
  }
}

std::string megabytes(std::uint64_t bytes) {
  const double million = static_cast<double>(bytes) / 1e6;
  return million < 1000 ? fmt::format("{:.{}f} MB", million, million < 10 ? 1 : 0) : fmt::format("{:.2f} GB", million / 1000);
}

}  // namespace inlay::cli
