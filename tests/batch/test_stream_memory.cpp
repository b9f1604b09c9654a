// A million short texts through a stream: memory stays where it was.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "inlay/inlay.hpp"
#include "platform/memory.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {

TEST_CASE("a million short texts take no more memory than the first quarter of them", "[memory]") {
  constexpr std::size_t count = 1'000'000;
  const TemporaryFolder folder;
  write_tiny_model(folder.path(), {.hidden = 16, .layers = 1, .intermediate = 32});
  const auto generator = EmbeddingGenerator::load(folder.path(), {.device = Device::cpu(), .threads = 2});
  std::size_t next = 0;
  const auto source = [&next]() -> std::optional<StreamText> {
    if (next == count) return std::nullopt;
    const std::size_t i = next++;
    // Every seventh has been before, or will be: more and more texts that come again in each window.
    if (i % 7 == 0) return StreamText{.text = fmt::format("read {}", i / 7 % (i / 5000 + 1))};
    return StreamText{.text = fmt::format("open file {}", i)};
  };
  std::vector<std::size_t> peak(4, 0);  // of each quarter
  std::size_t got = 0;
  const auto sink = [&](const StreamedVector& item) {
    if (item.report.status != Status::ok) FAIL(item.report.message);
    const std::size_t quarter = got * 4 / count;
    if (++got % 1000 == 0) peak[quarter] = std::max(peak[quarter], platform::resident_bytes());
  };
  const auto cache = open_cache("memory:", {.memory_bytes = std::size_t{8} << 20});
  const StreamSummary summary = embed_stream(generator, source, sink, {.max_memory = std::size_t{4} << 20, .cache = cache});
  CHECK(summary.success == count);
  CHECK(summary.cached > count / 8);
  fmt::print("peak of the quarters, MB: {} {} {} {}; {:.0f} texts/s\n", peak[0] >> 20, peak[1] >> 20, peak[2] >> 20, peak[3] >> 20,
             static_cast<double>(count) / summary.seconds);
  CHECK(static_cast<double>(peak[3]) < 1.05 * static_cast<double>(peak[0]));
  CHECK(platform::peak_resident_bytes() < std::size_t{600} * 1000 * 1000);
}

}  // namespace inlay::test
