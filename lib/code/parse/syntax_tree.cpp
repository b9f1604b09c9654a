#include "code/parse/syntax_tree.hpp"

#include <algorithm>
#include <cstdint>

#include "inlay/error.hpp"

namespace inlay::code {
namespace {

// What a parser may do before it is given up: steps, and bytes read ahead of them (a scanner can look to the end of the file at every token).
// Counted, and not timed, so that what is found in a file is the same on every machine.
class Effort {
 public:
  explicit Effort(std::size_t bytes) : left_(4'000'000 + 40 * bytes) {}

  void spend(std::size_t amount) noexcept { left_ -= std::min(left_, amount); }
  [[nodiscard]] bool is_spent() const noexcept { return left_ == 0; }

 private:
  std::size_t left_;
};

// Of a source of so many bytes: twice what any file took that was measured, which was 93 bytes a byte (Python's test_ast/snippets.py).
constexpr std::size_t memory_limit(std::size_t bytes) { return (std::size_t{64} << 20) + 200 * bytes; }

struct Input {
  std::string_view source;
  Effort effort;
};

// Pieces, so that reading shows in the effort. When that is spent the source seems to end, which ends whatever looks for something in it.
const char* read_source(void* payload, std::uint32_t byte, TSPoint, std::uint32_t* length) {
  constexpr std::size_t piece = 2048;
  Input& input = *static_cast<Input*>(payload);
  const std::string_view text =
      input.effort.is_spent() ? std::string_view() : input.source.substr(std::min<std::size_t>(byte, input.source.size()), piece);
  input.effort.spend(text.size());
  *length = static_cast<std::uint32_t>(text.size());
  return text.empty() ? "" : text.data();
}

// Called every hundred steps: whether to stop.
bool stop_parsing(TSParseState* state) {
  Effort& effort = static_cast<Input*>(state->payload)->effort;
  effort.spend(100);
  return effort.is_spent();
}

}  // namespace

SyntaxTree parse_tree(std::string_view source, const TSLanguage* language) {
  return parse_tree(source, language, memory_limit(source.size()));
}

SyntaxTree parse_tree(std::string_view source, const TSLanguage* language, std::size_t max_memory) {
  auto memory = std::make_unique<ParserMemory>(max_memory);
  const ParserMemory::Use use(*memory);
  Input input{source, Effort(source.size())};
  try {
    TSParser* const parser = ts_parser_new();
    if (!ts_parser_set_language(parser, language)) throw Error(Status::unsupported, "a grammar does not fit to this tree-sitter");
    const TSTree* const tree =
        ts_parser_parse_with_options(parser, nullptr, {&input, read_source, TSInputEncodingUTF8, nullptr}, {&input, stop_parsing});
    if (input.effort.is_spent() || !tree) return {};
    ts_parser_delete(parser);
    return {std::move(memory), tree};
  } catch (const ParserMemoryLimit&) {
    return {};
  }
}

}  // namespace inlay::code
