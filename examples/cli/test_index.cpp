// inlay test-index: whether an index over snippets and its metadata are whole and belong together, and what it finds.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "commands.hpp"
#include "inlay/code_embeddings.hpp"
#include "inlay/error.hpp"
#include "inlay/hub.hpp"
#include "model_options.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

constexpr std::array sample_questions = {"load a dataset", "train the model", "compute the loss"};

struct TestIndexOptions {
  ModelOptions model;
  std::string index;
  std::string metadata;
  std::size_t dimension = 0;
  std::vector<std::string> queries;
  std::size_t count = 5;
  bool use_cls_token = true;
  std::size_t max_length = 512;
  bool json = false;
};

// A question, or a row whose vector is looked for.
struct Sample {
  std::string question{};
  std::optional<std::size_t> row{};
  bool finds_itself = false;
  std::vector<SnippetMatch> matches{};
};

bool is_on_hub(const std::string& name, const std::string& revision) {
  try {
    return find_model(name, {.revision = revision}).has_value();
  } catch (const Error&) {  // it cannot be the name of one
    return false;
  }
}

// -m, else the name that the index gives, where a model of that name is there, else INLAY_MODEL.
std::filesystem::path model_of(const TestIndexOptions& options, const SnippetIndex& index) {
  ModelOptions model = options.model;
  if (model.model.empty() && index.info()) {
    const std::string& name = index.info()->model_name;
    if (is_on_hub(name, model.revision) || (model.download && name.find('/') != std::string::npos)) model.model = name;
  }
  return model.path();
}

std::vector<Sample> ask(const TestIndexOptions& options, const SnippetIndex& index) {
  CodeModelOptions model{.use_cls_token = options.use_cls_token, .max_length = options.max_length};
  model.generator.device = Device::parse(options.model.device);
  model.generator.threads = options.model.threads;
  model.generator.revision = options.model.revision;
  const EmbeddingGenerator generator = index.load_model(model_of(options, index), model);
  std::vector<std::string> questions = options.queries;
  if (questions.empty()) questions.assign(sample_questions.begin(), sample_questions.end());
  std::vector<Sample> samples;
  samples.reserve(questions.size());
  for (const std::string& question : questions) {
    samples.push_back({.question = question, .matches = index.search(generator.embed_query(question), options.count)});
  }
  return samples;
}

// The first, the last, and one between them.
std::vector<Sample> look_for_rows(const TestIndexOptions& options, const SnippetIndex& index) {
  std::vector<Sample> samples;
  if (index.size() == 0) return samples;
  for (const std::size_t row : std::set{std::size_t{0}, index.size() / 2, index.size() - 1}) {
    const auto vector = index.vector(row);
    if (!vector) return samples;
    Sample sample{.row = row, .matches = index.search(*vector, options.count)};
    for (const SnippetMatch& match : sample.matches) {  // rows of equal code and paper are equally near
      sample.finds_itself = sample.finds_itself || (match.row == row && match.score == sample.matches.front().score);
    }
    if (!sample.finds_itself && !sample.matches.empty()) {
      double own = 0;
      for (const float value : *vector) own += static_cast<double>(value) * static_cast<double>(value);
      sample.finds_itself =
          std::abs(sample.matches.front().score - own) <= 1e-5 * own;  // more of its equals stand before it than are shown
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::string place(const SnippetMatch& match) {
  const Snippet& snippet = match.snippet;
  return snippet.file_path.empty() ? fmt::format("row {}", match.row)
                                   : fmt::format("{}:{}", printable(snippet.file_path), snippet.line_begin);
}

std::string text_of(const SnippetIndex& index, const TestIndexOptions& options, const std::vector<Sample>& samples) {
  std::string text =
      fmt::format("{}: {}, {} of {} components; {} has an item for each{}{}\n", options.index, to_string(index.kind()),
                  counted(index.size(), "row"), index.dimension(), options.metadata,
                  index.items_verified() ? ", in their order" : "; that they are these rows' it does not say (faiss_metadata.json does)",
                  index.checksum_verified() ? ", and the vectors' checksum" : "");
  if (const auto& info = index.info()) {
    text += fmt::format("made by {} ({}), {}, at most {} tokens, paper context {}\n", info->model_name, info->model_version,
                        info->use_cls_token ? "CLS" : "mean", info->max_length,
                        info->include_paper_context ? fmt::format("{}", info->paper_context_weight) : "none");
  }
  for (const Sample& sample : samples) {
    text += sample.row
                ? fmt::format("\nrow {} {}\n", *sample.row, sample.finds_itself ? "finds itself first" : "does not find itself first")
                : fmt::format("\n{}\n", printable(sample.question));
    for (const SnippetMatch& match : sample.matches) {
      text += fmt::format("  {:.3f}  {}  {}  {}\n", match.score, place(match),
                          match.snippet.function_name.empty() ? "-" : printable(match.snippet.function_name),
                          first_line(match.snippet.paper_title));
    }
  }
  return text;
}

nlohmann::ordered_json json_of(const SnippetMatch& match) {
  const Snippet& snippet = match.snippet;
  return {{"row", match.row},
          {"score", match.score},
          {"file_path", snippet.file_path},
          {"line_numbers", {snippet.line_begin, snippet.line_end}},
          {"function_name", snippet.function_name},
          {"paper_id", snippet.paper_id},
          {"paper_title", snippet.paper_title},
          {"paper_url", snippet.paper_url},
          {"repo_name", snippet.repo_name},
          {"repo_url", snippet.repo_url}};
}

nlohmann::ordered_json json_of(const SnippetIndex& index, const TestIndexOptions& options, const std::vector<Sample>& samples) {
  nlohmann::ordered_json object = {{"index", options.index},
                                   {"metadata", options.metadata},
                                   {"kind", to_string(index.kind())},
                                   {"rows", index.size()},
                                   {"dimension", index.dimension()},
                                   {"checksum_verified", index.checksum_verified()},
                                   {"items_verified", index.items_verified()}};
  if (const auto& info = index.info()) {
    object["model_name"] = info->model_name;
    object["model_version"] = info->model_version;
  }
  object["queries"] = nlohmann::ordered_json::array();
  for (const Sample& sample : samples) {
    nlohmann::ordered_json query;
    if (sample.row) {
      query = {{"row", *sample.row}, {"finds_itself", sample.finds_itself}};
    } else {
      query = {{"query", sample.question}};
    }
    query["matches"] = nlohmann::ordered_json::array();
    for (const SnippetMatch& match : sample.matches) query["matches"].push_back(json_of(match));
    object["queries"].push_back(std::move(query));
  }
  return object;
}

int run_test_index(const TestIndexOptions& options) {
  const Messages messages(LogLevel::warning);
  const SnippetIndex index(options.index, options.metadata, options.dimension);
  const bool asks = !options.queries.empty() || !options.model.model.empty();
  const std::vector<Sample> samples = asks ? ask(options, index) : look_for_rows(options, index);
  write_output(options.json ? json_of(index, options, samples).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                            : text_of(index, options, samples));
  if (samples.empty() && index.size() > 0) {
    tell(fmt::format("the vectors of an index of kind {} cannot be looked for: pass --query or -m", to_string(index.kind())));
  }
  if (index.info() && !index.info()->normalized) return exit_code::ok;  // a longer vector may well come first
  for (const Sample& sample : samples) {
    if (sample.row && !sample.finds_itself) {
      throw Error(Status::invalid_data, fmt::format("{}: row {} does not find itself first", options.index, *sample.row));
    }
  }
  return exit_code::ok;
}

}  // namespace

Command add_test_index(CLI::App& application) {
  auto options = std::make_shared<TestIndexOptions>();
  CLI::App* command = application.add_subcommand("test-index", "Check an index over snippets and its metadata, and try it");
  command->add_option("--index_path,--index-path", options->index, "faiss_index.index, as inlay code-embeddings --build_faiss writes it")
      ->required()
      ->type_name("FILE");
  command->add_option("--metadata_path,--metadata-path", options->metadata, "faiss_metadata.json, or embeddings/metadata.json")
      ->required()
      ->type_name("FILE");
  command->add_option("--embedding_dim,--embedding-dim", options->dimension, "The dimension that the vectors should have (default: any)")
      ->check(at_least(1));
  command
      ->add_option("--query", options->queries,
                   "A question, any number of times (default: with -m a few samples, else some rows, which are to find themselves)")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("TEXT");
  command->add_option("-k,--top-k,--top_k", options->count, "How many to show at most")->check(at_least(1))->capture_default_str();
  command
      ->add_option("-m,--model,--model-path", options->model.model,
                   "The model that made the index: its folder or its name (default: the name that the metadata has, else $INLAY_MODEL)")
      ->type_name("MODEL");
  options->model.add_hub(*command);
  command->add_flag("--use-cls-token,--use_cls_token,!--no-cls-token,!--no_cls_token", options->use_cls_token,
                    "How the vectors were made, where the metadata does not say it, as embeddings/metadata.json");
  command->add_option("--max_length,--max-length", options->max_length, "Likewise: tokens of a text used at most")
      ->check(at_least(1))
      ->capture_default_str();
  command->add_option("-d,--device", options->model.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  command->add_option("--threads", options->model.threads, "Threads to compute with (default: one per processor)")->check(at_least(1));
  command->add_flag("--json", options->json, "Print one JSON object");
  return {command, [options] { return run_test_index(*options); }};
}

}  // namespace inlay::cli
