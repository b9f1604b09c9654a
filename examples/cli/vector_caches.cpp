// inlay cache: what is in a cache of vectors, whether it is whole, what may go; from one kind to the other.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.hpp"
#include "fetch.hpp"
#include "inlay/error.hpp"
#include "inlay/vector_cache.hpp"
#include "output.hpp"

namespace inlay::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CacheCommand {
  std::string cache;
  std::string other;  // export to, import from
  std::string model;
  std::string older_than;
  std::string keep_model;
  std::string drop_model;
  std::size_t max_entries = 0;
  std::uint64_t max_bytes = 0;
  bool json = false;
};

std::string dump(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

// A cache that must be there: opening one that is not would begin it.
std::shared_ptr<VectorCache> open_existing(const std::string& name) {
  auto cache = open_cache(name);
  const std::filesystem::path path = cache->statistics().path;
  std::error_code error;
  if (path.empty() || std::filesystem::exists(path, error)) return cache;
  throw Error(Status::not_found, fmt::format("no cache {}", path.string()));
}

// The one model whose fingerprint begins so.
std::string whole_fingerprint(const VectorCache& cache, const std::string& beginning) {
  if (beginning.empty()) return {};
  std::vector<std::string> found;
  for (const CacheModelCount& count : cache.statistics().models) {
    const std::string& fingerprint = count.model.fingerprint;
    if (fingerprint == beginning) return beginning;
    // "…+average(256,0)" is another model than "…", whose whole fingerprint this would be.
    if (fingerprint.starts_with(beginning) && fingerprint[beginning.size()] != '+') found.push_back(fingerprint);
  }
  if (found.size() == 1) return found.front();
  throw Error(found.empty() ? Status::not_found : Status::invalid_argument,
              found.empty() ? fmt::format("the cache has no model whose fingerprint begins with \"{}\"", beginning)
                            : fmt::format("\"{}\" is ambiguous: {}", beginning, fmt::join(found, ", ")));
}

std::optional<std::string> given(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

// "30d", "12h", "90m", "45s".
std::chrono::seconds parse_duration(const std::string& text) {
  constexpr std::array<std::pair<char, std::uint64_t>, 5> units = {{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}}};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit = std::ranges::find(units, end == text.data() + text.size() ? '\0' : *end, &std::pair<char, std::uint64_t>::first);
  constexpr std::uint64_t most = 100ULL * 366 * 86400;
  if (error != std::errc() || unit == units.end() || end + 1 != text.data() + text.size() || number > most / unit->second)
    throw UsageError(fmt::format("\"{}\" is not a time like 30d, 12h, 90m or 45s, of 100 years at most", text));
  return std::chrono::seconds(number * unit->second);
}

int run_stats(const CacheCommand& command) {
  const auto cache = open_existing(command.cache);
  const CacheStatistics statistics = cache->statistics();
  if (command.json) {
    Json models = Json::array();
    for (const CacheModelCount& count : statistics.models) {
      models.push_back({{"name", count.model.name},
                        {"fingerprint", count.model.fingerprint},
                        {"dimension", count.model.dimension},
                        {"entries", count.entries}});
    }
    write_output(dump({{"path", statistics.path.string()},
                       {"kind", to_string(statistics.kind)},
                       {"entries", statistics.entries},
                       {"file_bytes", statistics.file_bytes},
                       {"models", models}}));
    return exit_code::ok;
  }
  std::string text = fmt::format("{} ({}): {}, {}\n", printable(statistics.path.string()), to_string(statistics.kind),
                                 counted(statistics.entries, "vector"), megabytes(statistics.file_bytes));
  for (const CacheModelCount& count : statistics.models) {
    text += fmt::format("  {}  {}, {} components: {}\n", printable(count.model.fingerprint), printable(count.model.name),
                        count.model.dimension, counted(count.entries, "vector"));
  }
  write_output(text);
  return exit_code::ok;
}

int run_verify(const CacheCommand& command) {
  const auto cache = open_existing(command.cache);
  const CacheCheck check = cache->verify();
  if (command.json) {
    Json problems = Json::array();
    for (const CacheProblem& problem : check.problems)
      problems.push_back({{"key", problem.key}, {"label", problem.label}, {"message", problem.message}});
    write_output(dump({{"ok", check.ok()},
                       {"entries", check.entries},
                       {"wrong", check.wrong},
                       {"unverifiable", check.unverifiable},
                       {"problems", problems}}));
  } else {
    std::string text;
    for (const CacheProblem& problem : check.problems) {
      const std::string& place = problem.label.empty() ? problem.key : problem.label;
      text += printable(fmt::format("{}{}{}", place, place.empty() ? "" : ": ", problem.message)) + "\n";
    }
    text += fmt::format("{} whole, {} wrong{}\n", counted(check.entries, "vector"), with_commas(check.wrong),
                        check.unverifiable == 0 ? "" : fmt::format(", {} without content_hash", with_commas(check.unverifiable)));
    write_output(text);
  }
  return check.ok() ? exit_code::ok : exit_code::some_failed;
}

int run_prune(const CacheCommand& command) {
  const auto cache = open_existing(command.cache);
  PruneOptions options{.keep_fingerprint = given(whole_fingerprint(*cache, command.keep_model)),
                       .drop_fingerprint = given(whole_fingerprint(*cache, command.drop_model))};
  if (!command.older_than.empty()) options.created_before = std::chrono::system_clock::now() - parse_duration(command.older_than);
  if (command.max_entries > 0) options.max_entries = command.max_entries;
  if (command.max_bytes > 0) options.max_bytes = command.max_bytes;
  if (!options.created_before && !options.keep_fingerprint && !options.drop_fingerprint && !options.max_entries && !options.max_bytes)
    throw UsageError("nothing is given to prune by: --older-than, --keep-model, --drop-model, --max-entries or --max-size");
  const PruneResult result = cache->prune(options);
  if (command.json) {
    write_output(dump(
        {{"removed", result.removed}, {"kept", result.kept}, {"bytes_before", result.bytes_before}, {"bytes_after", result.bytes_after}}));
  } else {
    write_output(fmt::format("{} removed, {} kept; {} before, {} now\n", counted(result.removed, "vector"), with_commas(result.kept),
                             megabytes(result.bytes_before), megabytes(result.bytes_after)));
  }
  return exit_code::ok;
}

int copy(const CacheCommand& command, const std::string& from_name, const std::string& to_name) {
  const auto from = open_existing(from_name);
  const auto to = open_cache(to_name);
  if (to->statistics().kind == CacheKind::json && command.model.empty() && from->statistics().models.size() > 1)
    throw UsageError(
        fmt::format("{} has vectors of several models, and a JSON file is of one: pass its fingerprint with --model", from_name));
  const std::size_t copied = copy_cache(*from, *to, whole_fingerprint(*from, command.model));
  const CacheStatistics now = to->statistics();
  if (command.json) {
    write_output(dump({{"copied", copied}, {"to", now.path.string()}, {"entries", now.entries}}));
  } else {
    const char* note =
        now.kind == CacheKind::json && now.entries < copied ? " (a JSON file has one a label: those that stood there before went)" : "";
    write_output(fmt::format("{} to {}, which has {} now{}\n", counted(copied, "vector"), printable(now.path.string()),
                             with_commas(now.entries), note));
  }
  return exit_code::ok;
}

}  // namespace

Command add_cache(CLI::App& application) {
  auto options = std::make_shared<CacheCommand>();
  CLI::App* command = application.add_subcommand("cache", "Look into a cache of vectors, check it, empty it, copy it");
  command->require_subcommand(1);
  command->footer(
      "A cache is a path or URL: PATH.json or json:PATH, any other path or sqlite:PATH; sqlite: alone is the default,\n"
      "$XDG_CACHE_HOME/inlay/vectors.db, else ~/.cache/inlay/vectors.db.");
  const auto add = [&](const char* name, const char* description) {
    CLI::App* sub = command->add_subcommand(name, description);
    sub->add_flag("--json", options->json, "Print one JSON object");
    return sub;
  };
  const auto add_place = [&](CLI::App* sub, const char* description = "The cache (default: sqlite:)") {
    return sub->add_option("cache", options->cache, description)->type_name("CACHE");
  };
  CLI::App* stats = add("stats", "How many vectors of which models");
  add_place(stats);
  CLI::App* verify = add("verify", "Read and check everything; exit code 3 where something is wrong");
  add_place(verify);
  CLI::App* prune = add("prune", "Remove vectors that any of the conditions says, and give their space back");
  add_place(prune);
  prune->add_option("--older-than", options->older_than, "Those made longer ago: 2w, 30d, 12h, 90m, 45s")->type_name("TIME");
  prune->add_option("--keep-model", options->keep_model, "Those of other models than this; the beginning of its fingerprint will do")
      ->type_name("FINGERPRINT");
  prune->add_option("--drop-model", options->drop_model, "Those of this model")->type_name("FINGERPRINT");
  prune->add_option("--max-entries", options->max_entries, "The oldest, until so many are left")->check(at_least(1));
  prune->add_option("--max-size", options->max_bytes, "The oldest, until the file is no larger: bytes, or 500MB and the like")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
  CLI::App* to = add("export", "Copy a cache's vectors into another, JSON say");
  add_place(to, "The cache")->required();
  to->add_option("to", options->other, "The cache that they are added to")->required()->type_name("TO");
  to->add_option("--model", options->model, "Those of this model only; a JSON file is of one")->type_name("FINGERPRINT");
  CLI::App* from = add("import", "Copy another cache's vectors into a cache");
  add_place(from, "The cache")->required();
  from->add_option("from", options->other, "The cache that they are taken from")->required()->type_name("FROM");
  from->add_option("--model", options->model, "Those of this model only")->type_name("FINGERPRINT");
  return {command, [=] {
            const Messages messages(LogLevel::warning);
            if (stats->parsed()) return run_stats(*options);
            if (verify->parsed()) return run_verify(*options);
            if (prune->parsed()) return run_prune(*options);
            if (to->parsed()) return copy(*options, options->cache, options->other);
            return copy(*options, options->other, options->cache);
          }};
}

}  // namespace inlay::cli
