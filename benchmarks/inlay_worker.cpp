// Inlay as one side of a comparison. Speaks the protocol of peers/worker.py on standard input and output, over the public C++ API.
#include <simdjson.h>

#include <chrono>
#include <fstream>
#include <inlay/inlay.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
#include <xtensor/xnpy.hpp>

namespace {

using Json = nlohmann::json;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<std::string> read_texts(const std::string& path) {
  simdjson::dom::parser parser;
  std::vector<std::string> texts;
  for (const simdjson::dom::element text : simdjson::dom::array(parser.load(path).value())) texts.emplace_back(std::string_view(text));
  return texts;
}

class Worker {
 public:
  Worker(const std::string& model, std::size_t threads, std::size_t max_length)
      : generator_(inlay::EmbeddingGenerator::load(
            model, {.device = inlay::Device::cpu(), .max_sequence_length = max_length, .threads = threads})) {}

  Json answer(const Json& request) {
    const std::string command = request.at("command");
    if (command == "load") {
      texts_ = read_texts(request.at("texts"));
      return {{"texts", texts_.size()}};
    }
    if (command == "encode") {
      const auto start = std::chrono::steady_clock::now();
      result_ = generator_.embed(texts_);
      const double seconds = seconds_since(start);
      std::size_t tokens = 0;
      for (const auto& item : result_.items) tokens += item.tokens_used;
      return {{"seconds", seconds}, {"tokens", tokens}};
    }
    if (command == "encode_each") {
      std::vector<double> seconds;
      for (std::size_t i = 0; i < request.at("times"); ++i) {
        const auto start = std::chrono::steady_clock::now();
        result_ = generator_.embed({texts_.at(i % texts_.size())});
        seconds.push_back(seconds_since(start));
      }
      return {{"seconds", seconds}, {"tokens", result_.items.at(0).tokens_used}};
    }
    if (command == "save") {
      xt::dump_npy(request.at("path").get<std::string>(), result_.vectors);
      return {{"rows", result_.vectors.shape(0)}};
    }
    if (command == "about") return {{"name", "inlay " + std::string(inlay::version())}, {"kernels", generator_.info().kernels}};
    throw std::invalid_argument("unknown command: " + command);
  }

 private:
  inlay::EmbeddingGenerator generator_;
  std::vector<std::string> texts_;
  inlay::EmbedResult result_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: benchmark_worker MODEL THREADS MAX_LENGTH\n";
    return 2;
  }
  try {
    Worker worker(argv[1], std::stoul(argv[2]), std::stoul(argv[3]));
    for (std::string line; std::getline(std::cin, line);) std::cout << worker.answer(Json::parse(line)).dump() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "benchmark_worker: " << error.what() << "\n";
    return 1;
  }
}
