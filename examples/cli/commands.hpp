// The subcommands: each adds itself, with its options, to the application, and gives the function that runs it.
//
// Such a function returns the exit code, and throws inlay::Error (exit code 1) or UsageError (2).
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace inlay::cli {

namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int error = 1;
inline constexpr int usage = 2;
inline constexpr int some_failed = 3;
inline constexpr int interrupted = 130;
}  // namespace exit_code

/// What was asked for makes no sense as it is: a missing model, options that exclude one another.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Of an option: a whole number of at least so many.
inline CLI::Validator at_least(std::int64_t least) {
  const auto check = [least](const std::string& text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && number >= least ? std::string()
                                                                  : fmt::format("{} is not a whole number of at least {}", text, least);
  };
  return {[check](std::string& text) { return check(text); }, ""};
}

struct Command {
  CLI::App* application = nullptr;
  std::function<int()> run;
};

Command add_embed(CLI::App& application);
Command add_index(CLI::App& application);
Command add_duplicates(CLI::App& application);
Command add_search(CLI::App& application);
Command add_info(CLI::App& application);
Command add_parse(CLI::App& application);
Command add_snippets(CLI::App& application);
Command add_code_embeddings(CLI::App& application);
Command add_test_index(CLI::App& application);
Command add_tokenize(CLI::App& application);
Command add_export(CLI::App& application);
Command add_pull(CLI::App& application);
Command add_models(CLI::App& application);
Command add_cache(CLI::App& application);

}  // namespace inlay::cli
