// The `inlay` command: codebases and texts to embedding sets, and questions to them. A thin program over the library's public headers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <new>

#include "commands.hpp"
#include "inlay/error.hpp"
#include "inlay/version.hpp"
#include "interrupt.hpp"
#include "output.hpp"

namespace {

constexpr const char* footer =
    "Exit codes: 0 done; 1 an error; 2 wrong usage; 3 done, but some texts failed; 130 interrupted.\n"
    "The model is a folder as published (config.json, model.safetensors, tokenizer.json or vocab.txt), a name on the hub\n"
    "(sentence-transformers/all-MiniLM-L6-v2) or an alias (minilm) of one that `inlay pull` has fetched, or a TorchScript program\n"
    "(model.pt); where -m is not given, the environment variable INLAY_MODEL names it. The network is used by `inlay pull` and with\n"
    "--download, and not otherwise.\n"
    "\n"
    "  inlay pull minilm && export INLAY_MODEL=minilm\n"
    "  inlay index ~/src/project -o project.index\n"
    "  inlay search project.index \"where are passwords checked?\" -k 5\n";

int run(int argc, char** argv) {
  using namespace inlay::cli;
  CLI::App application("Turns texts and source code into embeddings, and searches them.", "inlay");
  application.set_version_flag("--version", "inlay " INLAY_VERSION_STRING);
  application.require_subcommand(1);
  application.footer(footer);
  const std::array commands = {add_embed(application),           add_search(application),    add_info(application),
                               add_parse(application),           add_tokenize(application),  add_pull(application),
                               add_models(application),          add_export(application),    add_cache(application),
                               add_snippets(application),        add_index(application),     add_duplicates(application),
                               add_code_embeddings(application), add_test_index(application)};
  try {
    application.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    std::ostringstream text;
    application.exit(request, text, text);
    write_output(text.str());
    return exit_code::ok;
  } catch (const CLI::RequiredError& error) {
    const std::string_view first = argc > 1 ? argv[1] : "";
    const bool is_command = std::ranges::any_of(commands, [&](const Command& command) { return command.application->get_name() == first; });
    if (first.empty() || first.starts_with('-') || is_command) throw UsageError(fmt::format("{} (see inlay --help)", error.what()));
    throw UsageError(fmt::format("there is no command \"{}\" (see inlay --help)", first));
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{} (see inlay --help)", error.what()));
  }
  for (const Command& command : commands) {
    if (command.application->parsed()) return command.run();
  }
  return exit_code::usage;
}

int fail(int code, const char* message) {
  inlay::cli::write_error(fmt::format("inlay: {}\n", message));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace inlay::cli;
  std::signal(SIGPIPE, SIG_IGN);  // write_output sees the closed pipe
  Interrupt::listen();            // before the library starts threads, which inherit the blocked signals
  try {
    return run(argc, argv);
  } catch (const OutputClosed&) {
    return exit_code::ok;  // who reads has enough (`inlay … | head`)
  } catch (const UsageError& error) {
    return fail(exit_code::usage, error.what());
  } catch (const inlay::Error& error) {
    return fail(exit_code::error, error.what());
  } catch (const std::bad_alloc&) {
    return fail(exit_code::error, "out of memory");
  } catch (const std::exception& error) {
    return fail(exit_code::error, error.what());
  }
}
