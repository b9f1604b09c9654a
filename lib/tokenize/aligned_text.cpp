#include "tokenize/aligned_text.hpp"

#include "text/utf8.hpp"

namespace inlay::tokenize {

AlignedText::AlignedText(std::string_view stretch, std::size_t begin) : text_(stretch), begin_(static_cast<std::uint32_t>(begin)) {
  sources_.reserve(text_.size());
  for (std::size_t position = 0; position < text_.size();) {
    const std::size_t length = text::decode_utf8(text_.data() + position).length;
    const auto first = static_cast<std::uint32_t>(begin + position);
    sources_.insert(sources_.end(), length, {first, first + static_cast<std::uint32_t>(length)});
    position += length;
  }
}

TextRange AlignedText::source(std::size_t begin, std::size_t end) const noexcept {
  if (begin >= end || end > sources_.size()) return {begin_, begin_};
  return {sources_[begin].begin, sources_[end - 1].end};
}

AlignedText AlignedText::slice(std::size_t begin, std::size_t end) const {
  AlignedText part;
  part.text_ = text_.substr(begin, end - begin);
  part.sources_.assign(sources_.begin() + static_cast<std::ptrdiff_t>(begin), sources_.begin() + static_cast<std::ptrdiff_t>(end));
  part.begin_ = source(begin, end).begin;
  return part;
}

void AlignedText::apply(const Edits& edits) {
  std::string text;
  std::vector<TextRange> sources;
  text.reserve(edits.size());
  sources.reserve(edits.size());
  std::size_t position = 0;
  const auto skip = [&](std::size_t count) {
    for (; count > 0 && position < text_.size(); --count) position += text::decode_utf8(text_.data() + position).length;
  };
  for (const Edit& edit : edits) {
    skip(edit.skipped);
    TextRange source{begin_, begin_};
    if (edit.change > 0 || position == text_.size()) {
      if (position > 0) source = sources_[position - 1];  // a new character shares the place of the one before it
    } else {
      source = sources_[position];
      skip(1);
      skip(static_cast<std::size_t>(-static_cast<std::int64_t>(edit.change)));
    }
    text::append_utf8(text, edit.character);
    sources.resize(text.size(), source);
  }
  text_.swap(text);
  sources_.swap(sources);
}

void AlignedText::prepend(std::string_view prefix) {
  if (text_.empty()) return;
  sources_.insert(sources_.begin(), prefix.size(), sources_.front());
  text_.insert(0, prefix);
}

std::string edited(const Edits& edits) {
  std::string text;
  text.reserve(edits.size());
  for (const Edit& edit : edits) text::append_utf8(text, edit.character);
  return text;
}

}  // namespace inlay::tokenize
