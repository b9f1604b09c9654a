// For test_functions.py: functions and classes as JSON lines on standard input, through BatchEmbeddingGenerator with a cache, to files.
//
//   batch_functions MODEL CACHE RESULT.json ROWS.jsonl < items.jsonl
//
// Prints one JSON object of figures; `seconds` are those of the call, without loading the model.
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "inlay/inlay.hpp"

namespace {

inlay::CodeItem item_of(const nlohmann::json& line) {
  const auto text = [&line](const char* name) { return line.value(name, std::string()); };
  if (line.at("kind") == "class") {
    return inlay::Class{.file_path = text("file_path"),
                        .line_number = line.at("line_number"),
                        .name = text("name"),
                        .docstring = text("docstring"),
                        .source_code = text("source_code"),
                        .language = "python"};
  }
  return inlay::Function{.file_path = text("file_path"),
                         .line_number = line.at("line_number"),
                         .name = text("name"),
                         .docstring = text("docstring"),
                         .source_code = text("source_code"),
                         .language = "python",
                         .class_name = text("class_name")};
}

}  // namespace

int main(int, char** arguments) {
  inlay::set_log_callback([](inlay::LogLevel level, std::string_view message) {
    if (level == inlay::LogLevel::warning) std::cerr << message << "\n";
  });
  std::vector<inlay::CodeItem> items;
  for (std::string line; std::getline(std::cin, line);) items.push_back(item_of(nlohmann::json::parse(line)));
  const auto generator = inlay::EmbeddingGenerator::load(arguments[1], {.device = inlay::Device::cpu()});
  const inlay::BatchEmbeddingGenerator batch(generator, inlay::TextPreparator{}, inlay::open_cache(arguments[2]));
  (void)generator.info();  // hashes the weights
  const auto begin = std::chrono::steady_clock::now();
  const inlay::BatchResult result = batch.process_batch(items);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::ofstream(arguments[3]) << to_json(result);
  std::ofstream rows(arguments[4]);
  batch.process_stream(
      [&items, next = std::size_t{0}]() mutable -> std::optional<inlay::CodeItem> {
        if (next == items.size()) return std::nullopt;
        return items[next++];
      },
      [&rows](const inlay::BatchedItem& item) {
        if (!item.vector.empty()) rows << to_json_row(item) << "\n";
      });
  fmt::print("{{\"items\": {}, \"seconds\": {}, \"cached\": {}, \"new\": {}}}\n", items.size(), seconds, result.summary.cached,
             result.summary.newly_embedded);
}
