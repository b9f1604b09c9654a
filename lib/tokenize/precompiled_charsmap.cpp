#include "tokenize/precompiled_charsmap.hpp"

#include <fmt/format.h>

#include <array>

#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

// A unit of darts-clone: label in bits 0-7 and 31, "has a leaf" in bit 8, offset in bits 10-30, times 256 where bit 9 is set. A leaf's unit
// holds its value in bits 0-30.
std::size_t offset_of(std::uint32_t unit) noexcept { return std::size_t{unit >> 10} << ((unit & std::uint32_t{1} << 9) >> 6); }
bool has_leaf(std::uint32_t unit) noexcept { return (unit >> 8 & 1) != 0; }
std::uint32_t label_of(std::uint32_t unit) noexcept { return unit & (std::uint32_t{1} << 31 | 0xFF); }
std::size_t value_of(std::uint32_t unit) noexcept { return unit & ~(std::uint32_t{1} << 31); }

std::uint32_t read_u32(std::string_view bytes, std::size_t position) noexcept {
  std::uint32_t number = 0;
  for (std::size_t index = 4; index-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[position + index]);
  return number;
}

}  // namespace

PrecompiledCharsmap::PrecompiledCharsmap(std::string_view bytes, std::string_view where) {
  const auto fail = [where](std::string_view why) { throw Error(Status::invalid_model, fmt::format("{} {}", where, why)); };
  if (bytes.size() < 4) fail("is cut short");
  const std::size_t count = read_u32(bytes, 0) / 4;
  if (count > (bytes.size() - 4) / 4) fail("is cut short");
  if (count == 0) fail("has no rules");
  units_.reserve(count);
  for (std::size_t index = 0; index < count; ++index) units_.push_back(read_u32(bytes, 4 + 4 * index));
  replacements_ = bytes.substr(4 + 4 * count);
  if (!text::is_valid_utf8(replacements_)) fail("has replacements that are not UTF-8");
}

std::optional<std::string_view> PrecompiledCharsmap::replacement(std::string_view text) const noexcept {
  std::size_t node = offset_of(units_[0]);
  for (const char byte : text) {
    const auto label = static_cast<unsigned char>(byte);
    if (label == 0) return std::nullopt;
    node ^= label;
    if (node >= units_.size() || label_of(units_[node]) != label) return std::nullopt;
    const std::uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size()) return std::nullopt;
    const std::size_t start = value_of(units_[node]);
    if (start > replacements_.size() || (start < replacements_.size() && (replacements_[start] & 0xC0) == 0x80)) return std::nullopt;
    const std::string_view rest = std::string_view(replacements_).substr(start);
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

std::string decode_base64(std::string_view text, std::string_view where) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<int, 256> values;
  values.fill(-1);
  for (std::size_t value = 0; value < digits.size(); ++value) values[static_cast<unsigned char>(digits[value])] = static_cast<int>(value);
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto fail = [where] { throw Error(Status::invalid_model, fmt::format("{} is not base64", where)); };
  if (text.size() % 4 != 0) fail();
  text.remove_suffix(padding);
  std::string decoded;
  decoded.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char digit : text) {
    const int value = values[static_cast<unsigned char>(digit)];
    if (value < 0) fail();
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) decoded.push_back(static_cast<char>(bits >> (count -= 8)));
  }
  if ((bits & ((std::uint32_t{1} << count) - 1)) != 0) fail();
  return decoded;
}

}  // namespace inlay::tokenize
