// inlay code-embeddings: snippets, or the code files of papers, to vectors that know their paper, and an index over them.
#include "inlay/code_embeddings.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.hpp"
#include "inlay/error.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "progress_bar.hpp"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct CodeEmbeddingsOptions {
  ModelOptions model;
  std::string input;
  std::string output;
  bool snippets = false;
  bool use_cls_token = true;
  std::size_t max_length = 512;
  CodeEmbeddingOptions embedding;
  std::string index_kind = "flat";
  std::string cache;
  bool json = false;
  bool verbose = false;
  bool quiet = false;

  [[nodiscard]] bool talks() const noexcept { return !quiet && !json; }
};

// What was read, but makes no row.
struct LeftOut {
  std::size_t bad = 0;
  std::map<std::string, std::size_t> skipped{};  // by the reason
};

// Snippets from a list, or files from papers.
class Reader {
 public:
  Reader(const CodeEmbeddingsOptions& options, LeftOut& left_out) {
    const auto on_bad = [&left_out](std::string_view message) {
      ++left_out.bad;
      warn(message);
    };
    if (options.snippets) {
      snippets_.emplace(options.input, SnippetReaderOptions{.on_bad_record = on_bad});
    } else {
      const auto on_skip = [&left_out, &options](std::string_view path, std::string_view reason) {
        ++left_out.skipped[std::string(reason)];
        if (options.verbose) tell(fmt::format("left out: {}: {}", printable(path), reason));
      };
      files_.emplace(options.input, CodeFileReaderOptions{.papers = {.on_bad_record = on_bad}, .on_skip = on_skip});
    }
  }

  std::optional<SnippetRecord> next() { return snippets_ ? snippets_->next() : files_->next(); }
  [[nodiscard]] double fraction() const noexcept { return snippets_ ? snippets_->fraction() : files_->fraction(); }

 private:
  std::optional<SnippetReader> snippets_;
  std::optional<CodeFileReader> files_;
};

fs::path model_of(ModelOptions options) {
  const char* variable = std::getenv("INLAY_MODEL");
  if (options.model.empty() && (variable == nullptr || *variable == '\0')) options.model = "microsoft/codebert-base";
  return options.path();
}

void check_files(const CodeEmbeddingsOptions& options) {
  if (options.output.empty()) throw UsageError("--output_path is empty");
  const fs::path folder = fs::path(options.output).parent_path();
  std::error_code error;  // of a path that is not there
  for (const fs::path& written : {fs::path(options.output), folder / "embeddings/metadata.json", folder / "faiss_metadata.json"}) {
    if (fs::equivalent(options.input, written, error))
      throw UsageError(fmt::format("{} is the input, and would be written", written.string()));
  }
}

CodeEmbeddingSummary embed(const CodeEmbeddingsOptions& options, const EmbeddingGenerator& generator, Reader& reader) {
  const StopScope stop;
  ProgressBar bar(options.talks());
  CodeEmbeddingOptions embedding = options.embedding;
  embedding.index.kind = parse_index_kind(options.index_kind);
  if (!options.cache.empty()) embedding.cache = open_cache(options.cache);
  embedding.stop = stop.token();
  embedding.on_progress = [&](const Progress& progress) { bar.show(progress, reader.fraction()); };
  embedding.index.on_progress = [&](std::size_t rows, std::size_t total) { bar.show(rows, total, "rows of the index"); };
  embedding.on_item = [](const Snippet& snippet, const ItemReport& report) {
    if (report.status == Status::ok || report.status == Status::cancelled) return;
    warn(fmt::format("{}:{}: {}", snippet.file_path, snippet.line_begin, report.message));
  };
  return embed_snippets(
      generator, [&] { return reader.next(); }, options.output, embedding);
}

void report_json(const CodeEmbeddingsOptions& options, const CodeEmbeddingSummary& summary, const LeftOut& left_out,
                 const EmbeddingGenerator& generator) {
  const nlohmann::ordered_json object = {{"output", options.output},
                                         {"snippets", summary.success},
                                         {"failed", summary.failed + left_out.bad},
                                         {"skipped", left_out.skipped},
                                         {"truncated", summary.truncated},
                                         {"truncated_contexts", summary.truncated_contexts},
                                         {"finished", summary.finished},
                                         {"texts", summary.texts.total},
                                         {"new", summary.texts.newly_embedded},
                                         {"reused", summary.texts.cached},
                                         {"tokens", summary.texts.tokens},
                                         {"seconds", summary.texts.seconds},
                                         {"peak_memory_bytes", generator.memory().process_peak},
                                         {"model", generator.info().name},
                                         {"dimension", generator.dimension()},
                                         {"max_length", generator.max_sequence_length()},
                                         {"fingerprint", generator.info().fingerprint}};
  write_output(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void report(const CodeEmbeddingsOptions& options, const CodeEmbeddingSummary& summary, const LeftOut& left_out,
            const EmbeddingGenerator& generator) {
  for (const auto& [reason, count] : left_out.skipped) tell(fmt::format("left out: {}, {}", counted(count, "file"), reason));
  const std::array<std::pair<const char*, std::size_t>, 2> truncated = {
      {{"snippet", summary.truncated}, {"paper's context", summary.truncated_contexts}}};
  for (const auto& [what, count] : truncated) {
    if (count > 0) tell(fmt::format("truncated to {} tokens: the {} of {}", generator.max_sequence_length(), what, counted(count, "row")));
  }
  if (summary.failed + left_out.bad > 0) tell(fmt::format("failed: {}", counted(summary.failed + left_out.bad, "record")));
  tell(fmt::format("{}: {} of {} components ({}; {} new, {} reused){}", options.output, counted(summary.success, "row"),
                   generator.dimension(), counted(summary.texts.total, "text"), with_commas(summary.texts.newly_embedded),
                   with_commas(summary.texts.cached), options.embedding.build_index ? ", with an index" : ""));
  if (summary.texts.newly_embedded > 0 && summary.texts.seconds > 0) {
    tell(fmt::format("{} tokens/s ({} tokens in {:.1f} s)", with_commas(static_cast<double>(summary.texts.tokens) / summary.texts.seconds),
                     with_commas(summary.texts.tokens), summary.texts.seconds));
  }
}

int run_code_embeddings(const CodeEmbeddingsOptions& options) {
  const double weight = options.embedding.paper_context_weight;
  if (!(weight >= 0 && weight <= 1)) throw UsageError(fmt::format("--paper-context-weight is {}, not from 0 to 1", weight));
  check_files(options);
  LeftOut left_out;
  Reader reader(options, left_out);  // before the model, which takes longer
  const Messages messages(options.talks() ? LogLevel::info : LogLevel::warning);
  GeneratorOptions generator_options;
  generator_options.device = Device::parse(options.model.device);
  generator_options.batch_size = options.model.batch_size;
  generator_options.batch_tokens = options.model.batch_tokens;
  generator_options.threads = options.model.threads;
  generator_options.revision = options.model.revision;
  const EmbeddingGenerator generator = load_code_model(
      model_of(options.model), {.use_cls_token = options.use_cls_token, .max_length = options.max_length, .generator = generator_options});
  const CodeEmbeddingSummary summary = embed(options, generator, reader);
  if (options.json) report_json(options, summary, left_out, generator);
  if (!summary.finished) {
    tell(fmt::format("inlay: interrupted; {} kept for the next run of this command{}", counted(summary.texts.newly_embedded, "new vector"),
                     options.embedding.fresh ? " without --fresh" : ""));
    return exit_code::interrupted;
  }
  if (summary.success == 0 && !summary.written) {
    throw Error(Status::invalid_argument,
                fmt::format("{} gives no row{}", options.input, options.snippets ? "" : " (a list of snippets needs --snippets)"));
  }
  if (summary.total + left_out.bad == 0) {
    warn(fmt::format("there is nothing to embed in {}{}", options.input,
                     options.snippets ? "" : ": it has no code files (a list of snippets needs --snippets)"));
  }
  if (options.talks()) report(options, summary, left_out, generator);
  return summary.failed + left_out.bad > 0 ? exit_code::some_failed : exit_code::ok;
}

void add_embedding(CLI::App& command, CodeEmbeddingsOptions& options) {
  command.add_flag("--use-cls-token,--use_cls_token,!--no-cls-token,!--no_cls_token", options.use_cls_token,
                   "A text's vector is the first token's hidden state, else the mean over its tokens (default: the first token's)");
  command.add_flag("--include-paper-context,--include_paper_context,!--no-paper-context,!--no_paper_context",
                   options.embedding.include_paper_context,
                   "Combine the code's vector with that of the paper's title and abstract (default: yes)");
  command
      .add_option("--paper-context-weight,--paper_context_weight", options.embedding.paper_context_weight,
                  "Weight w of the context, from 0 to 1: the row is (1 - w) code + w context, each and the sum at length 1")
      ->type_name("W")
      ->capture_default_str();
  command.add_option("--max_length,--max-length", options.max_length, "Tokens of a text used at most; longer ones are truncated")
      ->check(at_least(1))
      ->capture_default_str();
}

void add_computing(CLI::App& command, ModelOptions& model) {
  model.add_model(command);
  model.batch_size = 8;
  command.add_option("-d,--device", model.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  command.add_option("--threads", model.threads, "Threads to compute with (default: one per processor)")->check(at_least(1));
  command.add_option("--batch_size,--batch-size", model.batch_size, "Texts in a batch at most")->check(at_least(1))->capture_default_str();
  command.add_option("--batch_tokens,--batch-tokens", model.batch_tokens, "Tokens in a batch at most (default: the library's choice)")
      ->check(at_least(1));
}

}  // namespace

Command add_code_embeddings(CLI::App& application) {
  auto options = std::make_shared<CodeEmbeddingsOptions>();
  CLI::App* command = application.add_subcommand("code-embeddings", "Embed the code of papers, together with what the papers are about");
  command
      ->add_option("--json_path,--json-path", options->input, "A JSON file of papers with their code files; with --snippets, of snippets")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--output_path,--output-path", options->output,
                   "A JSON list, an object a snippet; beside it embeddings/code_embeddings.npy and embeddings/metadata.json are written")
      ->default_val("snippet_embeddings.json")
      ->type_name("FILE");
  command->add_flag("--snippets", options->snippets, "The input is the list that `inlay snippets` writes; else each code file is embedded");
  add_embedding(*command, *options);
  command->add_flag("--build_faiss,--build-faiss", options->embedding.build_index,
                    "Write faiss_index.index and faiss_metadata.json beside the output, too");
  command->add_option("--index-kind,--index_kind", options->index_kind, "flat, hnsw, ivf_pq or auto (by the number of rows)")
      ->check(CLI::IsMember({"flat", "hnsw", "ivf_pq", "auto"}))
      ->capture_default_str();
  command
      ->add_option("--cache", options->cache, "Keep the texts' vectors in this cache, too, and take those that are there (see inlay cache)")
      ->type_name("CACHE");
  command->add_flag("--fresh", options->embedding.fresh, "Embed all anew, whatever a broken run or the cache has");
  add_computing(*command, options->model);
  command->add_option("--max-memory,--max_memory", options->embedding.max_memory, "Snippets in flight at most: bytes, or 64MB and the like")
      ->transform(CLI::AsSizeValue(false))
      ->check(at_least(1))
      ->type_name("SIZE")
      ->default_str("64MB");
  command->add_flag("--json", options->json, "Print the figures as one JSON object");
  command->add_flag("-v,--verbose", options->verbose, "Tell of each code file that is left out");
  command->add_flag("-q,--quiet", options->quiet, "Say nothing but warnings and errors");
  return {command, [options] { return run_code_embeddings(*options); }};
}

}  // namespace inlay::cli
