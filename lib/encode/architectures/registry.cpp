#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "encode/architectures/architecture.hpp"
#include "encode/encoder.hpp"
#include "inlay/error.hpp"

namespace inlay::encode {

extern const Architecture bert, camembert, distilbert, mpnet, roberta, xlm_roberta;

namespace {

constexpr std::array architectures = {&bert, &camembert, &distilbert, &mpnet, &roberta, &xlm_roberta};

}  // namespace

std::span<const std::string_view> architecture_names() noexcept {
  static const auto names = [] {
    std::array<std::string_view, architectures.size()> sorted;
    std::ranges::transform(architectures, sorted.begin(), &Architecture::name);
    std::ranges::sort(sorted);
    return sorted;
  }();
  return names;
}

std::size_t longest_sequence(const model::TransformerConfig& config) noexcept {
  const auto* const found = std::ranges::find(architectures, config.architecture, &Architecture::name);
  return found == architectures.end() ? config.positions : (*found)->longest_sequence(config);
}

const Architecture& find_architecture(std::string_view name) {
  const auto* const found = std::ranges::find(architectures, name, &Architecture::name);
  if (found == architectures.end()) {
    throw Error(Status::unsupported,
                fmt::format("unsupported architecture \"{}\"; supported: {}", name, fmt::join(architecture_names(), ", ")));
  }
  return **found;
}

}  // namespace inlay::encode
