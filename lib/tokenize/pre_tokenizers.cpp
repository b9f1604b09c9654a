#include "tokenize/pre_tokenizers.hpp"

#include <algorithm>

#include "text/utf8.hpp"
#include "tokenize/byte_level.hpp"
#include "tokenize/normalizers.hpp"

namespace inlay::tokenize {
namespace {

// Cuts where the parts say; what is removed leaves nothing.
void cut_at(const AlignedText& text, const std::vector<Part>& parts, bool remove_matches, std::vector<AlignedText>& words) {
  for (const Part& part : parts) {
    if (part.begin < part.end && !(remove_matches && part.matches)) words.push_back(text.slice(part.begin, part.end));
  }
}

std::vector<Part> merge(const std::vector<Part>& parts, Delimiters delimiters) {
  std::vector<Part> merged;
  bool previous_matches = false;
  const auto join_or_add = [&](const Part& part, bool join) {
    if (join && !merged.empty()) {
      merged.back().begin = std::min(merged.back().begin, part.begin);
      merged.back().end = std::max(merged.back().end, part.end);
    } else {
      merged.push_back(part);
    }
    previous_matches = part.matches;
  };
  if (delimiters == Delimiters::contiguous) {
    for (const Part& part : parts) join_or_add(part, part.matches == previous_matches);
  } else if (delimiters == Delimiters::merged_with_previous) {
    for (const Part& part : parts) join_or_add(part, part.matches && !previous_matches);
  } else {
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) join_or_add(*part, part->matches && !previous_matches);
    std::ranges::reverse(merged);
  }
  return merged;
}

void cut_at(const AlignedText& text, const std::vector<Part>& parts, Delimiters delimiters, std::vector<AlignedText>& words) {
  if (delimiters == Delimiters::removed || delimiters == Delimiters::isolated) {
    cut_at(text, parts, delimiters == Delimiters::removed, words);
  } else {
    cut_at(text, merge(parts, delimiters), false, words);
  }
}

// Parts by the class of characters: a match is a single one.
std::vector<Part> split_by_class(std::string_view text, text::CharacterClass delimiter) {
  std::vector<Part> parts;
  for (std::size_t position = 0; position < text.size();) {
    const auto [code_point, length] = text::decode_utf8(text.data() + position);
    const bool matches = (text::character_class(code_point) & delimiter) != 0;
    if (!matches && !parts.empty() && !parts.back().matches) {
      parts.back().end += length;
    } else {
      parts.push_back({position, position + length, matches});
    }
    position += length;
  }
  return parts;
}

class ClassSplit final : public PreTokenizer {
 public:
  ClassSplit(text::CharacterClass delimiter, Delimiters delimiters) : delimiter_(delimiter), delimiters_(delimiters) {}
  void cut(AlignedText text, std::vector<AlignedText>& words) const override {
    cut_at(text, split_by_class(text.text(), delimiter_), delimiters_, words);
  }

 private:
  text::CharacterClass delimiter_;
  Delimiters delimiters_;
};

class BertPreTokenizer final : public PreTokenizer {
 public:
  void cut(AlignedText text, std::vector<AlignedText>& words) const override {
    std::size_t begin = 0;  // of the word that goes on
    const std::string_view bytes = text.text();
    for (std::size_t position = 0; position < bytes.size();) {
      const auto [code_point, length] = text::decode_utf8(bytes.data() + position);
      const text::CharacterClass properties = text::character_class(code_point);
      if (properties & (text::whitespace | text::punctuation)) {
        if (begin < position) words.push_back(text.slice(begin, position));
        if (!(properties & text::whitespace)) words.push_back(text.slice(position, position + length));
        begin = position + length;
      }
      position += length;
    }
    if (begin < bytes.size()) words.push_back(text.slice(begin, bytes.size()));
  }
};

class Whitespace final : public PreTokenizer {
 public:
  void cut(AlignedText text, std::vector<AlignedText>& words) const override {
    constexpr text::CharacterClass kinds = text::word | text::whitespace;
    std::size_t begin = 0;
    text::CharacterClass kind = text::whitespace;  // of what goes on since `begin`
    const std::string_view bytes = text.text();
    const auto finish = [&](std::size_t end) {
      if (begin < end && kind != text::whitespace) words.push_back(text.slice(begin, end));
    };
    for (std::size_t position = 0; position < bytes.size();) {
      const auto [code_point, length] = text::decode_utf8(bytes.data() + position);
      const text::CharacterClass next = text::character_class(code_point) & kinds;
      if (next != kind) {
        finish(position);
        begin = position;
        kind = next;
      }
      position += length;
    }
    finish(bytes.size());
  }
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(std::size_t length) : length_(length) {}

  void cut(AlignedText text, std::vector<AlignedText>& words) const override {
    const std::string_view bytes = text.text();
    for (std::size_t begin = 0; begin < bytes.size();) {
      std::size_t end = begin;
      for (std::size_t count = 0; count < length_ && end < bytes.size(); ++count) end += text::decode_utf8(bytes.data() + end).length;
      words.push_back(text.slice(begin, end));
      begin = end;
    }
  }

 private:
  std::size_t length_;
};

class Split final : public PreTokenizer {
 public:
  Split(Pattern pattern, Delimiters delimiters, bool invert) : pattern_(std::move(pattern)), delimiters_(delimiters), invert_(invert) {}

  void cut(AlignedText text, std::vector<AlignedText>& words) const override {
    std::vector<Part> parts = pattern_.split(text.text());
    if (invert_) {
      for (Part& part : parts) part.matches = !part.matches;
    }
    cut_at(text, parts, delimiters_, words);
  }

 private:
  Pattern pattern_;
  Delimiters delimiters_;
  bool invert_;
};

class Metaspace final : public PreTokenizer {
 public:
  explicit Metaspace(const MetaspaceOptions& options)
      : options_(options),
        replace_(make_replace(Pattern::literal(" "), options.replacement)),
        replacement_(Pattern::literal(options.replacement)) {}

  void cut(AlignedText text, std::vector<AlignedText>& words) const override {
    Edits edits;
    if (replace_->edit(text.text(), edits)) text.apply(edits);
    const bool prepends = options_.prepend == PrependScheme::always || (options_.prepend == PrependScheme::first && text.begin() == 0);
    if (prepends && !text.text().starts_with(options_.replacement)) text.prepend(options_.replacement);
    if (options_.split) {
      cut_at(text, replacement_.split(text.text()), Delimiters::merged_with_next, words);
    } else {
      words.push_back(std::move(text));
    }
  }

 private:
  MetaspaceOptions options_;
  std::unique_ptr<const Normalizer> replace_;
  Pattern replacement_;
};

class ByteLevel final : public PreTokenizer {
 public:
  explicit ByteLevel(const ByteLevelOptions& options) : options_(options), to_bytes_(make_byte_level_normalizer()) {}

  void cut(AlignedText text, std::vector<AlignedText>& words) const override {
    if (options_.add_prefix_space && !text.text().starts_with(' ')) text.prepend(" ");
    const std::size_t first = words.size();
    if (!options_.use_regex) {
      words.push_back(std::move(text));
    } else {
      for (std::size_t position = 0; position < text.text().size();) {
        const std::size_t length = word_length(text.text().substr(position));
        words.push_back(text.slice(position, position + length));
        position += length;
      }
    }
    Edits edits;
    for (std::size_t index = first; index < words.size(); ++index) {
      edits.clear();
      if (to_bytes_->edit(words[index].text(), edits)) words[index].apply(edits);
    }
  }

 private:
  ByteLevelOptions options_;
  std::unique_ptr<const Normalizer> to_bytes_;
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }
std::unique_ptr<const PreTokenizer> make_whitespace() { return std::make_unique<Whitespace>(); }
std::unique_ptr<const PreTokenizer> make_class_split(text::CharacterClass delimiter, Delimiters delimiters) {
  return std::make_unique<ClassSplit>(delimiter, delimiters);
}
std::unique_ptr<const PreTokenizer> make_fixed_length(std::size_t length) { return std::make_unique<FixedLength>(length); }
std::unique_ptr<const PreTokenizer> make_split(Pattern pattern, Delimiters delimiters, bool invert) {
  return std::make_unique<Split>(std::move(pattern), delimiters, invert);
}
std::unique_ptr<const PreTokenizer> make_metaspace(const MetaspaceOptions& options) { return std::make_unique<Metaspace>(options); }
std::unique_ptr<const PreTokenizer> make_byte_level(const ByteLevelOptions& options) { return std::make_unique<ByteLevel>(options); }

}  // namespace inlay::tokenize
