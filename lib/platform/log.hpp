// Sending a message to the host's log callback.
#pragma once

#include <string_view>

#include "inlay/log.hpp"

namespace inlay::platform {

/// Never throws; does nothing where no callback is set.
void log(LogLevel level, std::string_view message) noexcept;

}  // namespace inlay::platform
