// Any bytes as a text, in one of the tokenizers of tests/fuzz/tokenizers, which the first byte chooses. It must hold that the fast road and the
// one with offsets agree, ranges lie in the text, a limit cuts what there is without one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "platform/files.hpp"
#include "tokenize/tokenizer_factory.hpp"

namespace {

using inlay::Encoding;

std::vector<std::shared_ptr<const inlay::Tokenizer>> load() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(INLAY_FUZZ_FOLDER "/tokenizers")) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<std::shared_ptr<const inlay::Tokenizer>> tokenizers;
  for (const auto& path : paths) {
    const std::string json = inlay::platform::read_file(path);
    const inlay::ModelFile files[] = {{"tokenizer.json", std::as_bytes(std::span(json))}};
    tokenizers.push_back(inlay::tokenize::make_tokenizer(inlay::model::ModelSource::from_memory(files, path.filename().string())));
  }
  return tokenizers;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto tokenizers = load();
  if (size == 0) return 0;
  const inlay::Tokenizer& tokenizer = *tokenizers[data[0] % tokenizers.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Encoding ids = tokenizer.encode(text);
  const Encoding placed = tokenizer.encode_with_offsets(text);
  require(ids.ids == placed.ids && ids.tokens_seen == placed.tokens_seen && ids.ids.size() == ids.tokens_seen);
  require(placed.offsets.size() == placed.ids.size());
  for (const inlay::ByteRange& range : placed.offsets) require(range.begin <= range.end && range.end <= text.size());
  for (const inlay::TokenId id : ids.ids) require(!tokenizer.token(id).empty());
  const std::size_t limit = tokenizer.special_tokens() + data[0] % 8;
  const Encoding cut = tokenizer.encode(text, limit);
  require(cut.ids.size() == std::min(limit, ids.ids.size()) && cut.tokens_seen == ids.tokens_seen);
  require(tokenizer.encode_with_offsets(text, limit).ids == cut.ids);
  return 0;
}
