#include "model_options.hpp"

#include <cstdlib>

#include "commands.hpp"
#include "fetch.hpp"

namespace inlay::cli {

void ModelOptions::add_model(CLI::App& command) {
  command
      .add_option("-m,--model,--model-path", model,
                  "The model: its folder, its name on the hub, or an alias (see inlay models); default: $INLAY_MODEL")
      ->type_name("MODEL");
  add_hub(command);
}

void ModelOptions::add_hub(CLI::App& command) {
  command.add_option("--revision", revision, "Branch, tag or commit of a model that is given by its name (default: main)")
      ->type_name("REV");
  command.add_flag("--download", download, "Fetch the model when it is not in the hub's cache");
}

void ModelOptions::add_computing(CLI::App& command) {
  command.add_option("-d,--device", device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  command.add_option("--threads", threads, "Threads to compute with (default: one per processor)")->check(at_least(1));
  command.add_option("--batch-size", batch_size, "Texts in a batch at most (default: no limit but --batch-tokens)")->check(at_least(1));
  command.add_option("--batch-tokens", batch_tokens, "Tokens in a batch at most (default: the library's choice)")->check(at_least(1));
}

void ModelOptions::add_vectors(CLI::App& command) {
  command.add_option("--max-length", max_length, "Tokens of a text used at most (default: the model's own limit)")->check(at_least(1));
  command.add_option("--pooling", pooling, "mean, cls, max, mean_sqrt_len_tokens, weightedmean or lasttoken (default: the model's own)");
  command.add_option("--truncate-dim", truncate_dim, "Keep the first N components only")->check(at_least(1))->type_name("N");
  command.add_flag("--no-normalize", no_normalize, "Leave the vectors' length as it is");
}

std::filesystem::path ModelOptions::path() const {
  const char* fallback = std::getenv("INLAY_MODEL");
  std::string name = !model.empty() ? model : fallback != nullptr ? fallback : "";
  if (name.empty()) {
    throw UsageError(
        "no model is given: pass its folder or its name with -m, or in the environment variable INLAY_MODEL "
        "(in Inlay's source tree `bash cmake/setup.sh` installs one and writes its path to build/setup.env)");
  }
  std::error_code error;
  if (std::filesystem::exists(name, error)) return std::filesystem::absolute(name);  // a set remembers it
  look_for(name, revision, download);
  return name;
}

GeneratorOptions ModelOptions::generator() const {
  GeneratorOptions options;
  options.device = Device::parse(device);
  options.batch_tokens = batch_tokens;
  options.batch_size = batch_size;
  options.max_sequence_length = max_length;
  options.normalize = !no_normalize;
  options.threads = threads;
  if (!pooling.empty()) options.pooling = parse_pooling(pooling);
  options.truncate_dim = truncate_dim;
  options.revision = revision;
  return options;
}

}  // namespace inlay::cli
