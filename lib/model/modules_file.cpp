#include "model/modules_file.hpp"

#include <fmt/format.h>

#include "inlay/error.hpp"
#include "model/file_errors.hpp"
#include "model/hub/names.hpp"
#include "model/json.hpp"

namespace inlay::model {

std::vector<Module> parse_modules(std::string_view bytes, const std::string& label) {
  constexpr std::size_t most_modules = 100;
  const auto refuse = [&label](const std::string& reason) {
    throw Error(Status::invalid_model, fmt::format("{}: {}", label, one_line(reason)));
  };
  const JsonDocument document(bytes, label);
  simdjson::dom::array list;
  if (document.root().get(list)) refuse("it does not hold an array of modules");
  std::vector<Module> modules;
  for (const simdjson::dom::element entry : list) {
    std::string_view type;
    std::string_view path;
    if (entry["type"].get(type)) refuse("a module has no type");
    if (entry["path"].get(path)) refuse(fmt::format("module {} has no path", type));
    if (modules.size() == most_modules) refuse(fmt::format("it names more than {} modules", most_modules));
    while (path.ends_with('/')) path.remove_suffix(1);
    if (!path.empty() && !hub::is_safe_path(path)) refuse(fmt::format("the path \"{}\" leads out of the model's folder", path));
    modules.push_back({std::string(type.substr(type.rfind('.') + 1)), std::string(path)});
  }
  return modules;
}

}  // namespace inlay::model
