// Look-ups and inserts a second of a vector cache on disk, without its memory layer, on one thread: benchmark_cache FOLDER [ENTRIES [ROUNDS
// [sqlite|json]]]. Makes its cache in FOLDER, removes it, and prints JSON, the median of the rounds and the processor's own time beside it.
// Each vector that is found is compared with what was inserted.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <inlay/embedding_set.hpp>
#include <inlay/error.hpp>
#include <inlay/vector_cache.hpp>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t dimension = 384;
const inlay::CacheModel model{"benchmark", "0123456789abcdef", dimension};

double processor_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

// By name, the rates of all rounds: of the clock, and of the processor's time.
class Rates {
 public:
  template <class Work>
  void measure(const std::string& name, std::size_t items, Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    const double processor_start = processor_seconds();
    work();
    const double processor = processor_seconds() - processor_start;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    auto& [clock, own] = rates_[name];
    clock.push_back(static_cast<double>(items) / seconds);
    own.push_back(static_cast<double>(items) / processor);
  }
  void print() {
    const char* separator = "{";
    for (auto& [name, rates] : rates_) {
      std::cout << separator << "\"" << name << "\": {\"per_second\": " << median(rates.first)
                << ", \"per_processor_second\": " << median(rates.second) << "}";
      separator = ",\n ";
    }
    std::cout << "}\n";
  }

 private:
  static std::int64_t median(std::vector<double>& values) {
    std::ranges::sort(values);
    return static_cast<std::int64_t>(values[values.size() / 2]);
  }
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> rates_;
};

std::vector<inlay::CacheEntry> make_entries(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> component;
  std::vector<inlay::CacheEntry> entries(count);
  for (std::size_t i = 0; i < count; ++i) {
    entries[i].key = inlay::content_key("text " + std::to_string(i));
    entries[i].label = "src/package/module.py:" + std::to_string(i);
    entries[i].name = "function";
    entries[i].vector.resize(dimension);
    for (float& value : entries[i].vector) value = component(random);
  }
  return entries;
}

// Looks up the entries in this order; ends the program where one is not what it was.
void find(inlay::VectorCache& cache, const std::vector<inlay::CacheEntry>& entries, std::span<const std::size_t> order, std::size_t batch) {
  std::vector<std::string> keys;
  std::vector<float> vectors(batch * dimension);
  for (std::size_t begin = 0; begin < order.size(); begin += batch) {
    const auto part = order.subspan(begin, std::min(batch, order.size() - begin));
    keys.clear();
    for (const std::size_t i : part) keys.push_back(entries[i].key);
    const std::span<float> rows(vectors.data(), part.size() * dimension);
    const std::vector<bool> known = cache.find(model, keys, rows);
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (known[i] && std::ranges::equal(entries[part[i]].vector, rows.subspan(i * dimension, dimension))) continue;
      throw inlay::Error(inlay::Status::internal, "not what was inserted: " + keys[i]);
    }
  }
}

void insert(inlay::VectorCache& cache, const std::vector<inlay::CacheEntry>& entries, std::size_t count, std::size_t batch) {
  for (std::size_t i = 0; i < count; i += batch) cache.insert(model, std::span(entries).subspan(i, std::min(batch, count - i)));
}

void run(const std::filesystem::path& folder, std::size_t count, int rounds, const std::string& kind) {
  constexpr std::size_t batch = 1000;
  const std::vector<inlay::CacheEntry> entries = make_entries(count);
  std::vector<std::size_t> in_order(count);
  std::iota(in_order.begin(), in_order.end(), std::size_t{0});
  std::vector<std::size_t> shuffled = in_order;
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(2));
  const std::size_t single = std::min<std::size_t>(count, 10'000);
  const std::filesystem::path place = folder / "inlay-benchmark-cache";
  const auto open = [&](std::size_t memory) {
    return inlay::open_cache(kind + ":" + (place / "cache").string(), {.memory_bytes = memory});
  };
  Rates rates;
  for (int round = 0; round < rounds; ++round) {
    std::filesystem::remove_all(place);
    if (kind == "sqlite") {
      rates.measure("inserts, one at a time", single, [&] { insert(*open(0), entries, single, 1); });
      std::filesystem::remove_all(place);
    }
    rates.measure("inserts, batches of 1,000", count, [&] {  // until all is in the file and the file is closed
      insert(*open(kind == "json" ? std::size_t{4} << 30 : 0), entries, count, batch);
    });
    const auto cache = open(0);
    rates.measure("look-ups, batches of 1,000, in order", count, [&] { find(*cache, entries, in_order, batch); });
    rates.measure("look-ups, batches of 1,000, shuffled", count, [&] { find(*cache, entries, shuffled, batch); });
    rates.measure("look-ups, one at a time, shuffled", single, [&] { find(*cache, entries, std::span(shuffled).first(single), 1); });
    const auto layered = open(std::size_t{4} << 30);
    find(*layered, entries, in_order, batch);
    rates.measure("look-ups, batches of 1,000, shuffled, in the memory layer", count, [&] { find(*layered, entries, shuffled, batch); });
  }
  rates.print();
  std::filesystem::remove_all(place);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 5) {
    std::cerr << "usage: benchmark_cache FOLDER [ENTRIES [ROUNDS [sqlite|json]]]\n";
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? std::stoul(argv[2]) : 100'000, argc > 3 ? std::stoi(argv[3]) : 5, argc > 4 ? argv[4] : "sqlite");
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
