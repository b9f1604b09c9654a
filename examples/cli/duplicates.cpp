// inlay duplicates: near-copies in an index.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.hpp"
#include "inlay/codebase_index.hpp"
#include "interrupt.hpp"
#include "item_options.hpp"
#include "output.hpp"
#include "progress_bar.hpp"

namespace inlay::cli {
namespace {

struct DuplicatesOptions {
  std::string index;
  ItemOptions items;
  DuplicateOptions search;
  std::size_t most = 0;
  bool json = false;
  bool quiet = false;
};

std::string to_text(const CodebaseIndex& index, const DuplicateGroup& group) {
  std::string text = fmt::format("{:.3f}\n", group.score);
  for (const std::size_t row : group.items) {
    const IndexedItem& item = index.item(row);
    const std::string title = first_line(item.signature.empty() ? index.source_code(row) : item.signature, 140);
    text += fmt::format("  {}-{}  {}\n", place(item, row), item.line_end, title);
  }
  return text;
}

nlohmann::ordered_json group_json(const CodebaseIndex& index, const DuplicateGroup& group) {
  nlohmann::ordered_json object = {{"score", group.score}, {"items", nlohmann::ordered_json::array()}};
  for (const std::size_t row : group.items) object["items"].push_back(to_json(index, row));
  return object;
}

int run_duplicates(const DuplicatesOptions& given) {
  DuplicatesOptions options = given;
  const StopScope stop;
  ProgressBar bar(!options.quiet);
  const CodebaseIndex index(options.index);
  options.search.filter = options.items.filter();
  options.search.stop = stop.token();
  options.search.on_progress = [&](std::size_t done, std::size_t total) { bar.show(done, total, "items"); };
  std::vector<DuplicateGroup> groups;
  try {
    groups = index.near_duplicates(options.search);
  } catch (const Error& error) {
    if (error.status() != Status::cancelled) throw;
    return exit_code::interrupted;
  }
  std::size_t items = 0;
  for (const DuplicateGroup& group : groups) items += group.items.size();
  const std::size_t shown = options.most == 0 ? groups.size() : std::min(options.most, groups.size());
  for (std::size_t i = 0; i < shown; ++i) {
    write_output(options.json ? group_json(index, groups[i]).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                              : to_text(index, groups[i]));
  }
  if (!options.quiet) tell(fmt::format("{} of near-copies, {} in them", counted(groups.size(), "group"), counted(items, "item")));
  return exit_code::ok;
}

}  // namespace

Command add_duplicates(CLI::App& application) {
  auto options = std::make_shared<DuplicatesOptions>();
  CLI::App* command = application.add_subcommand("duplicates", "List near-copies in an index");
  command->add_option("index", options->index, "What inlay index wrote")->required()->type_name("INDEX");
  command->add_option("--threshold", options->search.threshold, "Least cosine similarity of two that are near-copies, from 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--min-lines", options->search.min_lines, "Leave out what has fewer lines")
      ->check(at_least(0))
      ->capture_default_str();
  options->items.add(*command);
  command->add_option("-n,--max-groups", options->most, "Show so many groups at most (default: all)")->check(at_least(1));
  command->add_option("--threads", options->search.threads, "Threads to compute with (default: one per processor)")->check(at_least(1));
  command->add_flag("--json", options->json, "Print a JSON object a group, one a line: score, items");
  command->add_flag("-q,--quiet", options->quiet, "Say nothing but the groups and errors");
  return {command, [options] { return run_duplicates(*options); }};
}

}  // namespace inlay::cli
