#include "model/hub/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "inlay/error.hpp"
#include "inlay/hub.hpp"
#include "model/hub/names.hpp"
#include "platform/files.hpp"
#include "platform/process.hpp"

namespace inlay {
namespace model::hub {
namespace {

constexpr std::string_view public_hub = "https://huggingface.co";

bool is_name_character(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_true(const std::optional<std::string>& value) {
  if (!value) return false;
  std::string upper = *value;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper == "1" || upper == "ON" || upper == "YES" || upper == "TRUE";
}

std::filesystem::path home() {
  std::filesystem::path folder = platform::home_folder();
  if (folder.empty()) {
    throw Error(Status::not_found, "no home folder is known, in which the model cache would lie: set HF_HOME or HF_HUB_CACHE");
  }
  return folder;
}

// HF_HOME: where the cache and the token lie.
std::filesystem::path hub_home() {
  if (const auto given = variable("HF_HOME")) return expanded(*given);
  if (const auto given = variable("XDG_CACHE_HOME")) return expanded(*given) / "huggingface";
  return home() / ".cache" / "huggingface";
}

std::string clean_token(std::string token) {
  std::erase_if(token, [](char c) { return c == '\r' || c == '\n'; });
  const std::size_t begin = token.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return token.substr(begin, token.find_last_not_of(" \t") - begin + 1);
}

std::chrono::seconds seconds(const char* name, std::chrono::seconds otherwise) {
  constexpr long longest = 86'400;
  const auto given = variable(name);
  if (!given) return otherwise;
  long value = 0;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), value);
  if (error != std::errc() || end != given->data() + given->size() || value < 0 || value > longest) {
    throw Error(Status::invalid_argument,
                fmt::format("{} is {}, not a whole number of seconds up to {}", name, in_quotes(*given), longest));
  }
  return value == 0 ? otherwise : std::chrono::seconds(value);
}

}  // namespace

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::filesystem::path expanded(const std::string& path) {
  std::string result;
  std::string_view rest = path;
  if (rest == "~" || rest.starts_with("~/")) {
    result = home().string();
    rest.remove_prefix(1);
  }
  while (!rest.empty()) {
    const std::size_t dollar = rest.find('$');
    result += rest.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    rest.remove_prefix(dollar + 1);
    const bool braced = rest.starts_with('{');
    const std::size_t close = rest.find('}');
    const auto end = std::ranges::find_if_not(rest, is_name_character);
    const std::string_view name = !braced                           ? std::string_view(rest.begin(), end)
                                  : close == std::string_view::npos ? std::string_view()
                                                                    : rest.substr(1, close - 1);
    const auto value = name.empty() ? std::nullopt : variable(std::string(name).c_str());
    if (!value) {
      result += '$';
      continue;
    }
    result += *value;
    rest.remove_prefix(braced ? close + 1 : name.size());
  }
  return result;
}

bool is_offline() {
  const auto given = variable("HF_HUB_OFFLINE");
  return is_true(given ? given : variable("TRANSFORMERS_OFFLINE"));
}

std::string endpoint() {
  std::string result = variable("HF_ENDPOINT").value_or(std::string(public_hub));
  while (result.ends_with('/')) result.pop_back();
  return result;
}

std::optional<std::string> token() {
  if (is_true(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) return std::nullopt;
  auto given = variable("HF_TOKEN");
  if (!given) given = variable("HUGGING_FACE_HUB_TOKEN");
  if (!given) {
    const auto named = variable("HF_TOKEN_PATH");
    const std::filesystem::path file = named ? expanded(*named) : hub_home() / "token";
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return std::nullopt;
    given = platform::read_file(file);
  }
  const std::string cleaned = clean_token(*given);
  if (cleaned.empty()) return std::nullopt;
  return cleaned;
}

Timeouts timeouts() {
  const Timeouts otherwise;
  return {seconds("HF_HUB_ETAG_TIMEOUT", otherwise.metadata), seconds("HF_HUB_DOWNLOAD_TIMEOUT", otherwise.download)};
}

}  // namespace model::hub

std::filesystem::path hub_cache() {
  using namespace model::hub;
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const auto given = variable(name)) return expanded(*given);
  }
  return hub_home() / "hub";
}

}  // namespace inlay
