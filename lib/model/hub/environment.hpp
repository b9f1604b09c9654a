// What the environment says about the hub and its cache: huggingface_hub's variables, with its meaning of them.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace inlay::model::hub {

/// HF_HUB_OFFLINE, else TRANSFORMERS_OFFLINE: 1, ON, YES or TRUE in any case.
[[nodiscard]] bool is_offline();

/// HF_ENDPOINT without slashes at its end, or the public hub.
[[nodiscard]] std::string endpoint();

/// HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else the file that HF_TOKEN_PATH names, else HF_HOME/token; nothing where there is none, or where
/// HF_HUB_DISABLE_IMPLICIT_TOKEN is set. Throws Error (io_error) when the file is there and cannot be read.
[[nodiscard]] std::optional<std::string> token();

struct Timeouts {
  std::chrono::seconds metadata{10};  ///< HF_HUB_ETAG_TIMEOUT: for an answer without a body
  std::chrono::seconds download{10};  ///< HF_HUB_DOWNLOAD_TIMEOUT: for connecting, and without a byte while a body arrives
};

/// Throws Error (invalid_argument) for a variable that is not a whole number of seconds from 1 to 86400. 0 is the default, as there.
[[nodiscard]] Timeouts timeouts();

/// A variable's value; nothing where it is not set or empty.
[[nodiscard]] std::optional<std::string> variable(const char* name);

/// `path` with "~" and "~/" at its front, $NAME and ${NAME} replaced; what is not known stays as it is.
[[nodiscard]] std::filesystem::path expanded(const std::string& path);

}  // namespace inlay::model::hub
