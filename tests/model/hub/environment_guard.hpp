// An environment of the test's own: the hub's variables unset, HOME as given, everything as it was when the object goes.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace inlay::test {

using Variables = std::map<std::string, std::string>;

class EnvironmentGuard {
 public:
  explicit EnvironmentGuard(const Variables& variables) {
    for (const char* name : {"HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN",
                             "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_HUB_OFFLINE",
                             "TRANSFORMERS_OFFLINE", "HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"}) {
      keep(name);
      ::unsetenv(name);
    }
    for (const auto& [name, value] : variables) {
      keep(name);
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~EnvironmentGuard() {
    for (const auto& [name, value] : before_) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  EnvironmentGuard(const EnvironmentGuard&) = delete;
  EnvironmentGuard& operator=(const EnvironmentGuard&) = delete;

 private:
  void keep(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    before_.emplace(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
  }

  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace inlay::test
