// Any bytes as tokenizer.json: a tokenizer or an Error. One that loads must also stand a few texts, with and without a limit.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "inlay/error.hpp"
#include "inlay/generator.hpp"
#include "tokenize/tokenizer_factory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span file(reinterpret_cast<const std::byte*>(data), size);
  try {
    const inlay::ModelFile files[] = {{"tokenizer.json", file}};
    const auto tokenizer = inlay::tokenize::make_tokenizer(inlay::model::ModelSource::from_memory(files, "fuzz"));
    const std::string_view json(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 2000));
    const std::string_view mixed =
        " Hello\tw\xC3\xB6rld  [MASK]\n42\xF0\x9F\x98\x80"
        "e\xCC\x81 \xFF<s>";
    for (const std::string_view text : {std::string_view(), mixed, json}) {
      static_cast<void>(tokenizer->encode(text));
      static_cast<void>(tokenizer->encode_with_offsets(text));
      static_cast<void>(tokenizer->encode(text, tokenizer->special_tokens() + 3));
    }
  } catch (const inlay::Error&) {
  }
  return 0;
}
