// inlay index: a codebase as an index. Run again, it embeds only what changed.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "commands.hpp"
#include "inlay/codebase_index.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "progress_bar.hpp"
#include "set_output.hpp"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct IndexOptions {
  ModelOptions model;
  std::string folder;
  std::string output;
  std::string kind = "auto";
  std::string chunk = "truncate";
  std::string cache;
  IndexCodebaseOptions index;
  std::size_t quiet_ms = 500;
  bool no_text_files = false;
  bool watch = false;
  bool verbose = false;
  bool json = false;
  bool quiet = false;

  [[nodiscard]] bool talks() const noexcept { return !quiet && !json; }
};

std::string to_json(const IndexOptions& options, const CodebaseChanges& changes, const EmbeddingGenerator& generator) {
  const StreamSummary& items = changes.corpus.items;
  const nlohmann::ordered_json object = {{"index", options.output},
                                         {"files", changes.files},
                                         {"items", changes.items},
                                         {"new", changes.added},
                                         {"edited", changes.edited},
                                         {"moved", changes.moved},
                                         {"unchanged", changes.unchanged},
                                         {"removed", changes.removed},
                                         {"failed", changes.failed},
                                         {"embedded", items.newly_embedded},
                                         {"truncated", items.truncated},
                                         {"skipped", changes.skipped},
                                         {"finished", changes.corpus.finished},
                                         {"written", changes.corpus.written},
                                         {"tokens", items.tokens},
                                         {"seconds", items.seconds},
                                         {"model", generator.info().name},
                                         {"dimension", generator.dimension()},
                                         {"fingerprint", generator.info().fingerprint}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string to_text(const IndexOptions& options, const CodebaseChanges& changes) {
  const StreamSummary& items = changes.corpus.items;
  std::string text = fmt::format("{}: {} in {} ({} new, {} edited, {} moved, {} unchanged, {} removed); {} embedded", options.output,
                                 counted(changes.items, "item"), counted(changes.files, "file"), with_commas(changes.added),
                                 with_commas(changes.edited), with_commas(changes.moved), with_commas(changes.unchanged),
                                 with_commas(changes.removed), with_commas(items.newly_embedded));
  if (items.newly_embedded > 0 && items.seconds > 0)
    text += fmt::format(", {} tokens/s", with_commas(static_cast<double>(items.tokens) / items.seconds));
  return text;
}

class Run {
 public:
  Run(const IndexOptions& options, const EmbeddingGenerator& generator, const StopScope& stop)
      : options_(options), generator_(generator), index_(options.index), bar_(options.talks()) {
    index_.stop = stop.token();
    index_.created = given_time();
    index_.text_files = !options.no_text_files;
    index_.index.kind = parse_index_kind(options.kind);
    index_.long_text.policy = parse_long_text(options.chunk);
    if (!options.cache.empty()) index_.cache = open_cache(options.cache);
    index_.on_progress = [this](const Progress& progress, double fraction) { bar_.show(progress, fraction); };
    index_.index.on_progress = [this](std::size_t done, std::size_t total) { bar_.show(done, total, "rows of the index"); };
    index_.on_skip = [this](const fs::path& path, std::string_view reason) { skip(path, reason); };
    index_.on_note = [this](const std::string& path, const ParseNote& note) {
      if (options_.verbose) warn(fmt::format("{}:{}: {}", printable(path), note.line, note.message));
    };
    index_.on_failure = [](const Document& document, const ItemReport& report) {
      warn(fmt::format("{}:{}: {}", document.metadata.file_path, document.metadata.line_number, report.message));
    };
  }

  int run() {
    if (!options_.watch) {
      const CodebaseChanges changes = index_codebase(generator_, options_.folder, options_.output, index_);
      return report(changes);
    }
    int code = exit_code::ok;
    watch_codebase(generator_, options_.folder, options_.output, index_,
                   {.quiet = std::chrono::milliseconds(options_.quiet_ms), .on_update = [&](const CodebaseChanges& changes) {
                      code = report(changes);
                      if (options_.talks() && changes.corpus.finished && !std::exchange(told_, true)) tell("watching; Ctrl-C ends it");
                    }});
    return code;  // to be stopped is how it ends
  }

 private:
  void skip(const fs::path& path, std::string_view reason) {
    if (options_.verbose) tell(fmt::format("left out: {}: {}", path.string(), reason));
  }

  int report(const CodebaseChanges& changes) {
    if (options_.json) write_output(to_json(options_, changes, generator_));
    if (!changes.corpus.finished) {
      tell(fmt::format("inlay: interrupted; {} kept for the next run of this command",
                       counted(changes.corpus.items.newly_embedded, "new vector")));
      return exit_code::interrupted;
    }
    if (changes.items == 0 && changes.failed == 0) warn(fmt::format("{} has nothing to index", options_.folder));
    if (options_.talks()) {
      std::string reasons;
      for (const auto& [reason, count] : changes.skipped)
        reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", with_commas(count), reason);
      if (!reasons.empty()) tell(fmt::format("left out: {}", reasons));
      if (changes.failed > 0) tell(fmt::format("failed: {}", counted(changes.failed, "item")));
      const std::size_t truncated = changes.corpus.items.truncated;
      if (truncated > 0)
        tell(fmt::format("of {} the first {} tokens were embedded", counted(truncated, "item"), generator_.max_sequence_length()));
      tell(to_text(options_, changes));
    }
    return changes.failed > 0 ? exit_code::some_failed : exit_code::ok;
  }

  const IndexOptions& options_;
  const EmbeddingGenerator& generator_;
  IndexCodebaseOptions index_;
  ProgressBar bar_;
  bool told_ = false;  // that it watches
};

int run_index(const IndexOptions& options) {
  static_cast<void>(parse_index_kind(options.kind));
  static_cast<void>(parse_long_text(options.chunk));
  std::error_code error;
  if (!fs::is_directory(options.folder, error)) throw Error(Status::not_found, fmt::format("no folder {}", options.folder));
  const fs::path model = options.model.path();
  check_output(options.output);
  const EmbeddingGenerator generator = EmbeddingGenerator::load(model, options.model.generator());
  const Messages messages(options.talks() ? LogLevel::info : LogLevel::warning);
  const StopScope stop;
  return Run(options, generator, stop).run();
}

}  // namespace

Command add_index(CLI::App& application) {
  auto options = std::make_shared<IndexOptions>();
  CLI::App* command = application.add_subcommand("index", "Make a codebase searchable, or bring its index up to date");
  command->add_option("folder", options->folder, "The code; .gitignore and .inlayignore files are honoured")->required()->type_name("PATH");
  command->add_option("-o,--output", options->output, "Where the index is written; one that is there is brought up to date")
      ->required()
      ->type_name("INDEX");
  command->add_flag("--watch", options->watch, "Then keep it up to date as files change, until Ctrl-C");
  command->add_option("--quiet-ms", options->quiet_ms, "With --watch: milliseconds without a change before an update")
      ->capture_default_str();
  command
      ->add_option("--index", options->kind,
                   "flat (exact), hnsw or ivf_pq; auto: flat up to 200,000 items, hnsw up to 2,000,000, ivf_pq above")
      ->type_name("KIND")
      ->capture_default_str();
  command->add_flag("--no-text-files", options->no_text_files, "Leave out files that are no source code");
  command
      ->add_option("--max-file-bytes", options->index.parser.max_file_bytes, "Larger source files are left out: bytes, or 4MB and the like")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE")
      ->default_str("4MB");
  command->add_option("--max-text-bytes", options->index.max_text_bytes, "Larger files that are no source code are left out, likewise")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE")
      ->default_str("1MB");
  command->add_option("--chunk", options->chunk, "Items that are longer than the model takes: truncate, average (of their parts), or error")
      ->type_name("POLICY")
      ->capture_default_str();
  command->add_flag("--fresh", options->index.fresh, "Embed everything anew");
  command->add_option("--cache", options->cache, "Also take vectors from this cache, and keep new ones in it (see inlay cache)")
      ->type_name("CACHE");
  command->add_option("--max-memory", options->index.max_memory, "Items in flight at most: bytes, or 64MB and the like")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE")
      ->default_str("64MB");
  options->model.add_model(*command);
  options->model.add_computing(*command);
  options->model.add_vectors(*command);
  command->add_flag("--json", options->json, "Print the figures as one JSON object, with --watch one a line");
  command->add_flag("-v,--verbose", options->verbose, "Tell of each file that is left out, and of broken source");
  command->add_flag("-q,--quiet", options->quiet, "Print nothing but warnings and errors");
  return {command, [options] { return run_index(*options); }};
}

}  // namespace inlay::cli
