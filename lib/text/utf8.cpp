#include "text/utf8.hpp"

#include <simdjson.h>

#include <algorithm>

namespace inlay::text {
namespace {

struct Subpart {
  std::size_t length;
  bool well_formed;
};

// The sequence, or the maximal subpart of an ill-formed one, that the text begins with.
Subpart first_subpart(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // Table 3-7: only the second byte's range depends on the first.
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t index = 1; index < length; ++index) {
    if (index == text.size()) return {index, false};
    const auto byte = static_cast<unsigned char>(text[index]);
    if (byte < (index == 1 ? low : 0x80) || byte > (index == 1 ? high : 0xBF)) return {index, false};
  }
  return {length, true};
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept { return simdjson::validate_utf8(text.data(), text.size()); }

RepairedText repair_utf8(std::string_view text) {
  RepairedText repaired;
  repaired.text.reserve(text.size() + text.size() / 8);
  for (std::size_t position = 0; position < text.size();) {
    const Subpart subpart = first_subpart(text.substr(position));
    repaired.text += subpart.well_formed ? text.substr(position, subpart.length) : std::string_view("\xEF\xBF\xBD");
    position += subpart.length;
    if (!subpart.well_formed) repaired.repairs.push_back({repaired.text.size(), position});
  }
  return repaired;
}

std::size_t RepairedText::original(std::size_t position) const noexcept {
  const auto next = std::ranges::upper_bound(repairs, position, {}, &Repair::end);
  if (next == repairs.begin()) return position;
  const Repair& last = *(next - 1);
  return last.original_end + (position - last.end);
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto put = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

}  // namespace inlay::text
