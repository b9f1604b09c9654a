// Times in files: RFC 3339, UTC.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace inlay::store {

using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// The nearest time between the years 1970 and 9999, which is all that can be written.
[[nodiscard]] Timestamp clamped(Timestamp time) noexcept;

/// "2024-02-29T23:59:59Z", with ".123" where it isn't a whole second.
[[nodiscard]] std::string to_rfc3339(Timestamp time);

/// Reads RFC 3339 and what Python's datetime.isoformat() writes: without an offset it is UTC, without a time midnight.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept;

}  // namespace inlay::store
