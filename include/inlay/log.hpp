// Logging: the library never prints; what it has to say goes to the host's callback, if there is one.
//
//   inlay::set_log_callback([](inlay::LogLevel, std::string_view message) { std::clog << message << "\n"; });
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace inlay {

enum class LogLevel : std::int32_t { debug = 0, info = 1, warning = 2 };

/// Receives one message at a time, without a newline. May be called from any thread of the library; calls are serialised. Must not throw;
/// an exception that leaves it is swallowed.
using LogCallback = std::function<void(LogLevel, std::string_view message)>;

/// Sets the process-wide callback; an empty one (the default) discards messages. Safe to call from any thread.
void set_log_callback(LogCallback callback);

}  // namespace inlay
