// inlay embed: texts to an embedding set. Run again, it embeds only what changed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "commands.hpp"
#include "inlay/inlay.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "progress_bar.hpp"
#include "texts.hpp"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct EmbedOptions {
  ModelOptions model;
  TextOptions texts;
  std::string codebase;    // the guide's --codebase-path
  std::string input_file;  // and --input-file
  std::string output;
  bool json = false;
  bool quiet = false;
};

struct Figures {
  std::size_t documents = 0;
  std::size_t embedded = 0;
  std::size_t reused = 0;
  std::size_t removed = 0;
  std::size_t failed = 0;
  std::size_t truncated = 0;
  std::size_t tokens = 0;
  double seconds = 0;  // of embedding
  bool written = false;

  [[nodiscard]] double per_second(std::size_t count) const { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }
};

void say(const EmbedOptions& options, const std::string& line) {
  if (!options.quiet && !options.json) fmt::print(stderr, "{}\n", line);
}

void warn(const std::string& line) { fmt::print(stderr, "inlay: warning: {}\n", line); }

// Fails before the work rather than after it: the place must be free or a set, and its folder one that can be written to.
void check_output(const fs::path& output) {
  std::error_code error;
  const fs::path place = output.has_filename() ? output : output.parent_path();
  if (fs::exists(place, error) && !is_embedding_set(place) && !(fs::is_directory(place, error) && fs::is_empty(place, error))) {
    throw Error(Status::invalid_argument, fmt::format("{} is there and is not an embedding set: it is left as it is", place.string()));
  }
  const fs::path parent = place.has_parent_path() ? place.parent_path() : fs::path(".");
  fs::create_directories(parent, error);
  const fs::path probe = parent / fmt::format(".{}.{}.probe", place.filename().string(), ::getpid());
  if (!error) fs::create_directory(probe, error);
  if (error) throw Error(Status::io_error, fmt::format("cannot write {}: {}", place.string(), error.message()));
  fs::remove(probe, error);
}

// The set that stands at the output, if its vectors are of use: made by the same model with the same options.
std::optional<EmbeddingSet> earlier_set(const EmbedOptions& options, const ModelInfo& model) {
  if (!is_embedding_set(options.output)) return std::nullopt;
  try {
    EmbeddingSet set = load_embeddings(options.output);
    if (set.model.fingerprint == model.fingerprint) return set;
    say(options, fmt::format("{} was made by another model or with other options: all is embedded anew", options.output));
  } catch (const Error& error) {
    warn(fmt::format("{}; all is embedded anew", error.what()));
  }
  return std::nullopt;
}

// Vectors from the earlier set where a text is unchanged (by its key), and which documents are left to embed.
struct Plan {
  EmbeddingSet set;
  std::vector<std::size_t> todo;
  std::size_t removed = 0;
};

Plan make_plan(std::vector<Document> documents, const std::optional<EmbeddingSet>& earlier, const EmbeddingGenerator& generator,
               const DocumentPreparator& preparator) {
  Plan plan;
  plan.set.model = generator.info();
  plan.set.vectors = Matrix::from_shape({documents.size(), generator.dimension()});
  std::unordered_map<std::string_view, std::size_t> rows;
  if (earlier) {
    for (std::size_t row = 0; row < earlier->keys.size(); ++row) rows.emplace(earlier->keys[row], row);
  }
  plan.set.keys.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    plan.set.keys.push_back(content_key(preparator(documents[i])));
    const auto row = rows.find(plan.set.keys.back());
    if (row == rows.end()) {
      plan.todo.push_back(i);
    } else {
      std::copy_n(&earlier->vectors(row->second, 0), generator.dimension(), &plan.set.vectors(i, 0));
    }
  }
  if (earlier) {
    const std::unordered_set<std::string_view> kept(plan.set.keys.begin(), plan.set.keys.end());
    plan.removed =
        static_cast<std::size_t>(std::ranges::count_if(earlier->keys, [&](const std::string& key) { return !kept.contains(key); }));
  }
  plan.set.documents = std::move(documents);
  return plan;
}

// Drops the rows whose texts failed; says which.
void drop_failed(Plan& plan, const std::vector<ItemReport>& reports, Figures& figures) {
  std::vector<bool> failed(plan.set.documents.size(), false);
  for (std::size_t item = 0; item < reports.size(); ++item) {
    const ItemReport& report = reports[item];
    figures.tokens += report.tokens_used;
    figures.truncated += report.truncated() ? 1 : 0;
    if (report.status == Status::ok) continue;
    const Metadata& metadata = plan.set.documents[plan.todo[item]].metadata;
    warn(fmt::format("{}:{}: {}", metadata.file_path.empty() ? "-" : metadata.file_path, metadata.line_number, report.message));
    failed[plan.todo[item]] = true;
    ++figures.failed;
  }
  if (figures.failed == 0) return;
  std::size_t kept = 0;
  const std::size_t width = plan.set.vectors.shape(1);
  for (std::size_t row = 0; row < failed.size(); ++row) {
    if (failed[row]) continue;
    if (kept != row) {
      plan.set.documents[kept] = std::move(plan.set.documents[row]);
      plan.set.keys[kept] = std::move(plan.set.keys[row]);
      std::copy_n(&plan.set.vectors(row, 0), width, &plan.set.vectors(kept, 0));
    }
    ++kept;
  }
  plan.set.documents.resize(kept);
  plan.set.keys.resize(kept);
  Matrix vectors = Matrix::from_shape({kept, width});
  std::copy_n(plan.set.vectors.data(), kept * width, vectors.data());
  plan.set.vectors = std::move(vectors);
}

// Embeds what is left to do. False: the user asked to stop.
bool embed(Plan& plan, const EmbeddingGenerator& generator, const EmbedOptions& options, const StopScope& stop, Figures& figures) {
  if (plan.todo.empty()) return true;
  const auto begin = std::chrono::steady_clock::now();
  EmbedResult result;
  {
    ProgressBar bar(!options.quiet && !options.json);
    const CallOptions call{.stop = stop.token(), .on_progress = [&bar](const Progress& progress) { bar.show(progress); }};
    if (plan.todo.size() == plan.set.documents.size()) {
      result = generator.embed_documents(plan.set.documents, call);
    } else {
      std::vector<Document> documents;
      for (const std::size_t i : plan.todo) documents.push_back(plan.set.documents[i]);
      result = generator.embed_documents(documents, call);
    }
  }
  figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (std::ranges::any_of(result.items, [](const ItemReport& item) { return item.status == Status::cancelled; })) return false;
  if (plan.todo.size() == plan.set.documents.size()) {
    plan.set.vectors = std::move(result.vectors);
  } else {
    for (std::size_t item = 0; item < plan.todo.size(); ++item) {
      std::copy_n(&result.vectors(item, 0), generator.dimension(), &plan.set.vectors(plan.todo[item], 0));
    }
  }
  drop_failed(plan, result.items, figures);
  figures.embedded = plan.todo.size() - figures.failed;
  return true;
}

void report(const EmbedOptions& options, const Figures& figures, const Texts& texts, const EmbeddingGenerator& generator) {
  const std::size_t peak = generator.memory().process_peak;
  if (options.json) {
    const nlohmann::ordered_json object = {{"set", options.output},
                                           {"documents", figures.documents},
                                           {"new", figures.embedded},
                                           {"reused", figures.reused},
                                           {"removed", figures.removed},
                                           {"failed", figures.failed},
                                           {"truncated", figures.truncated},
                                           {"skipped", texts.skipped},
                                           {"written", figures.written},
                                           {"tokens", figures.tokens},
                                           {"seconds", figures.seconds},
                                           {"documents_per_second", figures.per_second(figures.embedded)},
                                           {"tokens_per_second", figures.per_second(figures.tokens)},
                                           {"peak_memory_bytes", peak},
                                           {"model", generator.info().name},
                                           {"dimension", generator.dimension()},
                                           {"fingerprint", generator.info().fingerprint}};
    write_output(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return;
  }
  if (!texts.skipped.empty()) {
    std::string reasons;
    for (const auto& [reason, count] : texts.skipped)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", with_commas(count), reason);
    say(options, fmt::format("left out: {}", reasons));
  }
  if (figures.truncated > 0) {
    say(options, fmt::format("truncated to {} tokens: {}", generator.max_sequence_length(), counted(figures.truncated, "text")));
  }
  if (figures.failed > 0) say(options, fmt::format("failed: {}", counted(figures.failed, "text")));
  say(options, fmt::format("{}{}: {} ({} new, {} reused, {} removed)", options.output, figures.written ? "" : " is up to date",
                           counted(figures.documents, "document"), with_commas(figures.embedded), with_commas(figures.reused),
                           with_commas(figures.removed)));
  if (figures.embedded > 0) {
    say(options, fmt::format("{} documents/s, {} tokens/s ({} tokens in {:.1f} s)", with_commas(figures.per_second(figures.embedded)),
                             with_commas(figures.per_second(figures.tokens)), with_commas(figures.tokens), figures.seconds));
  }
  say(options, fmt::format("peak memory {:.0f} MB", static_cast<double>(peak) / 1e6));
}

int run_embed(const EmbedOptions& given) {
  EmbedOptions options = given;
  for (const std::string& input : {given.codebase, given.input_file}) {
    if (input.empty()) continue;
    if (!options.texts.input.empty()) throw UsageError("the input is given twice");
    options.texts.input = input;
  }
  if (options.texts.input.empty()) throw UsageError("no input is given: a folder, a file, or - for standard input");
  if (options.output.empty()) throw UsageError("no output is given: pass the place of the set with -o");
  if (!options.codebase.empty() && !fs::is_directory(options.codebase))
    throw Error(Status::not_found, fmt::format("no folder {}", options.codebase));

  const fs::path model = options.model.path();
  GeneratorOptions generator_options = options.model.generator();
  generator_options.preparator = options.texts.preparator();
  check_output(options.output);
  const EmbeddingGenerator generator = EmbeddingGenerator::load(model, generator_options);
  Texts texts = read_texts(options.texts, generator);
  for (const std::string& file : texts.unreadable) warn(fmt::format("left out {}", file));

  Figures figures;
  const std::optional<EmbeddingSet> earlier = earlier_set(options, generator.info());
  Plan plan = make_plan(std::move(texts.documents), earlier, generator, options.texts.preparator());
  figures.removed = plan.removed;
  figures.reused = plan.set.documents.size() - plan.todo.size();
  const StopScope stop;
  if (!embed(plan, generator, options, stop, figures)) {
    fmt::print(stderr, "inlay: interrupted; nothing was written\n");
    return exit_code::interrupted;
  }
  figures.documents = plan.set.documents.size();
  const bool unchanged = earlier && earlier->keys == plan.set.keys && earlier->documents == plan.set.documents;
  if (!unchanged) {
    save_embeddings(options.output, plan.set);
    figures.written = true;
  }
  report(options, figures, texts, generator);
  return figures.failed > 0 ? exit_code::some_failed : exit_code::ok;
}

}  // namespace

Command add_embed(CLI::App& application) {
  auto options = std::make_shared<EmbedOptions>();
  CLI::App* command = application.add_subcommand("embed", "Embed a folder's sources, or a file's texts, into a set");
  command
      ->add_option("input", options->texts.input,
                   "A folder; a .txt, .json, .jsonl or .csv file; any other file as one document; - for standard input")
      ->type_name("INPUT");
  command->add_option("--codebase-path", options->codebase, "The same, a folder")->type_name("FOLDER");
  command->add_option("-i,--input-file", options->input_file, "The same, a file")->type_name("FILE");
  command
      ->add_option("-o,--output,--output-path,--save-path", options->output,
                   "Where the set is written; one that is there is brought up to date")
      ->type_name("SET");
  options->model.add_model(*command);
  options->model.add_computing(*command);
  options->model.add_vectors(*command);
  options->texts.add(*command);
  command->add_flag("--json", options->json, "Print the figures as one JSON object");
  command->add_flag("--quiet", options->quiet, "Print nothing but warnings and errors");
  return {command, [options] { return run_embed(*options); }};
}

}  // namespace inlay::cli
