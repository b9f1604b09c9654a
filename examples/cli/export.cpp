// inlay export: a model as a TorchScript program.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "commands.hpp"
#include "fetch.hpp"
#include "inlay/torchscript.hpp"
#include "model_options.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

struct ExportCommand {
  ModelOptions model;
  std::string output;
  bool force = false;
  bool json = false;
  bool quiet = false;
};

constexpr const char* footer =
    "The program takes input_ids and attention_mask, int64 [batch, length], and returns a dictionary:\n"
    "  last_hidden_state   [batch, length, hidden]\n"
    "  sentence_embedding  [batch, dimension], pooled and through the model's modules; of length 1 where they normalise\n"
    "\n"
    "  inlay export minilm -o minilm/model.pt\n"
    "  python: torch.jit.load(\"minilm/model.pt\")(ids, mask)[\"sentence_embedding\"]\n"
    "  inlay embed texts.txt -m minilm/model.pt -o texts.set\n";

int run_export(const ExportCommand& options) {
  if (std::filesystem::path(options.output).extension() != ".pt") {
    throw UsageError(
        fmt::format("-o {}: the program's name must end in .pt; the model's small files are written beside it", options.output));
  }
  const std::vector<std::filesystem::path> written =
      export_torchscript(options.model.path(), options.output, {.overwrite = options.force, .revision = options.model.revision});
  if (options.json) {
    nlohmann::ordered_json object = {{"program", options.output}, {"bytes", std::filesystem::file_size(options.output)}};
    for (const auto& path : written) object["files"].push_back(path.string());
    write_output(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return exit_code::ok;
  }
  if (!options.quiet) {
    write_error(fmt::format("{}: {}\n", printable(options.output), megabytes(std::filesystem::file_size(options.output))));
    if (written.size() > 1) write_error(fmt::format("beside it, to load it with: {}\n", counted(written.size() - 1, "file")));
  }
  return exit_code::ok;
}

}  // namespace

Command add_export(CLI::App& application) {
  auto options = std::make_shared<ExportCommand>();
  CLI::App* command =
      application.add_subcommand("export", "Write a model as a TorchScript program, for Python's torch.jit.load or for -m model.pt");
  command->add_option("model", options->model.model, "A model's folder or name (default: $INLAY_MODEL)")->type_name("MODEL");
  command->footer(footer);
  options->model.add_hub(*command);
  command->add_option("-o,--output", options->output, "The program's file; the model's small files are written beside it")
      ->required()
      ->type_name("FILE.pt");
  command->add_flag("--force", options->force, "Replace other files that are in the way");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->add_flag("--quiet", options->quiet, "Print nothing");
  return {command, [options] { return run_export(*options); }};
}

}  // namespace inlay::cli
