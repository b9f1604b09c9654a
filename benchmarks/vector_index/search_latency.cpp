// search_latency MODEL [ITEMS]: how long a question takes over an index that is open: its encoding, the search, and both; median and the
// slowest of a hundred, without a filter and with one. The items' vectors are random: a flat search looks at each, whatever it is.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <inlay/inlay.hpp>
#include <random>

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

void write_set(const fs::path& folder, const inlay::ModelInfo& model, std::size_t items) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  inlay::EmbeddingSetWriter writer(folder, model);
  inlay::Vector vector = inlay::Vector::from_shape({model.dimension});
  for (std::size_t item = 0; item < items; ++item) {
    for (float& value : vector) value = normal(random);
    inlay::normalize(vector);
    const inlay::Document document{
        fmt::format("def function_{}(argument): return argument", item),
        {.file_path = fmt::format("src/{}.py", item / 20), .language = item % 2 == 0 ? "python" : "go", .line_number = 1}};
    writer.append(document, fmt::format("{:032x}", item), {vector.data(), vector.size()});
  }
  writer.add_index({});
  writer.commit();
}

void measure(const char* name, const std::function<void(int)>& work) {
  std::vector<double> times;
  for (int round = -3; round < 100; ++round) {
    const auto start = Clock::now();
    work(round);
    if (round >= 0) times.push_back(milliseconds_since(start));
  }
  std::ranges::sort(times);
  fmt::print("| {} | {:.1f} | {:.1f} | {:.1f} |\n", name, times[50], times[95], times.back());
}

void run(const fs::path& model, std::size_t items) {
  const auto generator = inlay::EmbeddingGenerator::load(model);
  const fs::path folder = fs::temp_directory_path() / fmt::format("latency_{}.set", ::getpid());
  write_set(folder, generator.info(), items);
  const auto start = Clock::now();
  const inlay::CodebaseIndex index(folder);
  fmt::print("{} items of {}, {}; opened in {:.0f} ms\n\n", index.size(), index.dimension(), inlay::to_string(index.kind()),
             milliseconds_since(start));
  fmt::print("| ms | median | 95 of 100 | slowest |\n|---|---|---|---|\n");
  const auto question = [](int round) { return fmt::format("where are the passwords of user {} checked?", round); };
  const inlay::Vector query = generator.embed_query(question(0));
  measure("encoding", [&](int round) { static_cast<void>(generator.embed_query(question(round))); });
  measure("search", [&](int) { static_cast<void>(index.search(query)); });
  measure("search, by language", [&](int) { static_cast<void>(index.search(query, {.filter = {.language = "go"}})); });
  measure("search, by path", [&](int) { static_cast<void>(index.search(query, {.filter = {.path_glob = "src/1*.py"}})); });
  measure("encoding and search", [&](int round) { static_cast<void>(index.search(generator.embed_query(question(round)))); });
  fs::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "search_latency MODEL [ITEMS]\n");
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
