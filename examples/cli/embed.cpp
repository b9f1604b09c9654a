// inlay embed: texts to an embedding set, or to readable files. Run again, it embeds only what is new.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "inlay/inlay.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "progress_bar.hpp"
#include "set_output.hpp"
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
  std::string store = "set";
  std::string chunk = "average";
  std::size_t chunk_size = 0;
  std::size_t overlap = 0;
  std::size_t max_memory = std::size_t{64} << 20;
  std::string cache;
  bool resume = false;  // what is done anyway, unless `fresh` is given
  bool fresh = false;
  bool json = false;
  bool quiet = false;

  [[nodiscard]] bool talks() const noexcept { return !quiet && !json; }
  [[nodiscard]] LongTextOptions long_text() const;
  [[nodiscard]] CorpusStore corpus_store() const;
};

LongTextOptions EmbedOptions::long_text() const {
  if (chunk != "average" && (chunk_size != 0 || overlap != 0)) throw UsageError("--chunk-size and --overlap belong to --chunk average");
  if (chunk != "average" && chunk != "truncate" && chunk != "error")
    throw UsageError(fmt::format("unknown --chunk \"{}\"; known: average, truncate, error", chunk));
  return {.policy = parse_long_text(chunk), .chunk_size = chunk_size, .chunk_overlap = overlap};
}

CorpusStore EmbedOptions::corpus_store() const {
  if (store == "set") return CorpusStore::set;
  if (store == "files") return CorpusStore::files;
  throw UsageError(fmt::format("unknown --store \"{}\"; known: set, files", store));
}

struct Figures {
  CorpusSummary summary;
  std::size_t chunked = 0;  // texts whose vector is an average
  double documents_per_second = 0;
  double tokens_per_second = 0;
};

void say(const EmbedOptions& options, const std::string& line) {
  if (options.talks()) tell(line);
}

Figures embed(const EmbedOptions& options, const EmbeddingGenerator& generator, TextReader& reader, const StopScope& stop) {
  Figures figures;
  ProgressBar bar(options.talks());
  EmbedCorpusOptions corpus{.store = options.corpus_store(),
                            .fresh = options.fresh,
                            .max_memory = options.max_memory,
                            .long_text = options.long_text(),
                            .created = given_time(),
                            .stop = stop.token()};
  if (!options.cache.empty()) {
    corpus.cache = open_cache(options.cache);
    std::error_code error;  // of a path that is not there
    for (const std::string& other : {options.texts.input, options.output}) {
      if (fs::equivalent(corpus.cache->statistics().path, other, error)) throw UsageError(fmt::format("--cache names {}", other));
    }
  }
  corpus.on_progress = [&](const Progress& progress) { bar.show(progress, reader.fraction()); };
  corpus.on_item = [&](const Document& document, const ItemReport& report) {
    if (report.status == Status::ok) {
      figures.chunked += report.chunks > 1 ? 1 : 0;
    } else if (report.status != Status::cancelled) {
      const Metadata& metadata = document.metadata;
      warn(fmt::format("{}:{}: {}", metadata.file_path.empty() ? "-" : metadata.file_path, metadata.line_number, report.message));
    }
  };
  figures.summary = embed_corpus(
      generator, [&] { return reader.next(); }, options.output, corpus);
  StreamSummary& items = figures.summary.items;
  items.failed += reader.bad_records();
  const auto per_second = [&](std::size_t count) { return items.seconds > 0 ? static_cast<double>(count) / items.seconds : 0; };
  figures.documents_per_second = per_second(items.newly_embedded);
  figures.tokens_per_second = per_second(items.tokens);
  return figures;
}

void report_json(const EmbedOptions& options, const Figures& figures, const TextReader& reader, const EmbeddingGenerator& generator) {
  const StreamSummary& items = figures.summary.items;
  const nlohmann::ordered_json object = {{"set", options.output},
                                         {"documents", items.success},
                                         {"new", items.newly_embedded},
                                         {"reused", items.cached},
                                         {"removed", figures.summary.removed},
                                         {"failed", items.failed},
                                         {"truncated", items.truncated},
                                         {"chunked", figures.chunked},
                                         {"skipped", reader.skipped()},
                                         {"finished", figures.summary.finished},
                                         {"written", figures.summary.written},
                                         {"tokens", items.tokens},
                                         {"seconds", items.seconds},
                                         {"documents_per_second", figures.documents_per_second},
                                         {"tokens_per_second", figures.tokens_per_second},
                                         {"peak_memory_bytes", generator.memory().process_peak},
                                         {"model", generator.info().name},
                                         {"dimension", generator.dimension()},
                                         {"fingerprint", generator.info().fingerprint}};
  write_output(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void report(const EmbedOptions& options, const Figures& figures, const TextReader& reader, const EmbeddingGenerator& generator) {
  const StreamSummary& items = figures.summary.items;
  if (!reader.skipped().empty()) {
    std::string reasons;
    for (const auto& [reason, count] : reader.skipped())
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", with_commas(count), reason);
    say(options, fmt::format("left out: {}", reasons));
  }
  if (items.truncated > 0) {
    say(options, fmt::format("truncated to {} tokens: {}", generator.max_sequence_length(), counted(items.truncated, "text")));
  }
  if (figures.chunked > 0) say(options, fmt::format("averaged over chunks: {}", counted(figures.chunked, "text")));
  if (items.failed > 0) say(options, fmt::format("failed: {}", counted(items.failed, "text")));
  const char* unchanged = items.newly_embedded > 0 ? " is as it was" : " is up to date";
  say(options, fmt::format("{}{}: {} ({} new, {} reused, {} removed)", options.output, figures.summary.written ? "" : unchanged,
                           counted(items.success, "document"), with_commas(items.newly_embedded), with_commas(items.cached),
                           with_commas(figures.summary.removed)));
  if (items.newly_embedded > 0) {
    say(options, fmt::format("{} documents/s, {} tokens/s ({} tokens in {:.1f} s)", with_commas(figures.documents_per_second),
                             with_commas(figures.tokens_per_second), with_commas(items.tokens), items.seconds));
  }
  say(options, fmt::format("peak memory {:.0f} MB", static_cast<double>(generator.memory().process_peak) / 1e6));
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
  if (options.max_memory == 0) throw UsageError("--max-memory is 0");
  static_cast<void>(options.long_text());
  static_cast<void>(options.corpus_store());
  if (!options.codebase.empty() && !fs::is_directory(options.codebase))
    throw Error(Status::not_found, fmt::format("no folder {}", options.codebase));

  const fs::path model = options.model.path();
  GeneratorOptions generator_options = options.model.generator();
  generator_options.preparator = options.texts.preparator();
  check_output(options.output);
  const EmbeddingGenerator generator = EmbeddingGenerator::load(model, generator_options);
  const Messages messages(options.talks() ? LogLevel::info : LogLevel::warning);
  const StopScope stop;
  TextReader reader(options.texts, generator, stop.token());
  const Figures figures = embed(options, generator, reader, stop);
  const StreamSummary& items = figures.summary.items;
  if (options.json) report_json(options, figures, reader, generator);
  if (!figures.summary.finished) {
    tell(fmt::format("inlay: interrupted; {} kept for the next run of this command{}", counted(items.newly_embedded, "new vector"),
                     options.fresh ? " without --fresh" : ""));
    return exit_code::interrupted;
  }
  if (!options.json) report(options, figures, reader, generator);
  return items.failed > 0 ? exit_code::some_failed : exit_code::ok;
}

}  // namespace

Command add_embed(CLI::App& application) {
  auto options = std::make_shared<EmbedOptions>();
  CLI::App* command = application.add_subcommand("embed", "Embed a folder's sources, or a file's texts, into a set");
  command
      ->add_option(
          "input", options->texts.input,
          "A folder, or a source file, cut into pieces that the model sees whole; a .txt, .json, .jsonl or .csv file; - for standard input")
      ->type_name("INPUT");
  command->add_option("--codebase-path", options->codebase, "The same, a folder")->type_name("FOLDER");
  command->add_option("-i,--input-file", options->input_file, "The same, a file")->type_name("FILE");
  command
      ->add_option("-o,--output,--output-path,--save-path", options->output,
                   "Where the set is written; one that is there is brought up to date")
      ->type_name("SET");
  command
      ->add_option("--store", options->store,
                   "set: an embedding set; files: a folder of readable files, embeddings_index.json and one a text, for small corpora")
      ->type_name("KIND")
      ->capture_default_str();
  CLI::Option* resume =
      command->add_flag("--resume", options->resume, "Go on with a run that was broken off, and embed only what is new; the default");
  command->add_flag("--fresh", options->fresh, "Embed everything anew, whatever is known already, also of an unfinished run")
      ->excludes(resume);
  command->add_option("--cache", options->cache, "Also take vectors from this cache, and keep new ones in it (see inlay cache)")
      ->type_name("CACHE");
  command
      ->add_option("--chunk", options->chunk,
                   "Texts that are longer than the model takes: average (of the vectors of their chunks, by tokens), truncate, or error")
      ->type_name("POLICY")
      ->capture_default_str();
  command->add_option("--chunk-size", options->chunk_size, "Tokens of a chunk at most (default: what the model takes)")->check(at_least(1));
  command->add_option("--overlap", options->overlap, "Tokens that a chunk repeats of the one before it, at most")
      ->check(at_least(0))
      ->capture_default_str();
  command->add_option("--max-memory", options->max_memory, "Texts in flight at most: bytes, or 64MB and the like")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE")
      ->default_str("64MB");
  options->model.add_model(*command);
  options->model.add_computing(*command);
  options->model.add_vectors(*command);
  options->texts.add(*command);
  command->add_flag("--json", options->json, "Print the figures as one JSON object");
  command->add_flag("--quiet", options->quiet, "Print nothing but warnings and errors");
  return {command, [options] { return run_embed(*options); }};
}

}  // namespace inlay::cli
