// How fast source code becomes functions and classes, and how much of that tree-sitter takes.
//
//   benchmark_parse FOLDER [ROUNDS]
//
// Reads all Python files below FOLDER, then parses them from memory on one thread, ROUNDS times (5), by tree-sitter alone and by CodeParser in
// turn. Prints megabytes of source a second, medians, by the clock and by the thread's processor time.
#include <fmt/format.h>
#include <tree_sitter/api.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <inlay/code_parser.hpp>
#include <inlay/corpus.hpp>
#include <string>
#include <vector>

#include "code/parse/grammars.hpp"

namespace {

struct Speed {
  std::vector<double> clock;
  std::vector<double> processor;
};

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void measure(Speed& speed, double megabytes, const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  const double processor = processor_seconds();
  work();
  speed.processor.push_back(megabytes / (processor_seconds() - processor));
  speed.clock.push_back(megabytes / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: benchmark_parse FOLDER [ROUNDS]\n");
    return 2;
  }
  const int rounds = argc > 2 ? std::stoi(argv[2]) : 5;
  std::vector<std::string> sources;
  std::size_t bytes = 0;
  inlay::CorpusReader reader(argv[1], {.max_file_bytes = std::size_t{4} << 20});
  while (auto document = reader.next()) {
    if (document->metadata.language != "python") continue;
    bytes += document->content.size();
    sources.push_back(std::move(document->content));
  }
  const inlay::code::Grammar* grammar = inlay::code::find_grammar("python", "");
  if (sources.empty() || grammar == nullptr) {
    fmt::print(stderr, "benchmark_parse: no Python files in {}, or no grammar for them\n", argv[1]);
    return 1;
  }
  const double megabytes = static_cast<double>(bytes) / 1e6;
  const inlay::CodeParser parser;
  Speed alone;
  Speed whole;
  std::size_t items = 0;
  for (int round = 0; round < rounds; ++round) {
    measure(alone, megabytes, [&] {
      for (const std::string& source : sources) {
        TSParser* tree_sitter = ts_parser_new();
        ts_parser_set_language(tree_sitter, grammar->language());
        ts_tree_delete(ts_parser_parse_string(tree_sitter, nullptr, source.data(), static_cast<std::uint32_t>(source.size())));
        ts_parser_delete(tree_sitter);
      }
    });
    measure(whole, megabytes, [&] {
      items = 0;
      for (const std::string& source : sources) {
        const inlay::ParsedFile file = parser.parse(source, "python");
        items += file.functions.size() + file.classes.size();
      }
    });
  }
  fmt::print("{:.1f} MB in {} files, {} functions and classes, {} rounds, one thread\n", megabytes, sources.size(), items, rounds);
  fmt::print("tree-sitter alone  {:5.1f} MB/s ({:.1f} by processor time)\n", median(alone.clock), median(alone.processor));
  fmt::print("CodeParser         {:5.1f} MB/s ({:.1f} by processor time)\n", median(whole.clock), median(whole.processor));
  return 0;
}
