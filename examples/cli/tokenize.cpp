// inlay tokenize: what a model's tokenizer makes of texts.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "inlay/inlay.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "texts.hpp"

namespace inlay::cli {
namespace {

constexpr std::size_t flush_bytes = std::size_t{1} << 16;

struct TokenizeOptions {
  ModelOptions model;
  TextOptions texts;
  bool json = false;
  bool offsets = false;
};

std::string line(const Tokenizer& tokenizer, const Encoding& encoding, bool json) {
  std::vector<std::string> tokens;
  for (const TokenId id : encoding.ids) tokens.emplace_back(tokenizer.token(id));
  if (json) {
    nlohmann::ordered_json object = {
        {"ids", encoding.ids}, {"tokens", tokens}, {"tokens_seen", encoding.tokens_seen}, {"truncated", encoding.truncated()}};
    for (const ByteRange& range : encoding.offsets) object["offsets"].push_back({range.begin, range.end});
    return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  for (std::size_t index = 0; index < encoding.offsets.size(); ++index) {
    tokens[index] += fmt::format("[{}:{}]", encoding.offsets[index].begin, encoding.offsets[index].end);
  }
  return fmt::format("{}  ({} tokens{})\n", printable(fmt::format("{}", fmt::join(tokens, " "))), encoding.ids.size(),
                     encoding.truncated() ? fmt::format(" of {}", encoding.tokens_seen) : "");
}

int run_tokenize(const TokenizeOptions& options) {
  const std::filesystem::path model = options.model.path();
  GeneratorOptions generator_options;
  generator_options.device = Device::cpu();
  generator_options.threads = 1;
  generator_options.max_sequence_length = options.model.max_length;
  generator_options.revision = options.model.revision;
  const EmbeddingGenerator generator = EmbeddingGenerator::load(model, generator_options);
  TextReader reader(options.texts, generator);
  const DocumentPreparator preparator = options.texts.preparator();
  std::string text;
  while (const auto document = reader.next()) {
    const std::string prepared = preparator(*document);
    const std::size_t limit = generator.max_sequence_length();
    const Encoding encoding =
        options.offsets ? generator.tokenizer().encode_with_offsets(prepared, limit) : generator.tokenizer().encode(prepared, limit);
    text += line(generator.tokenizer(), encoding, options.json);
    if (text.size() < flush_bytes) continue;
    write_output(text);
    text.clear();
  }
  write_output(text);
  return reader.bad_records() > 0 ? exit_code::some_failed : exit_code::ok;
}

}  // namespace

Command add_tokenize(CLI::App& application) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command = application.add_subcommand("tokenize", "Show the tokens that a model sees of each text");
  command->add_option("file", options->texts.input, "The texts, as for embed")->required()->type_name("FILE");
  options->model.add_model(*command);
  command->add_option("--max-length", options->model.max_length, "Tokens of a text used at most (default: the model's own limit)")
      ->check(at_least(1));
  options->texts.add(*command);
  command->add_flag("--json", options->json, "Print a JSON object a text: ids (special tokens included), tokens, tokens_seen, truncated");
  command->add_flag("--offsets", options->offsets,
                    "Also show which bytes of the text that the model sees each token stands for: [begin:end], in JSON offsets");
  return {command, [options] { return run_tokenize(*options); }};
}

}  // namespace inlay::cli
