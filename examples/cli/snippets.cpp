// inlay snippets: the functions in the code of papers, a JSON object each.
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "commands.hpp"
#include "inlay/error.hpp"
#include "inlay/papers.hpp"
#include "interrupt.hpp"
#include "json_list_file.hpp"
#include "output.hpp"
#include "progress_bar.hpp"

namespace inlay::cli {
namespace {

struct SnippetsOptions {
  std::string input;
  std::string output;
  SnippetOptions snippets;
  std::size_t max_papers = 0;
  bool verbose = false;
  bool quiet = false;
};

struct Counts {
  std::size_t papers = 0;
  std::size_t files = 0;
  std::size_t snippets = 0;
  std::map<std::string, std::size_t> skipped{};  // code files, by the reason
  std::size_t bad = 0;
};

int run_snippets(SnippetsOptions options) {
  std::error_code error;  // of an output that is not there
  if (std::filesystem::equivalent(options.input, options.output, error)) {
    throw UsageError(fmt::format("{} is the input, and would be written", options.output));
  }
  const StopScope stop;
  Counts counts;
  ProgressBar bar(!options.quiet);
  options.snippets.on_skip = [&](std::string_view path, std::string_view reason) {
    ++counts.skipped[std::string(reason)];
    if (options.verbose) tell(fmt::format("left out: {}: {}", printable(path), reason));
  };
  PaperReader papers(options.input, {.on_bad_record = [&](std::string_view message) {
                       ++counts.bad;
                       warn(message);
                     }});
  JsonListFile output(options.output);
  const CodeParser parser;
  while (options.max_papers == 0 || counts.papers < options.max_papers) {
    if (stop.token().stop_requested()) return exit_code::interrupted;  // what was there before is still there
    const std::optional<Paper> paper = papers.next();
    if (!paper) break;
    ++counts.papers;
    for (const PaperRepository& repository : paper->repositories) counts.files += repository.code_files.size();
    for (const Snippet& snippet : extract_snippets(*paper, parser, options.snippets)) {
      output.append(to_json(snippet));
      ++counts.snippets;
    }
    bar.show(static_cast<std::size_t>(100 * papers.fraction()), 100, "percent of the papers");
  }
  output.commit();
  if (!options.quiet) {
    std::string reasons;
    for (const auto& [reason, count] : counts.skipped)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "; left out: " : ", ", with_commas(count), reason);
    tell(fmt::format("{} of {} and {} in {}{}", counted(counts.snippets, "snippet"), counted(counts.papers, "paper"),
                     counted(counts.files, "code file"), options.output, reasons));
    if (counts.snippets == 0 && counts.files > 0)
      tell(fmt::format("a snippet has {} lines at least{} (--min-lines, --no-require-docstring)", options.snippets.min_lines,
                       options.snippets.require_docstring ? ", and a docstring" : ""));
  }
  return counts.bad > 0 ? exit_code::some_failed : exit_code::ok;
}

}  // namespace

Command add_snippets(CLI::App& application) {
  auto options = std::make_shared<SnippetsOptions>();
  CLI::App* command = application.add_subcommand("snippets", "Take the functions out of the code files of papers");
  command->add_option("--input", options->input, "A JSON file of papers with their repositories and code files, of any size")
      ->required()
      ->type_name("FILE");
  command->add_option("--output", options->output, "A JSON list, an object a function; replaced when it is whole")
      ->default_val("code_snippets.json")
      ->type_name("FILE");
  command->add_option("--min-lines,--min_lines", options->snippets.min_lines, "Leave out functions of fewer lines")
      ->check(at_least(0))
      ->capture_default_str();
  command->add_flag("--require-docstring,--require_docstring,!--no-require-docstring,!--no_require_docstring",
                    options->snippets.require_docstring, "Leave out functions without a docstring or documentation comment (default: yes)");
  command->add_option("--max-papers,--max_papers", options->max_papers, "Read so many papers at most (default: all)")->check(at_least(1));
  command->add_flag("-v,--verbose", options->verbose, "Tell of each code file that is left out");
  command->add_flag("-q,--quiet", options->quiet, "Say nothing but warnings and errors");
  return {command, [options] { return run_snippets(*options); }};
}

}  // namespace inlay::cli
