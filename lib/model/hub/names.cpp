#include "model/hub/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"
#include "inlay/hub.hpp"

namespace inlay {

std::string hub_name(std::string_view name) {
  constexpr std::string_view organisation = "sentence-transformers/";
  for (const KnownModel& model : known_models()) {
    const bool short_name = model.name.starts_with(organisation) && model.name.substr(organisation.size()) == name;
    if (model.alias == name || short_name) return std::string(model.name);
  }
  if (!model::hub::is_repository_name(name)) {
    throw Error(Status::invalid_argument,
                fmt::format("{} is not a model's name: an alias (minilm, codebert, ...), or \"organisation/name\" as on the hub",
                            model::hub::in_quotes(name)));
  }
  return std::string(name);
}

namespace model::hub {
namespace {

constexpr std::size_t longest_part = 96;
constexpr std::size_t longest_path = 1024;

constexpr bool is_alphanumeric(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_name_part(std::string_view part) noexcept {
  const auto inner = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  const auto outer = [](char c) { return c == '-' || c == '.'; };
  return !part.empty() && part.size() <= longest_part && std::ranges::all_of(part, inner) && !outer(part.front()) && !outer(part.back());
}

}  // namespace

bool is_repository_name(std::string_view name) noexcept {
  const std::size_t slash = name.find('/');
  const bool parts =
      slash == std::string_view::npos ? is_name_part(name) : is_name_part(name.substr(0, slash)) && is_name_part(name.substr(slash + 1));
  return parts && name.find("--") == std::string_view::npos && name.find("..") == std::string_view::npos && !name.ends_with(".git");
}

bool is_commit(std::string_view revision) noexcept {
  const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return revision.size() == 40 && std::ranges::all_of(revision, hexadecimal);
}

bool is_safe_path(std::string_view path) noexcept {
  if (path.size() > longest_path || std::ranges::any_of(path, [](char c) { return is_control(c) || c == '\\' || c == ':'; })) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string checked_revision(std::string_view revision) {
  if (revision.empty()) return std::string(default_revision);
  const auto allowed = [](char c) { return is_alphanumeric(c) || std::string_view("-_./+@=#").find(c) != std::string_view::npos; };
  if (!is_safe_path(revision) || !std::ranges::all_of(revision, allowed) || revision.find("..") != std::string_view::npos ||
      revision.size() > 255) {
    throw Error(Status::invalid_argument, fmt::format("{} is not a revision: a branch, a tag or a commit", in_quotes(revision)));
  }
  return std::string(revision);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 120;
  std::string result = "\"";
  for (const char c : text.substr(0, longest)) {
    if (is_control(c) || static_cast<unsigned char>(c) >= 0x80) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + (text.size() > longest ? "...\"" : "\"");
}

}  // namespace model::hub
}  // namespace inlay
