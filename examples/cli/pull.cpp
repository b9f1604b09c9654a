// inlay pull: a model from the hub into the cache.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "fetch.hpp"
#include "inlay/error.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

struct PullCommand {
  std::string model;
  std::string revision;
  bool json = false;
  bool quiet = false;
};

int run_pull(const PullCommand& given) {
  PullCommand options = given;
  if (const std::size_t at = options.model.find('@'); at != std::string::npos) {
    if (!options.revision.empty()) throw UsageError("the revision is given twice");
    options.revision = options.model.substr(at + 1);
    options.model.resize(at);
    if (options.revision.empty()) throw UsageError("there is no revision behind the @");
  }
  PullResult result;
  try {
    result = fetch(options.model, options.revision, options.quiet || options.json);
  } catch (const Error& error) {
    if (error.status() != Status::cancelled) throw;
    write_error(fmt::format("inlay: interrupted; what came is kept, and the next pull goes on from there\n"));
    return exit_code::interrupted;
  }
  if (options.json) {
    const nlohmann::ordered_json object = {{"name", result.name},
                                           {"commit", result.commit},
                                           {"folder", result.folder},
                                           {"files", result.files},
                                           {"bytes", result.bytes},
                                           {"files_fetched", result.files_fetched},
                                           {"bytes_fetched", result.bytes_fetched}};
    write_output(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return exit_code::ok;
  }
  if (!options.quiet) {
    const std::string fetched =
        result.files_fetched == 0 ? "all were there" : fmt::format("{} fetched, {}", result.files_fetched, megabytes(result.bytes_fetched));
    write_error(fmt::format("{}: {}, {} ({})\n", result.name, counted(result.files, "file"), megabytes(result.bytes), fetched));
  }
  write_output(result.folder.string() + "\n");
  return exit_code::ok;
}

}  // namespace

Command add_pull(CLI::App& application) {
  auto options = std::make_shared<PullCommand>();
  CLI::App* command = application.add_subcommand("pull", "Fetch a model from the hub, or bring it up to date; prints its folder");
  command->add_option("model", options->model, "Its name on the hub, or an alias (see inlay models); @REV: a branch, tag or commit")
      ->required()
      ->type_name("NAME[@REV]");
  command->add_option("--revision", options->revision, "The same as @REV")->type_name("REV");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->add_flag("--quiet", options->quiet, "Print the folder alone");
  return {command, [options] { return run_pull(*options); }};
}

}  // namespace inlay::cli
