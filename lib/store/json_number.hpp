// A float in JSON: what reading it gives is the same float.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <string>

namespace inlay::store {

/// Appends the shortest text that reads as the same finite float, of a reader that goes by way of double, too.
inline void append_json_number(std::string& json, float number) {
  std::array<char, 32> buffer{};
  char* end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  double read = 0;
  std::from_chars(buffer.data(), end, read);
  if (std::bit_cast<std::uint32_t>(static_cast<float>(read)) != std::bit_cast<std::uint32_t>(number)) {
    end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<double>(number)).ptr;
  }
  json.append(buffer.data(), end);
  const bool whole = std::all_of(buffer.data(), end, [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
  if (whole) json += ".0";  // -0 would be read as the integer 0
}

}  // namespace inlay::store
