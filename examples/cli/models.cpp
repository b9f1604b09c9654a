// inlay models: what has an alias, and what of it is in the cache.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.hpp"
#include "fetch.hpp"
#include "inlay/error.hpp"
#include "inlay/hub.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

std::optional<std::filesystem::path> cached(const KnownModel& model) {
  try {
    return find_model(model.name);
  } catch (const Error& error) {  // a damaged cache: the rest of the list is still of use
    write_error(fmt::format("inlay: warning: {}\n", error.what()));
    return std::nullopt;
  }
}

int run_models(bool json) {
  if (json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const KnownModel& model : known_models()) {
      const auto folder = cached(model);
      nlohmann::ordered_json object = {{"alias", model.alias},         {"name", model.name},
                                       {"dimension", model.dimension}, {"max_sequence_length", model.max_sequence_length},
                                       {"megabytes", model.megabytes}, {"good_for", model.good_for}};
      object["folder"] = folder ? nlohmann::ordered_json(folder->string()) : nlohmann::ordered_json();
      list.push_back(std::move(object));
    }
    write_output(list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return exit_code::ok;
  }
  std::size_t alias = 5;
  std::size_t name = 4;
  for (const KnownModel& model : known_models()) {
    alias = std::max(alias, model.alias.size());
    name = std::max(name, model.name.size());
  }
  std::string text = fmt::format("{:<{}}  {:<{}}  {:>9}  {:>10}  {:>7}  {:<6}  {}\n", "alias", alias, "name", name, "dimension",
                                 "max tokens", "size", "cached", "good for");
  for (const KnownModel& model : known_models()) {
    text += fmt::format("{:<{}}  {:<{}}  {:>9}  {:>10}  {:>7}  {:<6}  {}\n", model.alias, alias, model.name, name, model.dimension,
                        model.max_sequence_length, megabytes(std::uint64_t{model.megabytes} * 1'000'000), cached(model) ? "yes" : "-",
                        model.good_for);
  }
  write_output(text);
  return exit_code::ok;
}

}  // namespace

Command add_models(CLI::App& application) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = application.add_subcommand("models", "List the models that have an alias, and which are in the cache");
  command->add_flag("--json", *json, "Print a JSON array; \"folder\" is null where the cache does not have the model");
  return {command, [json] { return run_models(*json); }};
}

}  // namespace inlay::cli
