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

struct Input {
  std::string_view source;
  Effort effort;
};

struct DeleteParser {
  void operator()(TSParser* parser) const noexcept { ts_parser_delete(parser); }
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
  const std::unique_ptr<TSParser, DeleteParser> parser(ts_parser_new());
  if (!ts_parser_set_language(parser.get(), language)) throw Error(Status::unsupported, "a grammar does not fit to this tree-sitter");
  Input input{source, Effort(source.size())};
  SyntaxTree tree(
      ts_parser_parse_with_options(parser.get(), nullptr, {&input, read_source, TSInputEncodingUTF8, nullptr}, {&input, stop_parsing}));
  return input.effort.is_spent() ? nullptr : std::move(tree);
}

}  // namespace inlay::code
