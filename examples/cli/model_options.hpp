// The options that say which model, and how it computes; shared by the subcommands.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "inlay/generator.hpp"

namespace inlay::cli {

struct ModelOptions {
  std::string model;
  std::string revision;
  bool download = false;
  std::string device = "auto";
  std::size_t batch_size = 0;
  std::size_t batch_tokens = 0;
  std::size_t threads = 0;
  std::size_t max_length = 0;
  std::size_t truncate_dim = 0;
  std::string pooling;
  bool no_normalize = false;

  void add_model(CLI::App& command);      ///< -m, and what add_hub adds
  void add_hub(CLI::App& command);        ///< --revision and --download, of a model that is given by its name
  void add_computing(CLI::App& command);  ///< how: device, threads, batches
  void add_vectors(CLI::App& command);    ///< what comes out: length, pooling, dimension

  /// What -m or INLAY_MODEL names: a folder, absolute where it is there, or a model's name, which is fetched where it is missing and
  /// --download is given. Throws UsageError when neither names anything; Error.
  [[nodiscard]] std::filesystem::path path() const;
  /// Throws Error (invalid_argument).
  [[nodiscard]] GeneratorOptions generator() const;
};

}  // namespace inlay::cli
