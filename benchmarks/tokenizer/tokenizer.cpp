// Tokenizes every line-cut piece of a corpus on one thread, again and again: tokenizer MODEL_FOLDER PIECES ROUNDS IDS. PIECES holds byte
// strings, each behind its length (uint32, little-endian). IDS receives every piece's ids, so that run.py can compare before a time counts.
// Prints JSON.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <inlay/error.hpp>
#include <inlay/tokenizer.hpp>
#include <iostream>
#include <sstream>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: tokenizer MODEL_FOLDER PIECES ROUNDS IDS\n";
    return 2;
  }
  try {
    using Clock = std::chrono::steady_clock;
    const auto seconds_since = [](Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); };
    std::ostringstream buffer;
    buffer << std::ifstream(argv[2], std::ios::binary).rdbuf();
    const std::string file = std::move(buffer).str();
    std::vector<std::string_view> pieces;
    for (std::size_t position = 0; position + 4 <= file.size();) {
      std::uint32_t length = 0;
      std::memcpy(&length, file.data() + position, 4);
      pieces.push_back(std::string_view(file).substr(position + 4, length));
      position += 4 + length;
    }

    const auto load_start = Clock::now();
    const auto tokenizer = inlay::load_tokenizer(argv[1]);
    const double load_seconds = seconds_since(load_start);

    std::ofstream output(argv[4], std::ios::binary);
    std::vector<inlay::TokenId> ids;
    for (const std::string_view piece : pieces) {  // also the warm-up
      ids.clear();
      tokenizer->encode_into(piece, inlay::Tokenizer::no_limit, ids);
      const auto count = static_cast<std::uint32_t>(ids.size());
      output.write(reinterpret_cast<const char*>(&count), sizeof count);
      output.write(reinterpret_cast<const char*>(ids.data()), static_cast<std::streamsize>(ids.size() * sizeof ids[0]));
    }
    std::cout << "{\"load_seconds\": " << load_seconds << ", \"memory_bytes\": " << tokenizer->memory() << ", \"seconds\": [";
    for (int round = 0, rounds = std::stoi(argv[3]); round < rounds; ++round) {
      const auto start = Clock::now();
      for (const std::string_view piece : pieces) {
        ids.clear();
        tokenizer->encode_into(piece, inlay::Tokenizer::no_limit, ids);
      }
      std::cout << (round > 0 ? ", " : "") << seconds_since(start);
    }
    std::cout << "]}\n";
    return output.flush() ? 0 : 1;
  } catch (const inlay::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
