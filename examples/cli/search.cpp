// inlay search: the rows of a set that are nearest to a question.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "commands.hpp"
#include "inlay/inlay.hpp"
#include "model_options.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

constexpr std::array<std::pair<std::string_view, QueryType>, 4> query_types = {{{"general", QueryType::general},
                                                                                {"code_search", QueryType::code_search},
                                                                                {"error_analysis", QueryType::error_analysis},
                                                                                {"documentation", QueryType::documentation}}};

struct SearchOptions {
  ModelOptions model;
  std::string set;
  std::string query;
  std::string type = "general";
  std::size_t count = 5;
  bool json = false;
};

QueryType parse_query_type(std::string_view name) {
  for (const auto& [known, type] : query_types) {
    if (known == name) return type;
  }
  throw UsageError(fmt::format("unknown query type \"{}\"; known: general, code_search, error_analysis, documentation", name));
}

EmbeddingGenerator load(const SearchOptions& options, const EmbeddingSet& set) {
  GeneratorOptions generator;
  generator.device = Device::parse(options.model.device);
  generator.threads = options.model.threads;
  generator.revision = options.model.revision;
  try {
    return load_generator(set, options.model.model.empty() ? std::filesystem::path() : options.model.path(), generator);
  } catch (const Error& error) {
    if (error.status() != Status::not_found || !options.model.model.empty()) throw;
    throw Error(error.status(), fmt::format("{} (the model that made the set is not where it was: pass its folder with -m)", error.what()));
  }
}

std::string place(const Metadata& metadata, std::size_t row) {
  if (metadata.file_path.empty() && metadata.line_number == 0) return fmt::format("row {}", row);
  const std::string path = metadata.file_path.empty() ? "-" : printable(metadata.file_path);
  return metadata.line_number == 0 ? path : fmt::format("{}:{}", path, metadata.line_number);
}

nlohmann::ordered_json to_json(const Document& document, const Match& match) {
  const Metadata& metadata = document.metadata;
  nlohmann::ordered_json object = {{"row", match.row}, {"score", match.score}};
  const std::array<std::pair<const char*, const std::string*>, 6> texts = {{{"file_path", &metadata.file_path},
                                                                            {"file_name", &metadata.file_name},
                                                                            {"file_type", &metadata.file_type},
                                                                            {"language", &metadata.language},
                                                                            {"function_name", &metadata.function_name},
                                                                            {"class_name", &metadata.class_name}}};
  for (const auto& [name, text] : texts) {
    if (!text->empty()) object[name] = *text;
  }
  if (metadata.line_number != 0) object["line_number"] = metadata.line_number;
  object["content"] = document.content;
  return object;
}

int run_search(const SearchOptions& options) {
  const QueryType type = parse_query_type(options.type);
  const EmbeddingSet set = load_embeddings(options.set);
  const EmbeddingGenerator generator = load(options, set);
  const std::vector<Match> matches = top_k(generator.embed_query(options.query, type), set.vectors, options.count);
  if (options.json) {
    nlohmann::ordered_json object = {
        {"set", options.set}, {"query", options.query}, {"type", options.type}, {"matches", nlohmann::ordered_json::array()}};
    for (const Match& match : matches) object["matches"].push_back(to_json(set.documents[match.row], match));
    write_output(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return exit_code::ok;
  }
  std::string text;
  for (const Match& match : matches) {
    const Document& document = set.documents[match.row];
    text += fmt::format("{}  {:.3f}  {}\n", place(document.metadata, match.row), match.score, first_line(document.content));
  }
  write_output(text);
  return exit_code::ok;
}

}  // namespace

Command add_search(CLI::App& application) {
  auto options = std::make_shared<SearchOptions>();
  CLI::App* command = application.add_subcommand("search", "Find the rows of a set that are nearest to a question");
  command->add_option("set", options->set, "An embedding set")->required()->type_name("SET");
  command->add_option("query", options->query, "The question")->required()->type_name("QUERY");
  command->add_option("-k,--top-k", options->count, "How many to show at most")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--type", options->type, "general, code_search, error_analysis or documentation")->capture_default_str();
  command
      ->add_option("-m,--model,--model-path", options->model.model,
                   "The model that made the set: its folder or its name (default: where it was then)")
      ->type_name("MODEL");
  options->model.add_hub(*command);
  command->add_option("-d,--device", options->model.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  command->add_option("--threads", options->model.threads, "Threads to compute with (default: one per processor)")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", options->json, "Print one JSON object");
  return {command, [options] { return run_search(*options); }};
}

}  // namespace inlay::cli
