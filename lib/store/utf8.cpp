#include "store/utf8.hpp"

#include <simdjson.h>

#include <cstddef>
#include <string_view>

namespace inlay::store {
namespace {

struct Sequence {
  std::size_t length;  // of the valid sequence, or of the maximal invalid one
  bool valid;
};

// The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF (table 3-7).
Sequence sequence_at(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t offset) -> unsigned {
    return position + offset < text.size() ? static_cast<unsigned char>(text[position + offset]) : 0;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return {1, false};
  for (std::size_t offset = 2; offset < length; ++offset) {
    if ((byte(offset) & 0xC0) != 0x80) return {offset, false};
  }
  return {length, true};
}

}  // namespace

std::string valid_utf8(std::string text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return text;
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  for (std::size_t position = 0; position < text.size();) {
    const Sequence sequence = sequence_at(text, position);
    if (sequence.valid) {
      result.append(text, position, sequence.length);
    } else {
      result += "\xEF\xBF\xBD";
    }
    position += sequence.length;
  }
  return result;
}

}  // namespace inlay::store
