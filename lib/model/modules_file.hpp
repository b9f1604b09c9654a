// modules.json: the modules that a sentence-transformers model is made of, in order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inlay::model {

struct Module {
  std::string type;  ///< the class's name without its package: "Pooling"
  std::string path;  ///< a folder below the model's own, or empty: that one
};

/// `bytes` is modules.json. Throws Error (invalid_model), which begins with `label`, for what is no array of at most 100 modules, and for a
/// path that leads out of the model's folder.
[[nodiscard]] std::vector<Module> parse_modules(std::string_view bytes, const std::string& label);

}  // namespace inlay::model
