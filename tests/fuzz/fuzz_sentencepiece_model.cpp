// Any bytes as a SentencePiece model, read as XLM-R's and as one of no class: a tokenizer or an Error. One that loads must stand a text.
#include <cstdint>
#include <span>
#include <string_view>

#include "inlay/error.hpp"
#include "inlay/generator.hpp"
#include "tokenize/tokenizer_factory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span file(reinterpret_cast<const std::byte*>(data), size);
  for (const char* name : {"sentencepiece.bpe.model", "tokenizer.model"}) {
    try {
      const inlay::ModelFile files[] = {{name, file}};
      const auto tokenizer = inlay::tokenize::make_tokenizer(inlay::model::ModelSource::from_memory(files, "fuzz"));
      static_cast<void>(tokenizer->encode_with_offsets(" Hello\tw\xC3\xB6rld  <s>\n42\xF0\x9F\x98\x80"));
    } catch (const inlay::Error&) {
    }
  }
  return 0;
}
