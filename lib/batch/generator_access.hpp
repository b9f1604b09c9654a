// GeneratorAccess: what other parts of this room need of a generator beyond its public face.
#pragma once

#include <memory>
#include <string>

#include "batch/embed_job.hpp"
#include "inlay/generator.hpp"

namespace inlay::batch {

class GeneratorAccess {
 public:
  /// Starts a job that the caller waits for. Throws Error: unsupported in a forked child, invalid_argument on one of the generator's workers,
  /// and what EmbedJob throws.
  [[nodiscard]] static std::shared_ptr<EmbedJob> submit(const EmbeddingGenerator& generator, EmbedInput input, CallOptions call);

  /// A call's input with the prompt that documents get, in front of texts that are prepared already.
  [[nodiscard]] static EmbedInput documents(const EmbeddingGenerator& generator, std::size_t count,
                                            std::function<std::string_view(std::size_t, std::string&)> text,
                                            std::function<std::string_view(std::size_t)> language);

  /// Throws Error (invalid_argument) where the options leave no room for a text.
  static void check(const EmbeddingGenerator& generator, const LongTextOptions& long_text);

  [[nodiscard]] static const std::string& document_prompt(const EmbeddingGenerator& generator) noexcept;
};

}  // namespace inlay::batch
