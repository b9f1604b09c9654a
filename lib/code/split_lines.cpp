// Cutting documents to a model's length. Each line's tokens are counted once, as a guide to where a piece may end; each piece's true number
// is then counted, as tokens need not end where lines do and the preparator may add anything. A piece is counted a few times at most, so
// the work grows with the text's length and not with its square.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "inlay/corpus.hpp"
#include "inlay/error.hpp"

namespace inlay {
namespace {

constexpr int guided_corrections = 4;  // of a piece's length by the guide; after these it is halved

class Splitter {
 public:
  Splitter(const Document& document, const Tokenizer& tokenizer, std::size_t max_tokens, const DocumentPreparator& preparator)
      : document_(document), tokenizer_(tokenizer), max_tokens_(max_tokens), preparator_(preparator) {}

  void append_pieces(std::vector<Document>& pieces) {
    if (document_.content.empty() || count(document_) <= max_tokens_) {
      pieces.push_back(document_);
      return;
    }
    find_lines();
    for (std::size_t begin = 0; begin < lines();) {
      const std::size_t end = end_of_piece(begin);
      pieces.push_back(piece(begin, end));
      begin = end;
    }
  }

 private:
  [[nodiscard]] std::size_t lines() const { return guide_.size(); }

  std::size_t count_text(std::string_view text) {
    ids_.clear();
    return tokenizer_.encode_into(text, tokenizer_.special_tokens(), ids_);  // no id is kept: the number alone is wanted
  }
  std::size_t count(const Document& document) { return count_text(preparator_(document)); }

  void find_lines() {
    const std::string_view content = document_.content;
    for (std::size_t begin = 0; begin < content.size();) {
      const std::size_t newline = content.find('\n', begin);
      const std::size_t end = newline == std::string_view::npos ? content.size() : newline + 1;
      starts_.push_back(begin);
      guide_.push_back(count_text(content.substr(begin, end - begin)) - tokenizer_.special_tokens());
      begin = end;
    }
    starts_.push_back(content.size());
    overhead_ = count(piece(0, 0));
  }

  [[nodiscard]] Document piece(std::size_t begin, std::size_t end) const {
    Document part{document_.content.substr(starts_[begin], starts_[end] - starts_[begin]), document_.metadata};
    part.metadata.line_number = std::max<std::int64_t>(document_.metadata.line_number, 1) + static_cast<std::int64_t>(begin);
    return part;
  }

  // How far a piece from `begin` may go that has room for `tokens` more, by the guide.
  [[nodiscard]] std::size_t guided_end(std::size_t begin, std::size_t tokens) const {
    std::size_t end = begin;
    while (end < lines() && guide_[end] <= tokens) tokens -= guide_[end++];
    return end;
  }

  std::size_t end_of_piece(std::size_t begin) {
    const std::size_t room = max_tokens_ > overhead_ ? max_tokens_ - overhead_ : 0;
    std::size_t end = std::max(guided_end(begin, room), begin + 1);
    std::size_t tokens = count(piece(begin, end));
    for (int correction = 0; tokens > max_tokens_ && end > begin + 1; ++correction) {
      if (correction < guided_corrections) {
        std::size_t excess = tokens - max_tokens_;
        do {
          --end;
          excess -= std::min(excess, guide_[end]);
        } while (excess > 0 && end > begin + 1);
      } else {
        end = begin + (end - begin) / 2;
      }
      tokens = count(piece(begin, end));
    }
    // The guide may have been too high: see whether what is left has room for more. Lines without a token (empty ones) join in any case, so
    // that no piece is made of them alone.
    const std::size_t limit = std::max(tokens, max_tokens_);
    for (int correction = 0; end < lines() && correction < 2; ++correction) {
      const std::size_t longer = guided_end(end, limit - tokens);
      if (longer == end) break;
      const std::size_t longer_tokens = count(piece(begin, longer));
      if (longer_tokens > limit) break;
      end = longer;
      tokens = longer_tokens;
    }
    return end;
  }

  const Document& document_;
  const Tokenizer& tokenizer_;
  std::size_t max_tokens_;
  const DocumentPreparator& preparator_;
  std::size_t overhead_ = 0;         // tokens of the context and the special ones
  std::vector<std::size_t> starts_;  // of the lines, and the content's end
  std::vector<std::size_t> guide_;   // tokens of each line alone
  std::vector<TokenId> ids_;
};

}  // namespace

std::vector<Document> split_lines(std::span<const Document> documents, const Tokenizer& tokenizer, std::size_t max_tokens,
                                  const DocumentPreparator& preparator) {
  if (max_tokens <= tokenizer.special_tokens()) {
    throw Error(Status::invalid_argument, fmt::format("pieces of at most {} tokens leave no room beside the {} special ones", max_tokens,
                                                      tokenizer.special_tokens()));
  }
  std::vector<Document> pieces;
  for (const Document& document : documents) {
    const std::size_t before = pieces.size();
    try {
      Splitter(document, tokenizer, max_tokens, preparator).append_pieces(pieces);
    } catch (...) {  // the preparator's or tokenizer's: it will fail again, and be reported, when it is embedded
      pieces.resize(before);
      pieces.push_back(document);
    }
  }
  return pieces;
}

}  // namespace inlay
