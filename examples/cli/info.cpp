// inlay info: what a model is, or what a set holds.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "inlay/inlay.hpp"
#include "model_options.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

struct InfoOptions {
  ModelOptions model;  // or the set's folder
  bool json = false;
};

// What inlay index wrote.
void add_index(nlohmann::ordered_json& object, const std::string& path) {
  const CodebaseIndex index(path);
  object["kind"] = "index";
  object["index_kind"] = to_string(index.kind());
  object["folder"] = index.folder().string();
  std::map<std::string, std::size_t> items;
  for (std::size_t item = 0; item < index.size(); ++item) ++items[std::string(to_string(index.item(item).kind))];
  object["items"] = items;
}

nlohmann::ordered_json describe(const ModelOptions& options) {
  if (is_embedding_set(options.model)) {
    const EmbeddingSet set = load_embeddings(options.model);
    nlohmann::ordered_json object = {{"kind", "set"}, {"rows", set.documents.size()}, {"created", set.created}};
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::path(options.model) / "index.json", error)) add_index(object, options.model);
    object["long_text"] = to_string(set.long_text.policy);
    object.update(nlohmann::ordered_json::parse(to_json(set.model)));
    return object;
  }
  const EmbeddingGenerator generator = EmbeddingGenerator::load(options.path(), options.generator());
  nlohmann::ordered_json object = {{"kind", "model"}};
  object.update(nlohmann::ordered_json::parse(to_json(generator.info())));
  object["weights_bytes"] = generator.memory().weights;
  object["tokenizer_bytes"] = generator.memory().tokenizer;
  return object;
}

int run_info(const InfoOptions& options) {
  const nlohmann::ordered_json object = describe(options.model);
  if (options.json) {
    write_output(object.dump() + "\n");
    return exit_code::ok;
  }
  std::string text;
  for (const auto& [name, value] : object.items()) {
    if (value.empty()) continue;
    text += fmt::format("{:<20} {}\n", name, printable(value.is_string() ? value.get<std::string>() : value.dump()));
  }
  write_output(text);
  return exit_code::ok;
}

}  // namespace

Command add_info(CLI::App& application) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = application.add_subcommand("info", "Describe a model or a set");
  command->add_option("place", options->model.model, "A model's folder or name, or an embedding set")
      ->required()
      ->type_name("MODEL_OR_SET");
  options->model.add_hub(*command);
  command->add_flag("--json", options->json, "Print one JSON object");
  return {command, [options] { return run_info(*options); }};
}

}  // namespace inlay::cli
