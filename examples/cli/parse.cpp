// inlay parse: the functions and classes of source files.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.hpp"
#include "inlay/code_parser.hpp"
#include "inlay/error.hpp"
#include "output.hpp"
#include "progress_bar.hpp"

namespace inlay::cli {
namespace {

struct ParseCommandOptions {
  std::string path;
  ParserOptions parser;
  bool json = false;
  bool verbose = false;
  bool quiet = false;
};

struct Counts {
  std::size_t files = 0;
  std::size_t functions = 0;
  std::size_t classes = 0;
  std::map<std::string, std::size_t> skipped{};  // by reason
};

// A function or a class as a line of its own.
template <class Item>
std::string json_line(const Item& item, const char* kind, const std::string& class_name) {
  const nlohmann::ordered_json line = {{"kind", kind},
                                       {"name", item.name},
                                       {"qualified_name", item.qualified_name},
                                       {"class_name", class_name},
                                       {"file_path", item.file_path},
                                       {"line_start", item.line_number},
                                       {"line_end", item.range.line_end},
                                       {"source_line", item.range.line_begin},
                                       {"byte_start", item.range.byte_begin},
                                       {"byte_end", item.range.byte_end},
                                       {"signature", item.signature},
                                       {"docstring", item.docstring},
                                       {"language", item.language}};
  return line.dump() + "\n";
}

template <class Item>
std::string text_line(const Item& item, const char* kind) {
  return fmt::format("{}:{}-{}: {} {}\n", printable(item.file_path), item.line_number, item.range.line_end, kind,
                     printable(item.qualified_name));
}

// Functions and classes in the order in which they stand in the file.
std::string lines(const ParsedFile& file, bool json) {
  std::string text;
  auto next = file.classes.begin();
  const auto add_classes = [&](std::size_t before) {
    for (; next != file.classes.end() && next->range.byte_begin <= before; ++next)
      text += json ? json_line(*next, "class", "") : text_line(*next, "class");
  };
  for (const Function& function : file.functions) {
    add_classes(function.range.byte_begin);
    text += json ? json_line(function, "function", function.class_name) : text_line(function, "function");
  }
  add_classes(static_cast<std::size_t>(-1));
  return text;
}

std::string summary(const Counts& counts) {
  const std::string classes = counts.classes == 1 ? "1 class" : with_commas(counts.classes) + " classes";
  std::string text = fmt::format("{} and {} in {}", counted(counts.functions, "function"), classes, counted(counts.files, "file"));
  std::string reasons;
  for (const auto& [reason, count] : counts.skipped) {
    reasons += fmt::format("{}{} {}", reasons.empty() ? "; left out: " : ", ", with_commas(count), reason);
  }
  return text + reasons;
}

void show(const ParsedFile& file, const ParseCommandOptions& options, Counts& counts) {
  if (!file.skipped.empty()) return;
  ++counts.files;
  counts.functions += file.functions.size();
  counts.classes += file.classes.size();
  for (const ParseNote& note : file.notes) {
    if (!options.quiet) warn(fmt::format("{}:{}: {}", printable(file.file_path), note.line, note.message));
  }
  write_output(lines(file, options.json));
}

int run_parse(const ParseCommandOptions& options) {
  const CodeParser parser(options.parser);
  Counts counts;
  std::error_code error;
  if (!std::filesystem::is_directory(options.path, error)) {
    const ParsedFile file = parser.parse_file(options.path);
    if (!file.skipped.empty()) throw Error(Status::unsupported, fmt::format("{} was not parsed: {}", options.path, file.skipped));
    show(file, options, counts);
    return exit_code::ok;
  }
  ProgressBar bar(!options.quiet && ::isatty(STDOUT_FILENO) == 0);  // beside the list it would be in the way
  parser.parse_folder(options.path, [&](ParsedFile&& file) { show(file, options, counts); },
                      {.on_progress = [&](std::size_t files, std::size_t total) { bar.show(files, total, "files"); },
                       .on_skip =
                           [&](const std::filesystem::path& path, std::string_view reason) {
                             ++counts.skipped[std::string(reason)];
                             if (options.verbose) tell(fmt::format("left out: {}: {}", printable(path.string()), reason));
                           }});
  if (!options.quiet) tell(summary(counts));
  return exit_code::ok;
}

}  // namespace

Command add_parse(CLI::App& application) {
  auto options = std::make_shared<ParseCommandOptions>();
  CLI::App* command = application.add_subcommand("parse", "List the functions and classes of source files");
  command->add_option("path", options->path, "A source file, or a folder, whose .gitignore and .inlayignore files are honoured")
      ->required()
      ->type_name("PATH");
  command->add_flag(
      "--json", options->json,
      "Print a JSON object a line: kind, name, qualified_name, class_name, file_path, line_start, line_end, source_line (where\n"
      "decorators begin), byte_start, byte_end, signature, docstring, language");
  command->add_option("--max-file-bytes", options->parser.max_file_bytes, "Larger files are left out: bytes, or 4MB and the like")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE")
      ->default_str("4MB");
  command->add_flag("-v,--verbose", options->verbose, "Tell of each file that is left out");
  command->add_option("--threads", options->parser.threads, "Threads to parse with (default: one per processor)")->check(at_least(1));
  command->add_flag("-q,--quiet", options->quiet, "Say nothing but errors");
  std::string languages;
  for (const std::string& language : CodeParser::languages()) languages += (languages.empty() ? "" : ", ") + language;
  command->footer("Languages: " + languages);
  return {command, [options] { return run_parse(*options); }};
}

}  // namespace inlay::cli
