// The tests' bridge to other languages: tokenize_strings MODEL_FOLDER STRINGS IDS [MAX_TOKENS]. STRINGS holds byte strings, each behind its
// length (uint32, little-endian). IDS receives for each how many ids there are, tokens_seen, the ids, then the beginning and end of each,
// all uint32. Fails where encode and encode_with_offsets disagree, which may take different roads.
#include <cstdint>
#include <cstring>
#include <fstream>
#include <inlay/error.hpp>
#include <inlay/tokenizer.hpp>
#include <iostream>
#include <sstream>

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::cerr << "usage: tokenize_strings MODEL_FOLDER STRINGS IDS [MAX_TOKENS]\n";
    return 2;
  }
  try {
    const auto tokenizer = inlay::load_tokenizer(argv[1]);
    const std::size_t max_tokens = argc == 5 ? std::stoul(argv[4]) : inlay::Tokenizer::no_limit;
    std::ostringstream buffer;
    buffer << std::ifstream(argv[2], std::ios::binary).rdbuf();
    const std::string strings = std::move(buffer).str();
    std::ofstream output(argv[3], std::ios::binary);
    const auto put = [&output](std::uint32_t number) { output.write(reinterpret_cast<const char*>(&number), sizeof number); };
    for (std::size_t position = 0; position + 4 <= strings.size();) {
      std::uint32_t length = 0;
      std::memcpy(&length, strings.data() + position, 4);
      const auto text = std::string_view(strings).substr(position + 4, length);
      const auto encoding = tokenizer->encode_with_offsets(text, max_tokens);
      if (const auto ids = tokenizer->encode(text, max_tokens); ids.ids != encoding.ids || ids.tokens_seen != encoding.tokens_seen) {
        std::cerr << "with offsets the ids are others; text: " << text << "\n";
        return 1;
      }
      position += 4 + length;
      put(static_cast<std::uint32_t>(encoding.ids.size()));
      put(static_cast<std::uint32_t>(encoding.tokens_seen));
      for (const inlay::TokenId id : encoding.ids) put(static_cast<std::uint32_t>(id));
      for (const inlay::ByteRange& range : encoding.offsets) {
        put(static_cast<std::uint32_t>(range.begin));
        put(static_cast<std::uint32_t>(range.end));
      }
    }
    return output.flush() ? 0 : 1;
  } catch (const inlay::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
