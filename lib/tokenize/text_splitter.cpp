// The text's tokens are counted twice: once in short stretches, by which the chunks' ends are chosen, and then each chunk alone, as tokens
// need not end where pieces do. Where a chunk's own number is not what the guide gave, its end moves and it is counted again.
#include "inlay/text_splitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "inlay/error.hpp"
#include "tokenize/text_borders.hpp"
#include "tokenize/token_guide.hpp"

namespace inlay {
namespace {

using tokenize::SeparatorCuts;
using tokenize::TextBorders;
using tokenize::TokenGuide;

constexpr std::size_t likely_bytes = 6;       // of a token at most: a text of more is not expected to fit as a whole
constexpr std::size_t shortest_stretch = 48;  // of the guide, in bytes
constexpr std::size_t longest_stretch = 128;
constexpr int guided_corrections = 4;      // of a chunk's length by the guide; after these it is halved
constexpr std::size_t largest_growth = 4;  // of a chunk that the guide gave too many tokens, in one step

class Splitter {
 public:
  Splitter(std::string_view text, const TokenCounter& counter, const SplitterOptions& options, const TokenGuide& guide)
      : text_(text),
        counter_(counter),
        room_(options.chunk_size - counter.special_tokens()),
        overlap_(options.chunk_overlap),
        guide_(guide),
        separators_(text, options.separators) {}

  std::vector<TextChunk> run() && {
    split({0, text_.size()}, 0);
    for (TextChunk& chunk : chunks_) chunk.tokens += counter_.special_tokens();
    return std::move(chunks_);
  }

 private:
  [[nodiscard]] std::size_t count(ByteRange range) const { return counter_(text_.substr(range.begin, range.end - range.begin)); }

  // By the separators from `level` on, then between graphemes, then between code points.
  void split(ByteRange range, std::size_t level) {
    const TextBorders borders = make_borders(range, level);
    for (std::size_t begin = range.begin; begin < range.end;) {
      if (const auto chunk = next_chunk(begin, borders)) {
        append(*chunk, begin);
        begin = chunk->range.end;
        continue;
      }
      const ByteRange piece{begin, borders.after(begin)};
      if (level > code_points()) {
        chunks_.push_back({piece, count(piece)});
      } else {
        split(piece, level);
      }
      begin = piece.end;
    }
  }

  [[nodiscard]] std::size_t code_points() const { return separators_.separators() + 1; }

  // Of the first level from `level` on that divides the range; `level` becomes the one behind it.
  TextBorders make_borders(ByteRange range, std::size_t& level) const {
    while (level < separators_.separators()) {
      std::vector<std::size_t> cuts = separators_.all(level++, range);
      if (cuts.empty()) continue;
      cuts.push_back(range.end);
      return {range.begin, std::move(cuts)};
    }
    return {text_, range, level++ == separators_.separators() ? TextBorders::Between::graphemes : TextBorders::Between::code_points};
  }

  // The longest chunk whose new text begins at `begin`; none where the first piece alone is too long.
  std::optional<TextChunk> next_chunk(std::size_t begin, const TextBorders& borders) {
    const std::size_t first = borders.after(begin);
    if (overlap_ > 0 && !chunks_.empty()) {
      const std::size_t alone = guide_.tokens({begin, first});
      if (alone < room_) {
        const std::size_t start = overlap_begin(begin, std::min(overlap_, room_ - alone));
        if (start < begin) {
          if (auto chunk = longest_chunk(start, first, borders)) return chunk;
        }
      }
    }
    return longest_chunk(begin, first, borders);
  }

  // From `start` to the first piece's end at least.
  std::optional<TextChunk> longest_chunk(std::size_t start, std::size_t first, const TextBorders& borders) {
    TokenGuide::Reach reach = guide_.furthest(start, room_, borders);
    if (reach.position < first) {
      reach = {first, guide_.tokens({start, first})};
      if (reach.tokens > room_ + room_ / 4 + 8) return std::nullopt;  // the guide is never that far off, but for words that are one token
    }
    std::size_t tokens = count({start, reach.position});
    std::size_t too_long = borders.range().end + 1;
    for (int correction = 0; tokens > room_; ++correction) {
      if (reach.position == first) return std::nullopt;
      const std::size_t end = too_long = reach.position;
      const std::size_t excess = tokens - room_;
      if (correction < guided_corrections) {
        reach = guide_.furthest(start, reach.tokens - std::min(reach.tokens, excess), borders);
      } else {
        reach.position = start + (end - start) / 2;
      }
      reach.position = std::max(borders.upto(std::min(reach.position, end - 1)), first);
      tokens = count({start, reach.position});
    }
    // The guide may have given too many.
    while (tokens < reach.tokens && reach.position < borders.range().end) {
      const std::size_t growth = std::min(reach.tokens, largest_growth * std::max<std::size_t>(tokens, 1));
      const TokenGuide::Reach longer = guide_.furthest(start, room_ * growth / std::max<std::size_t>(tokens, 1), borders);
      if (longer.position <= reach.position || longer.position >= too_long) break;
      const std::size_t longer_tokens = count({start, longer.position});
      if (longer_tokens > room_) break;
      reach = longer;
      tokens = longer_tokens;
    }
    return TextChunk{{start, reach.position}, tokens};
  }

  // Where the chunk begins whose new text begins at `begin` and which has room to repeat so many tokens.
  [[nodiscard]] std::size_t overlap_begin(std::size_t begin, std::size_t room) const {
    std::size_t earliest = std::max(guide_.earliest(begin, room), chunks_.back().range.begin + 1);
    for (int attempt = 0; attempt < guided_corrections && earliest < begin; ++attempt) {
      const std::size_t start = first_border({earliest, begin});
      if (start == begin || count({start, begin}) <= room) return start;
      earliest = start + 1;
    }
    return begin;
  }

  // Of a text that may be repeated, the place to begin at.
  [[nodiscard]] std::size_t first_border(ByteRange range) const {
    const std::size_t middle = range.begin + (range.end - range.begin) / 2;
    const ByteRange searched{range.begin - 1, range.end};
    std::size_t behind_middle = range.end;
    for (std::size_t separator = 0; separator < separators_.separators(); ++separator) {
      const std::size_t cut = separators_.first(separator, searched);
      if (cut <= middle) return cut;
      if (cut != SeparatorCuts::none && behind_middle == range.end) behind_middle = cut;
    }
    if (behind_middle < range.end) return behind_middle;
    return TextBorders(text_, searched, TextBorders::Between::graphemes).after(searched.begin);
  }

  // What has no token is no chunk of its own where it can join another.
  void append(const TextChunk& chunk, std::size_t new_text) {
    if (!chunks_.empty()) {
      TextChunk& previous = chunks_.back();
      const std::size_t added = chunk.range.begin == new_text ? chunk.tokens : guide_.tokens({new_text, chunk.range.end});
      if (added == 0 || previous.tokens == 0) {
        const ByteRange joined{previous.range.begin, chunk.range.end};
        if (const std::size_t tokens = count(joined); tokens <= room_) {
          previous = {joined, tokens};
          return;
        }
      }
    }
    chunks_.push_back(chunk);
  }

  std::string_view text_;
  const TokenCounter& counter_;
  std::size_t room_;  // of a chunk, beside the special tokens
  std::size_t overlap_;
  const TokenGuide& guide_;
  SeparatorCuts separators_;
  std::vector<TextChunk> chunks_;  // their special tokens not counted before the end
};

std::size_t count_with(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> ids;
  ids.reserve(tokenizer.special_tokens());  // no id of the text is kept: the number alone is wanted
  return tokenizer.encode_into(text, tokenizer.special_tokens(), ids) - tokenizer.special_tokens();
}

}  // namespace

TokenCounter::TokenCounter(std::shared_ptr<const Tokenizer> tokenizer, std::size_t max_tokens) : max_tokens_(max_tokens) {
  if (!tokenizer) throw Error(Status::invalid_argument, "a token counter needs a tokenizer");
  special_tokens_ = tokenizer->special_tokens();
  count_ = [tokenizer = std::move(tokenizer)](std::string_view text) { return count_with(*tokenizer, text); };
}

TokenCounter::TokenCounter(const Tokenizer& tokenizer, std::size_t max_tokens)
    : count_([&tokenizer](std::string_view text) { return count_with(tokenizer, text); }),
      special_tokens_(tokenizer.special_tokens()),
      max_tokens_(max_tokens) {}

RecursiveCharacterTextSplitter::RecursiveCharacterTextSplitter(TokenCounter counter, SplitterOptions options)
    : counter_(std::move(counter)), options_(std::move(options)) {
  if (options_.chunk_size == 0) options_.chunk_size = counter_.max_tokens();
  if (options_.chunk_size == Tokenizer::no_limit) {
    throw Error(Status::invalid_argument, "chunks need a chunk_size, as the token counter knows no limit");
  }
  const std::size_t special = counter_.special_tokens();
  if (options_.chunk_size <= special) {
    throw Error(Status::invalid_argument,
                fmt::format("chunks of at most {} tokens leave no room beside the {} special ones", options_.chunk_size, special));
  }
  if (options_.chunk_overlap >= options_.chunk_size - special) {
    throw Error(Status::invalid_argument, fmt::format("a chunk_overlap of {} tokens is too long for chunks of {}, {} of them special",
                                                      options_.chunk_overlap, options_.chunk_size, special));
  }
  if (options_.separators.empty()) {
    const auto separators = separators_for(options_.language);
    options_.separators.assign(separators.begin(), separators.end());
  }
}

std::vector<TextChunk> RecursiveCharacterTextSplitter::split(std::string_view text) const {
  if (text.empty()) return {};
  const std::size_t special = counter_.special_tokens();
  const std::size_t room = options_.chunk_size - special;
  const auto whole = [&] { return TextChunk{{0, text.size()}, counter_(text) + special}; };
  if (text.size() / likely_bytes <= room) {
    if (const TextChunk chunk = whole(); chunk.tokens <= options_.chunk_size) return {chunk};
  }
  const TokenGuide guide(text, counter_, std::clamp<std::size_t>(room / 2, shortest_stretch, longest_stretch));
  if (guide.total() <= room && text.size() / likely_bytes > room) {
    if (const TextChunk chunk = whole(); chunk.tokens <= options_.chunk_size) return {chunk};
  }
  return Splitter(text, counter_, options_, guide).run();
}

}  // namespace inlay
