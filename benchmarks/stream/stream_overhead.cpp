// What a stream with a SQLite cache costs beside the bare calls: the same texts, in turn, A B A B, with equal vectors.
//
//   stream_overhead MODEL FOLDER [texts [rounds]]
//
// FOLDER's Python files, cut into pieces that the model sees whole, are the texts. Prints a line of JSON: medians of the rounds' ratios, by the
// clock and by the processor time of the whole process.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <vector>

#include "inlay/inlay.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return fmt::print(stderr, "stream_overhead MODEL FOLDER [texts [rounds]]\n"), 2;
  const std::size_t most = count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1000;
  const std::size_t rounds = count > 4 ? std::strtoull(arguments[4], nullptr, 10) : 5;
  const auto generator = inlay::EmbeddingGenerator::load(arguments[1], {.device = inlay::Device::cpu(), .preparator = inlay::content_only});
  std::vector<std::string> texts;
  for (const inlay::Document& document :
       inlay::split_lines(inlay::read_corpus(arguments[2]), generator.tokenizer(), 256, inlay::content_only)) {
    if (texts.size() < most) texts.push_back(document.content);
  }
  const auto file = std::filesystem::temp_directory_path() / fmt::format("inlay_stream_overhead_{}.db", std::rand());
  const auto remove_cache = [&file] {
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + ending);
  };
  (void)generator.info();
  (void)generator.embed(std::span(texts).first(std::min<std::size_t>(texts.size(), 50)));
  std::vector<double> ratios;
  std::vector<double> processor_ratios;
  std::vector<double> found;
  for (std::size_t round = 0; round < rounds; ++round) {
    auto begin = Clock::now();
    std::clock_t processor = std::clock();
    const inlay::EmbedResult bare = generator.embed(texts, {.long_text = {.policy = inlay::LongText::average}});
    const double of_calls = seconds_since(begin);
    const auto processor_of_calls = static_cast<double>(std::clock() - processor);

    remove_cache();
    const auto run = [&] {
      std::size_t next = 0;
      const auto source = [&]() -> std::optional<inlay::StreamText> {
        if (next == texts.size()) return std::nullopt;
        const std::size_t i = next++;
        return inlay::StreamText{.text = texts[i], .label = fmt::format("text:{}", i)};
      };
      const auto sink = [&](const inlay::StreamedVector& item) {
        if (!std::equal(item.vector.begin(), item.vector.end(), &bare.vectors(item.index, 0))) std::abort();
      };
      begin = Clock::now();
      inlay::embed_stream(generator, source, sink, {.cache = inlay::open_cache(file.string())});
      return seconds_since(begin);
    };
    processor = std::clock();
    ratios.push_back(run() / of_calls);
    processor_ratios.push_back(static_cast<double>(std::clock() - processor) / processor_of_calls);
    found.push_back(static_cast<double>(texts.size()) / run());
  }
  remove_cache();
  fmt::print(
      "{{\"texts\": {}, \"stream_over_calls\": {:.4f}, \"in_processor_time\": {:.4f}, \"rounds\": [{:.4f}], \"all_cached_per_second\": "
      "{:.0f}}}\n",
      texts.size(), median(ratios), median(processor_ratios), fmt::join(ratios, ", "), median(found));
  return 0;
}
