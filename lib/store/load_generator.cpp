// Loading the model that made a set. A file of its own, so that reading and writing sets needs no model code.
#include <fmt/format.h>

#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"

namespace inlay {

EmbeddingGenerator load_generator(const EmbeddingSet& set, const std::filesystem::path& model, GeneratorOptions options) {
  const std::filesystem::path path = model.empty() ? std::filesystem::path(set.model.path) : model;
  if (path.empty()) {
    throw Error(Status::not_found, fmt::format("the embedding set does not say where its model {} lies: give its path", set.model.name));
  }
  if (options.max_sequence_length == 0) options.max_sequence_length = set.model.max_sequence_length;
  if (!options.pooling && !set.model.pooling.empty()) options.pooling = parse_pooling(set.model.pooling);
  options.normalize = options.normalize && set.model.normalized;
  EmbeddingGenerator generator = EmbeddingGenerator::load(path, options);
  if (options.truncate_dim == 0 && generator.dimension() > set.model.dimension && set.model.dimension != 0) {
    options.truncate_dim = set.model.dimension;  // the set does not say whether its vectors were cut; their model does
    generator = EmbeddingGenerator::load(path, options);
  }
  if (generator.info().fingerprint != set.model.fingerprint) {
    throw Error(Status::invalid_data,
                fmt::format("{} is not the model that made this embedding set: its fingerprint with these options is {}, the set's is {}",
                            path.string(), generator.info().fingerprint, set.model.fingerprint));
  }
  return generator;
}

}  // namespace inlay
