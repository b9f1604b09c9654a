// The options that say which model, and how it computes; shared by the subcommands.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "inlay/generator.hpp"

namespace inlay::cli {

struct ModelOptions {
  std::string model;
  std::string device = "auto";
  std::size_t batch_size = 0;
  std::size_t batch_tokens = 0;
  std::size_t threads = 0;
  std::size_t max_length = 0;
  std::size_t truncate_dim = 0;
  std::string pooling;
  bool no_normalize = false;

  void add_model(CLI::App& command);      ///< -m
  void add_computing(CLI::App& command);  ///< how: device, threads, batches
  void add_vectors(CLI::App& command);    ///< what comes out: length, pooling, dimension

  /// The folder that -m or INLAY_MODEL names, absolute where it is there. Throws UsageError when neither does.
  [[nodiscard]] std::filesystem::path path() const;
  /// Throws Error (invalid_argument).
  [[nodiscard]] GeneratorOptions generator() const;
};

}  // namespace inlay::cli
