#include "tokenize/post_processor.hpp"

#include "text/reference_characters.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

bool is_white_space(char32_t code_point) noexcept {
  return code_point == 0x120 || (text::character_class(code_point) & text::whitespace) != 0;
}

// The reference counts characters; so many of them from `begin` on.
std::uint32_t advance(std::string_view text, std::uint32_t begin, std::uint32_t end, std::uint32_t count) noexcept {
  for (; count > 0 && begin < end; --count) begin += static_cast<std::uint32_t>(text::decode_utf8(text.data() + begin).length);
  return begin < end ? begin : end;
}

// So many of them before `end`; where the text has fewer, nothing is taken off.
std::uint32_t retreat(std::string_view text, std::uint32_t begin, std::uint32_t end, std::uint32_t count) noexcept {
  std::uint32_t position = end;
  for (; count > 0; --count) {
    if (position == 0) return end;
    position -= static_cast<std::uint32_t>(text::decode_last_utf8(text.substr(0, position)).length);
  }
  return position > begin ? position : begin;
}

void trim(std::string_view text, std::vector<PlacedToken>& tokens, bool add_prefix_space) noexcept {
  for (std::size_t index = 0; index < tokens.size(); ++index) {
    PlacedToken& token = tokens[index];
    std::uint32_t leading = token.leading_spaces;
    const bool may_be_added = index == 0 || token.range.begin == 0;
    if (may_be_added && add_prefix_space && leading == 1) leading = 0;
    if (leading > 0) token.range.begin = advance(text, token.range.begin, token.range.end, leading);
    if (token.trailing_spaces > 0) token.range.end = retreat(text, token.range.begin, token.range.end, token.trailing_spaces);
  }
}

}  // namespace

PlacedToken placed(TokenId id, TextRange range, std::string_view token_text) noexcept {
  PlacedToken token{id, range};
  for (std::string_view rest = token_text; !rest.empty(); ++token.leading_spaces) {
    const auto [code_point, length] = text::decode_utf8(rest.data());
    if (!is_white_space(code_point)) break;
    rest.remove_prefix(length);
  }
  for (std::string_view rest = token_text; !rest.empty(); ++token.trailing_spaces) {
    const auto [code_point, length] = text::decode_last_utf8(rest);
    if (!is_white_space(code_point)) break;
    rest.remove_suffix(length);
  }
  return token;
}

void PostProcessor::add_special_tokens(const std::vector<TokenId>& before, const std::vector<TokenId>& behind) {
  steps_.push_back({false, false, before, behind});
  before_.insert(before_.begin(), before.begin(), before.end());
  behind_.insert(behind_.end(), behind.begin(), behind.end());
}

void PostProcessor::add_trimming(bool add_prefix_space) { steps_.push_back({true, add_prefix_space, {}, {}}); }

void PostProcessor::process(std::string_view text, std::vector<PlacedToken>& tokens) const {
  for (const Step& step : steps_) {
    if (step.trims) {
      trim(text, tokens, step.add_prefix_space);
      continue;
    }
    std::vector<PlacedToken> whole;
    whole.reserve(step.before.size() + tokens.size() + step.behind.size());
    for (const TokenId id : step.before) whole.push_back({id, {}});
    whole.insert(whole.end(), tokens.begin(), tokens.end());
    for (const TokenId id : step.behind) whole.push_back({id, {}});
    tokens.swap(whole);
  }
}

}  // namespace inlay::tokenize
