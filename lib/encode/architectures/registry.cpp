#include <algorithm>
#include <array>

#include "encode/architectures/architecture.hpp"

namespace inlay::encode {

const Architecture* find_architecture(std::string_view name) noexcept {
  static const std::array architectures = {&bert};
  const auto found = std::ranges::find(architectures, name, &Architecture::name);
  return found == architectures.end() ? nullptr : *found;
}

}  // namespace inlay::encode
